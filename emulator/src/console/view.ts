/** An instance as the console sends it and its page reads it. These types need nothing of Node, which the page does not have. */
import type { Wait } from '../durable/engine/wait.js';

/** A record of the log about an instance. */
export interface Diagnostic {
  level: 'warning' | 'error';
  /** ISO 8601, in the app's time. */
  at: string;
  message: string;
}

/** An entity as a developer looks at it. */
export interface EntityView {
  /** Whether it has a state. */
  exists: boolean;
  /** The decoded state; null when there is none. */
  state: unknown;
  /** The requests that wait for the end of the lock: the operation, and the instance that waits for it. */
  queue: { operation: string; from: string | null }[];
  /** The id of the orchestration that holds the lock. */
  lockedBy: string | null;
}

/** One instance. `Event`: an event of its history. */
export interface InstanceView<Event> {
  instanceId: string;
  name: string;
  version: string | null;
  status: string;
  input: unknown;
  output: unknown;
  customStatus: unknown;
  /** ISO 8601. */
  created: string;
  updated: string;
  parent: string | null;
  /** It changes when a history is replaced: by continue-as-new, a rewind, or another start. */
  revision: string;
  /** The number of events that the answer leaves out, because the page has them. */
  from: number;
  history: readonly Event[];
  /** For an orchestration that runs: what it waits for, and where in the app's code. */
  waits: Wait[];
  where?: string;
  diagnostics: Diagnostic[];
  entity?: EntityView;
}
