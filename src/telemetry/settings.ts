/**
 * All settings of telemetry. They have Azure's and OpenTelemetry's names, so that the Functions host uses the
 * same ones.
 */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A destination of telemetry. */
export type Receiver = 'azure' | 'otlp' | 'console';

/** A kind of telemetry. */
export type Signal = 'traces' | 'metrics' | 'logs';

/** The configured destinations. */
export interface Destinations {
  receivers: Readonly<Record<Signal, readonly Receiver[]>>;
  azure: AzureMonitor | undefined;
  /** The app's name in telemetry. */
  service: string;
  /** The id of the machine, where the app runs on several. */
  machine: string | undefined;
}

/** An Application Insights resource. */
export interface AzureMonitor {
  connectionString: string;
  /**
   * Signs in with Entra ID, as the user-assigned identity with that client id or as the machine's own.
   * Undefined: no sign-in.
   */
  entra: { clientId: string | undefined } | undefined;
}

/**
 * Reads the destinations from the settings. `undefined` means that telemetry is off:
 * - `APPLICATIONINSIGHTS_CONNECTION_STRING`: Application Insights, and `APPLICATIONINSIGHTS_AUTHENTICATION_STRING`, such as
 *   `Authorization=AAD;ClientId=...`, the sign-in for it;
 * - `OTEL_EXPORTER_OTLP_ENDPOINT`: a collector of OTLP over HTTP. The exporters read further `OTEL_*` variables themselves;
 * - `OTEL_TRACES_EXPORTER`, `OTEL_METRICS_EXPORTER`, `OTEL_LOGS_EXPORTER`: `otlp`, `console`, both with a comma, or `none`.
 */
export function destinations(environment: Environment): Destinations | undefined {
  const {
    APPLICATIONINSIGHTS_CONNECTION_STRING: connectionString,
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: authentication,
  } = environment;
  const azure = connectionString ? { connectionString, entra: entra(authentication ?? '') } : undefined;
  const receivers = (chosen: string | undefined): Receiver[] => {
    const names = (chosen ?? (environment['OTEL_EXPORTER_OTLP_ENDPOINT'] ? 'otlp' : 'none'))
      .split(',')
      .map((name) => name.trim());
    return [
      ...(azure === undefined ? [] : ['azure' as const]),
      ...(['otlp', 'console'] as const).filter((name) => names.includes(name)),
    ];
  };
  const all = {
    traces: receivers(environment['OTEL_TRACES_EXPORTER']),
    metrics: receivers(environment['OTEL_METRICS_EXPORTER']),
    logs: receivers(environment['OTEL_LOGS_EXPORTER']),
  };
  if (Object.values(all).every((found) => found.length === 0)) return undefined;
  return {
    receivers: all,
    azure,
    service: environment['OTEL_SERVICE_NAME'] || environment['WEBSITE_SITE_NAME'] || 'durable-workflows',
    machine: environment['WEBSITE_INSTANCE_ID'],
  };
}

function entra(authentication: string): AzureMonitor['entra'] {
  const parts = new Map(
    authentication
      .split(';')
      .map((part) => part.split('=', 2).map((text) => text.trim()) as [string, string]),
  );
  return parts.get('Authorization') === 'AAD' ? { clientId: parts.get('ClientId') } : undefined;
}
