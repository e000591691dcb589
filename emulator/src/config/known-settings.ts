/** Which settings of host.json the emulator reads. The README has the same table. */
import type { Json } from './json.js';

/** In lower case, with dots. A name that ends in a dot stands for all that is in it. */
const READ: ReadonlySet<string> = new Set(
  [
    'version',
    'functions.',
    'functionTimeout',
    'telemetryMode',
    'logging.logLevel.',
    'extensions.http.routePrefix',
    'extensions.http.customHeaders.',
    'extensions.http.maxConcurrentRequests',
    'extensions.http.maxOutstandingRequests',
    'extensions.queues.batchSize',
    'extensions.queues.newBatchThreshold',
    'extensions.queues.maxPollingInterval',
    'extensions.queues.visibilityTimeout',
    'extensions.queues.maxDequeueCount',
    'extensions.queues.messageEncoding',
    'extensions.blobs.poisonBlobThreshold',
    'extensions.blobs.maxDegreeOfParallelism',
    'extensions.durableTask.hubName',
    'extensions.durableTask.storageProvider.type',
    'extensions.durableTask.storageProvider.connectionName',
    'extensions.durableTask.storageProvider.connectionStringName',
    'extensions.durableTask.storeInputsInOrchestrationHistory',
    'extensions.durableTask.maxConcurrentActivityFunctions',
    'extensions.durableTask.maxConcurrentOrchestratorFunctions',
    'extensions.durableTask.maxConcurrentEntityFunctions',
    'extensions.durableTask.maxEntityOperationBatchSize',
    'extensions.durableTask.overridableExistingInstanceStates',
    'extensions.durableTask.defaultVersion',
    'extensions.durableTask.versionMatchStrategy',
    'extensions.durableTask.versionFailureStrategy',
    'extensions.durableTask.httpSettings.defaultAsyncRequestSleepTimeMilliseconds',
    'extensions.durableTask.httpSettings.useForwardedHost',
    // Named in a line of its own when it is on.
    'extensions.durableTask.extendedSessionsEnabled',
    'extensions.durableTask.extendedSessionIdleTimeoutInSeconds',
    // The extensions are part of the emulator.
    'extensionBundle.',
    '$schema',
  ].map((name) => name.toLowerCase()),
);

/** The settings of a host.json that the emulator ignores, by their paths as they are written. */
export function ignoredSettings(host: Json): string[] {
  return [...pathsOf(host, [])];
}

function* pathsOf(from: Json, above: readonly string[]): Iterable<string> {
  for (const [name, value] of Object.entries(from)) {
    const path = [...above, name];
    const key = path.join('.').toLowerCase();
    if (READ.has(key) || READ.has(`${key}.`)) continue;
    const leads = [...READ].some((read) => read.startsWith(`${key}.`));
    // Of a section in which nothing is read, the section is named.
    if (leads && typeof value === 'object' && value !== null) yield* pathsOf(value as Json, path);
    else if (!(typeof value === 'object' && value !== null && Object.keys(value).length === 0))
      yield path.join('.');
  }
}
