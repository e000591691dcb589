/** The functions that read the app's queues: each costs requests to storage at every jump of a test's clock. */
export const QUEUE_FUNCTIONS = [
  'Dispatch',
  'DispatchPoison',
  'IngestFromQueue',
  'TelemetryFromQueue',
  'UpdateReportFromQueue',
] as const;

/** The settings that disable functions of the app. */
export function disabled(...functions: readonly string[]): Record<string, string> {
  return Object.fromEntries(functions.map((name) => [`AzureWebJobs.${name}.Disabled`, 'true']));
}
