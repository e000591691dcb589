/** The actions of orchestrators, independent of the protocol. */
import type { EntityId } from '../entities/entity-messages.js';
import type { FailureDetails, JsonText } from '../history.js';
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

/** An action of an orchestrator. */
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
  /** `again`: the same wait, yielded another time. */
  | { kind: 'event'; name: string; again?: boolean }
  /** An operation on an entity, whose instance id is `target`. A signal has no answer. */
  | { kind: 'operation'; target: string; name: string; input: JsonText; signal: boolean }
  | { kind: 'lock'; entities: EntityId[] }
  /** Releases one of the locked entities. */
  | { kind: 'release'; target: string }
  | { kind: 'continueAsNew'; input: JsonText };

/** The actions that take a task id. */
export type IdAction = Exclude<Action, { kind: 'event' | 'continueAsNew' }>;

/** A `Task.all` (`all`) or `Task.any`. */
export interface Compound {
  all: boolean;
  of: (Action | Compound)[];
}

/** A run of an orchestrator function that stays in the memory of the app's process after its episode. */
export interface KeptRun {
  readonly id: number;
}

/**
 * The answer of an orchestrator function: all actions since the start of the execution, not only the new
 * ones. Only a run that was continued, and is kept again, answers with new ones alone.
 */
export interface Answer {
  done: boolean;
  actions: Action[];
  /** What was yielded as one task and contains a `Task.all`. `next`: how many of `actions` are not after it. */
  compounds?: { compound: Compound; next: number }[];
  output: JsonText;
  /** The text of an uncaught error. */
  error?: string;
  /** The structured form of that error, of an app with an exception properties provider. */
  failureDetails?: FailureDetails;
  /** Whether that error comes from the SDK, because the code yielded a value that is not a task. */
  yieldedNonTask?: boolean;
  /**
   * Why the extension cannot use the answer, in its words: the SDK itself has failed, the orchestrator threw
   * something without a message. The rest of the answer is ignored then.
   */
  unreadable?: string;
  customStatus: JsonText;
  /** How many task ids the SDK has assigned, if the answer shows it. */
  sequenceNumber?: number;
  /** Reasons why the instance will hang, e.g. a task that was yielded twice. */
  warnings: string[];
  /** Present when the run waits in memory for the next events. */
  kept?: KeptRun;
}

/**
 * Longer timers are made in hops, as in production (`maximumShortTimerDuration`, six days).
 */
export const LONGEST_TIMER = 6 * 86_400_000;
/** The length of a hop (`longRunningTimerIntervalDuration`, three days). */
export const TIMER_HOP = 3 * 86_400_000;

export function retryOf(action: IdAction): RetryOptions | undefined {
  return action.kind === 'activity' || action.kind === 'subOrchestration' ? action.retry : undefined;
}

/** The name of the task in the history. */
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

/** Whether the call polls after a 202. */
export function isPolled(action: IdAction): boolean {
  return action.kind === 'http' && action.call.asynchronousPatternEnabled;
}

/** Actions that send a message and have no answer. */
export function isOneWay(action: IdAction): boolean {
  return action.kind === 'release' || (action.kind === 'operation' && action.signal);
}
