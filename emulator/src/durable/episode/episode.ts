import type { Answer, IdAction } from './actions.js';
import type { Outgoing } from '../entities/entity-messages.js';
import type {
  ExecutionCompleted,
  HistoryEvent,
  JsonText,
  SubOrchestrationInstanceCreated,
  TaskScheduled,
  TimerCreated,
} from '../history.js';
import type { NonDeterministicError } from './non-determinism.js';

/** The inputs of an episode. */
export interface EpisodeInput {
  instanceId: string;
  executionId: string;
  parentInstanceId: string | null;
  name: string;
  /** The committed history. */
  history: readonly HistoryEvent[];
  /**
   * This episode's OrchestratorStarted and its inbound events. After continue-as-new: the first events of the
   * new execution.
   */
  inbound: readonly HistoryEvent[];
  answer: Answer;
  /** The time of the events that the episode writes, in milliseconds since the epoch. */
  now: number;
  /**
   * Whether the app has an activity or an orchestrator of that name. As in production, calls of unknown
   * functions are not scheduled.
   */
  knowsActivity: (name: string) => boolean;
  knowsOrchestrator: (name: string) => boolean;
  /** The name of the setting that disables a function; undefined when none does. */
  disabledBy: (name: string) => string | undefined;
  /** The version for sub-orchestrations that are called without one. */
  defaultVersion: string | null;
  /** Milliseconds until the next poll after a 202 without Retry-After. */
  httpPollInterval: number;
  /** Production's message for a missing entity function. */
  missingEntity: (name: string) => string | undefined;
}

/** The result of an episode. */
export interface EpisodeResult {
  /**
   * The events to append: inbound events, scheduled tasks, perhaps the execution's end, and
   * OrchestratorCompleted.
   */
  append: HistoryEvent[];
  activities: TaskScheduled[];
  subOrchestrations: SubOrchestrationInstanceCreated[];
  timers: TimerCreated[];
  /** The messages to entities. */
  outgoing: Outgoing[];
  /** The timers that the orchestrator has cancelled, also those that have fired meanwhile. */
  cancelledTimers: Set<number>;
  /** The end of the execution, if it ended in this episode. */
  completed: ExecutionCompleted | undefined;
  /** The input of the next execution, if the orchestrator continues as new. */
  continueAsNew: { input: JsonText } | undefined;
  suspended: boolean;
  customStatus: JsonText;
  /** Names of the events that the orchestrator waits for. */
  awaiting: string[];
  /** The ids of tasks whose end uses further task ids, see `mayTakeIds`. */
  idTaking: Set<number>;
  /** Why the instance will hang, or has lost something. */
  warnings: string[];
  /** Further diagnostics for the log. */
  notes: string[];
  /** How the orchestrator's code differs from its history. The execution has failed with this. */
  mismatch?: NonDeterministicError;
  /** The place in the app's code, as a line of its own. */
  where?: string;
}

/** A task id with its task. */
export interface TaskSlot {
  id: number;
  action: IdAction;
  role: 'call' | 'timer' | 'retryTimer' | 'pollTimer';
  /** The number of the attempt of a retried call, from 1. For a timer: of the attempt before it. */
  attempt: number;
  /** The time at which the first attempt was scheduled. */
  firstAttemptAt: number;
  /** For timers: the time at which this timer (or this hop) fires. */
  fireAt: number;
  /** The URL that an HTTP call polls next. */
  location?: string;
  open: boolean;
  /** Whether the history contains the event that schedules it. */
  created: boolean;
}
