/** What orchestrators ask for, whatever protocol they ask in. */
import type { EntityId } from '../entities/entity-messages.js';
import type { JsonText } from '../history.js';
import { HTTP_ACTIVITY, type HttpCall } from '../http/http-call.js';

/** The orchestration ends as Failed, with this message as its output. */
export class OrchestratorError extends Error {
  override name = 'OrchestratorError';
}

/** Intervals are milliseconds. */
export interface RetryOptions {
  firstRetryInterval: number;
  maxNumberOfAttempts: number;
  backoffCoefficient: number;
  maxRetryInterval: number;
  retryTimeout: number;
}

/** What an orchestrator asked for, in the order in which it did. */
export type Action =
  | { kind: 'activity'; name: string; input: JsonText; retry?: RetryOptions }
  | {
      kind: 'subOrchestration';
      name: string;
      input: JsonText;
      instanceId?: string;
      version?: string;
      retry?: RetryOptions;
    }
  | { kind: 'http'; call: HttpCall }
  | { kind: 'timer'; fireAt: number; cancelled: boolean }
  /** `again`: one and the same wait, yielded once more. */
  | { kind: 'event'; name: string; again?: boolean }
  /** On an entity, `target` being its instance id; a signal is not answered. */
  | { kind: 'operation'; target: string; name: string; input: JsonText; signal: boolean }
  | { kind: 'lock'; entities: EntityId[] }
  /** Of one of the entities that were locked before. */
  | { kind: 'release'; target: string }
  | { kind: 'continueAsNew'; input: JsonText };

/** The actions that take a task id. */
export type IdAction = Exclude<Action, { kind: 'event' | 'continueAsNew' }>;

/**
 * What the orchestrator function answered: all actions since the start of the execution, not only the new
 * ones.
 */
export interface Answer {
  done: boolean;
  actions: Action[];
  output: JsonText;
  /** The text of an uncaught error. */
  error?: string;
  /** Whether that error is the SDK's own, about something yielded that is no task. */
  yieldedNonTask?: boolean;
  /**
   * What the SDK itself gave up with, e.g. on an event that it cannot read. Then nothing else of the answer
   * counts.
   */
  unreadable?: string;
  customStatus: JsonText;
  /** How many ids the SDK has given out, where it can be seen. */
  sequenceNumber?: number;
  /** What in it will leave the instance hanging, e.g. a task that was yielded twice. */
  warnings: string[];
}

/**
 * Timers longer than this are made in hops, as production makes them (`maximumShortTimerDuration`, six days).
 */
export const LONGEST_TIMER = 6 * 86_400_000;
/** The length of a hop (`longRunningTimerIntervalDuration`, three days). */
export const TIMER_HOP = 3 * 86_400_000;

export function retryOf(action: IdAction): RetryOptions | undefined {
  return action.kind === 'activity' || action.kind === 'subOrchestration' ? action.retry : undefined;
}

/** The name under which the history has it. */
export function nameOf(action: IdAction): string {
  switch (action.kind) {
    case 'timer':
      return '';
    case 'http':
      return HTTP_ACTIVITY;
    case 'operation':
    case 'lock':
      return 'op';
    case 'release':
      return 'release';
    default:
      return action.name;
  }
}

/** Whether it is asked again after a 202. */
export function isPolled(action: IdAction): boolean {
  return action.kind === 'http' && action.call.asynchronousPatternEnabled;
}

/** What is sent and not answered. */
export function isOneWay(action: IdAction): boolean {
  return action.kind === 'release' || (action.kind === 'operation' && action.signal);
}
