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

/** Everything an episode starts from. */
export interface EpisodeInput {
  instanceId: string;
  executionId: string;
  parentInstanceId: string | null;
  name: string;
  /** What is committed. */
  history: readonly HistoryEvent[];
  /**
   * This episode's OrchestratorStarted and what came in with it; for continue-as-new the new execution's
   * first events.
   */
  inbound: readonly HistoryEvent[];
  answer: Answer;
  /** Milliseconds since the epoch: the time of what the episode writes. */
  now: number;
  /**
   * Whether there is an activity, an orchestrator of that name. What is unknown is not scheduled, as in
   * production.
   */
  knowsActivity: (name: string) => boolean;
  knowsOrchestrator: (name: string) => boolean;
  /** The name of the setting that disables a function; undefined when none does. */
  disabledBy: (name: string) => string | undefined;
  /** The version of a sub-orchestration that is called without one. */
  defaultVersion: string | null;
  /** Milliseconds until a call that was answered 202 is made again, where the answer does not say. */
  httpPollInterval: number;
  /** What production says when there is no entity function of that name. */
  missingEntity: (name: string) => string | undefined;
}

/** What an episode leads to. */
export interface EpisodeResult {
  /** To append: the inbound events, what was scheduled, perhaps the end, and OrchestratorCompleted. */
  append: HistoryEvent[];
  activities: TaskScheduled[];
  subOrchestrations: SubOrchestrationInstanceCreated[];
  timers: TimerCreated[];
  /** What entities are sent. */
  outgoing: Outgoing[];
  /** Timers that the orchestrator has cancelled, whether or not they have fired since. */
  cancelledTimers: Set<number>;
  /** The end of the execution, when this episode brought it. */
  completed: ExecutionCompleted | undefined;
  /** The input of the next execution, when the orchestrator continues as new. */
  continueAsNew: { input: JsonText } | undefined;
  suspended: boolean;
  customStatus: JsonText;
  /** Names of the events that the orchestrator waits for. */
  awaiting: string[];
  /** Ids of the tasks whose end takes further ids, see `mayTakeIds`. */
  idTaking: Set<number>;
  /** Why the instance will hang, or has lost something. */
  warnings: string[];
  /** What else a person should hear about it. */
  notes: string[];
  /** How the orchestrator's code departs from its history: the execution has failed with that. */
  mismatch?: NonDeterministicError;
  /** Where in the app's code that is, as a line of its own. */
  where?: string;
}

/** A task id, and what it stands for. */
export interface TaskSlot {
  id: number;
  action: IdAction;
  role: 'call' | 'timer' | 'retryTimer' | 'pollTimer';
  /** Which attempt of a retried call this is, or follows; from 1. */
  attempt: number;
  /** When the first attempt was scheduled. */
  firstAttemptAt: number;
  /** For timers: when this one (or this hop) fires. */
  fireAt: number;
  /** Where an HTTP call asks again, after the timer that this is or follows. */
  location?: string;
  open: boolean;
  /** Whether the history has the event that schedules it. */
  created: boolean;
}
