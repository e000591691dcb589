/**
 * The history of an instance, in the terms of the Durable Task Framework.
 *
 * The fields carry the framework's own (Pascal-case) names because the same events travel in three places,
 * the SDK's protocol, the History table and the management API's `showHistory`, and each of those copies
 * fields rather than translating them.
 */

/**
 * A time as the framework writes it: UTC, ISO 8601, fraction of a second without trailing zeros. See {@link
 * timestamp}.
 */
export type Timestamp = string;

/** The fields of every event. */
export interface EventBase {
  /** The task id of an event that the orchestrator scheduled; -1 for inbound events. */
  EventId: number;
  Timestamp: Timestamp;
}

export interface OrchestrationInstance {
  InstanceId: string;
  ExecutionId: string;
}

export interface ParentInstance {
  Name: string;
  OrchestrationInstance: OrchestrationInstance;
  /** The task id of the call in the parent's history. */
  TaskScheduleId: number;
  Version: string | null;
}

/** Where an event belongs in a trace, as the framework keeps it. Absent where the host traces nothing. */
export interface DistributedTraceContext {
  TraceParent: string;
  TraceState: string | null;
  /** The orchestration's own span, which all its episodes share; `Id` is a W3C traceparent. */
  Id: string | null;
  SpanId: string | null;
  ActivityStartTime: Timestamp | null;
}

/** JSON text as .NET would have written it, or null when there is no value. */
export type JsonText = string | null;

export interface OrchestratorStarted extends EventBase {
  EventType: 'OrchestratorStarted';
}
export interface OrchestratorCompleted extends EventBase {
  EventType: 'OrchestratorCompleted';
  /**
   * Added by the emulator, only for an episode that ran while suspended: how many actions the orchestrator
   * had by its end.
   */
  ActionCount?: number;
  /**
   * Added by the emulator: among the first events of a continued execution. Only this one of its kind is
   * marked as played.
   */
  Continuation?: boolean;
}
export interface ExecutionStarted extends EventBase {
  EventType: 'ExecutionStarted';
  Name: string;
  Version: string | null;
  Input: JsonText;
  OrchestrationInstance: OrchestrationInstance;
  ParentInstance: ParentInstance | null;
  /**
   * As on a real host: 0 for an instance that a client started, null for a sub-orchestration and after
   * continue-as-new.
   */
  Generation: number | null;
  ParentTraceContext?: DistributedTraceContext;
}
export interface ExecutionCompleted extends EventBase {
  EventType: 'ExecutionCompleted';
  OrchestrationStatus: 'Completed' | 'Failed' | 'Terminated' | 'ContinuedAsNew';
  /** JSON text when Completed, plain text when Failed or Terminated. */
  Result: string | null;
  FailureDetails?: FailureDetails;
}
export interface ExecutionTerminated extends EventBase {
  EventType: 'ExecutionTerminated';
  Input: string | null;
}
export interface ExecutionSuspended extends EventBase {
  EventType: 'ExecutionSuspended';
  Reason: string | null;
}
export interface ExecutionResumed extends EventBase {
  EventType: 'ExecutionResumed';
  Reason: string | null;
}
export interface TaskScheduled extends EventBase {
  EventType: 'TaskScheduled';
  Name: string;
  /** Kept so that a restarted host can run the activity without replaying its orchestrator; never shown. */
  Input: JsonText;
  ParentTraceContext?: DistributedTraceContext;
}
export interface TaskCompleted extends EventBase {
  EventType: 'TaskCompleted';
  TaskScheduledId: number;
  Result: JsonText;
}
export interface TaskFailed extends EventBase {
  EventType: 'TaskFailed';
  TaskScheduledId: number;
  Reason: string;
  Details: string;
  FailureDetails: FailureDetails | null;
}
export interface SubOrchestrationInstanceCreated extends EventBase {
  EventType: 'SubOrchestrationInstanceCreated';
  Name: string;
  Version: string | null;
  InstanceId: string;
  /** Kept for the same reason as {@link TaskScheduled.Input}. */
  Input: JsonText;
  /** The span of the call in the parent, if the host traces. */
  ClientSpanId?: string;
}
export interface SubOrchestrationInstanceCompleted extends EventBase {
  EventType: 'SubOrchestrationInstanceCompleted';
  TaskScheduledId: number;
  Result: JsonText;
}
export interface SubOrchestrationInstanceFailed extends EventBase {
  EventType: 'SubOrchestrationInstanceFailed';
  TaskScheduledId: number;
  Reason: string;
  /** Null when the child was terminated, as the framework has it. */
  Details: string | null;
  FailureDetails: FailureDetails | null;
}
export interface TimerCreated extends EventBase {
  EventType: 'TimerCreated';
  FireAt: Timestamp;
}
export interface TimerFired extends EventBase {
  EventType: 'TimerFired';
  TimerId: number;
  FireAt: Timestamp;
}
export interface EventSent extends EventBase {
  EventType: 'EventSent';
  InstanceId: string;
  Name: string;
  Input: JsonText;
}
export interface EventRaised extends EventBase {
  EventType: 'EventRaised';
  Name: string;
  Input: JsonText;
}
export interface GenericEvent extends EventBase {
  EventType: 'GenericEvent';
  Data: string | null;
  /** The provider's name for the event that a rewind has replaced: `Rewound: TaskFailed`. */
  Reason?: string;
  /**
   * Added by the emulator. As a message: a request to rewind. In a history: the executed request, in the
   * place of the execution's end.
   */
  Rewind?: Rewind;
}

export interface Rewind {
  /** The id of the request. */
  id: string;
  reason: string | null;
}

/**
 * Whether the input of an activity is a text. It is JSON text of a string that the SDK encoded, or a text that
 * an object became, such as a `Date` or a `URL`, which the SDK does not encode.
 */
export function isTextInput(input: string): boolean {
  return !/^(?:[[{]|(?:-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|true|false|null)$)/i.test(input);
}

/** Structured failure, present only for apps that set an exception properties provider. */
export interface FailureDetails {
  ErrorType: string;
  ErrorMessage: string;
  StackTrace: string | null;
  IsNonRetriable: boolean;
  InnerFailure: FailureDetails | null;
  Properties: Record<string, unknown> | null;
}

/**
 * One event of a history, with the names of the framework's JSON.
 *
 * @example
 * ```ts
 * const history: readonly HistoryEvent[] = await app.history(id);
 * expect(history.map(({ EventType }) => EventType)).toContain('TimerFired');
 * ```
 */
export type HistoryEvent =
  | OrchestratorStarted
  | OrchestratorCompleted
  | ExecutionStarted
  | ExecutionCompleted
  | ExecutionTerminated
  | ExecutionSuspended
  | ExecutionResumed
  | TaskScheduled
  | TaskCompleted
  | TaskFailed
  | SubOrchestrationInstanceCreated
  | SubOrchestrationInstanceCompleted
  | SubOrchestrationInstanceFailed
  | TimerCreated
  | TimerFired
  | EventSent
  | EventRaised
  | GenericEvent;

/** Events that reach an instance from outside its episode. The episode writes all others itself. */
export type InboundEvent =
  | ExecutionStarted
  | ExecutionTerminated
  | ExecutionSuspended
  | ExecutionResumed
  | TaskCompleted
  | TaskFailed
  | SubOrchestrationInstanceCompleted
  | SubOrchestrationInstanceFailed
  | TimerFired
  | EventRaised
  | GenericEvent;

export type RuntimeStatus =
  | 'Pending'
  | 'Running'
  | 'Completed'
  | 'Failed'
  | 'Terminated'
  | 'Suspended'
  | 'ContinuedAsNew'
  | 'Canceled';

const FINISHED: ReadonlySet<RuntimeStatus> = new Set<RuntimeStatus>([
  'Completed',
  'Failed',
  'Terminated',
  'Canceled',
]);

/** Whether an instance with this status has ended for good (and its id may be used again). */
export function isFinished(status: RuntimeStatus): boolean {
  return FINISHED.has(status);
}

/**
 * Milliseconds since the epoch, written as the framework does: `2026-11-21T00:29:33.54Z`,
 * `2026-11-21T00:29:33Z`.
 */
export function timestamp(milliseconds: number): Timestamp {
  return new Date(milliseconds).toISOString().replace(/\.?0+Z$/, 'Z');
}
