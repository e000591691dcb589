/** What a row shows. */
export type Kind =
  | 'orchestration'
  | 'sub-orchestration'
  | 'activity'
  | 'timer'
  | 'entity'
  | 'event'
  | 'suspension';

/**
 * How far a row is. `cancelled` timers did not fire, and the orchestrator went on; `unfinished` work had not
 * ended when the orchestration did.
 */
export type State = 'completed' | 'failed' | 'terminated' | 'open' | 'cancelled' | 'unfinished';

/** A bar on the time axis. Times are milliseconds since the epoch. */
export interface Row {
  /** The same for the same row of a longer history. A nested row's key begins with its parent's. */
  key: string;
  /** 0 for the instance itself. */
  depth: number;
  kind: Kind;
  label: string;
  state: State;
  start: number;
  /** The start again for an event; now for what is open. */
  end: number;
  /** Of a timer: when it fires. */
  fireAt?: number;
  /** From 1; only where a call was retried. */
  attempt?: number;
  /** The instance or the entity that was called, where the history has it. */
  instanceId?: string;
  /** Why it failed, was terminated or suspended. */
  reason?: string;
  details?: string;
  /** JSON text. The host stores inputs of activities only if host.json says so. */
  input?: string;
  /** The result; absent when the history was read without outputs. */
  output?: unknown;
  /** Whether the instance that it stands for can be shown under it, and whether it is. */
  expandable: boolean;
  expanded: boolean;
}
