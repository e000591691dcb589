/** What host.json says under `extensions.durableTask` of how instances run. */
export interface DurableSettings {
  /** Activities that run at once; more wait their turn. Without a figure: no limit. */
  maxConcurrentActivities: number;
  /** Orchestrator functions that run at once, from their first line to their commit. Without a figure: no limit. */
  maxConcurrentOrchestrators: number;
  /** Entity functions that run at once, each on a batch of operations. Without a figure: no limit. */
  maxConcurrentEntities: number;
  /** Operations that one invocation of an entity function is given. Without a figure: all that wait. */
  maxEntityBatch: number;
  /** Whether a start may take the id of an instance that is live. */
  overridableStates: 'AnyState' | 'NonRunningStates';
  /** The version of an instance that is started without one, and what an instance's version is compared with. */
  defaultVersion: string | null;
  versionMatch: 'None' | 'Strict' | 'CurrentOrOlder';
  /** What becomes of an instance whose version does not match: it is left alone, or it fails. */
  versionFailure: 'Reject' | 'Fail';
  /** Milliseconds until `callHttp` asks again after a 202 without Retry-After. */
  httpPollInterval: number;
}

/** The extension's own, but for the limits, which it takes from the machine. */
export const DEFAULT_SETTINGS: DurableSettings = {
  maxConcurrentActivities: Infinity,
  maxConcurrentOrchestrators: Infinity,
  maxConcurrentEntities: Infinity,
  maxEntityBatch: Infinity,
  overridableStates: 'NonRunningStates',
  defaultVersion: null,
  versionMatch: 'CurrentOrOlder',
  versionFailure: 'Reject',
  httpPollInterval: 30_000,
};
