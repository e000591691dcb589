/** The settings in host.json under `extensions.durableTask` for running instances. */
export interface DurableSettings {
  /** Activities that run at once; more wait their turn. Without a figure: no limit. */
  maxConcurrentActivities: number;
  /**
   * Orchestrator functions that run at once, from their first line to their commit. Without a figure: no
   * limit.
   */
  maxConcurrentOrchestrators: number;
  /** Entity functions that run at once, each on a batch of operations. Without a figure: no limit. */
  maxConcurrentEntities: number;
  /** How many operations one invocation of an entity function gets. Without a figure: all that wait. */
  maxEntityBatch: number;
  /** Whether a start may use the id of a live instance. */
  overridableStates: 'AnyState' | 'NonRunningStates';
  /**
   * The version for instances that are started without one, and the version that instances are compared with.
   */
  defaultVersion: string | null;
  versionMatch: 'None' | 'Strict' | 'CurrentOrOlder';
  /** Whether an instance whose version does not match is left alone or fails. */
  versionFailure: 'Reject' | 'Fail';
  /** Milliseconds until `callHttp` polls after a 202 without Retry-After. */
  httpPollInterval: number;
}

/** The extension's defaults, except the limits, which the extension derives from the machine. */
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
