/** Tests of whole apps: their HTTP functions, orchestrations and activities, on a clock that skips. */
export type {
  DistributedTraceContext,
  EventBase,
  EventRaised,
  EventSent,
  ExecutionCompleted,
  ExecutionResumed,
  ExecutionStarted,
  ExecutionSuspended,
  ExecutionTerminated,
  FailureDetails,
  GenericEvent,
  HistoryEvent,
  JsonText,
  OrchestrationInstance,
  OrchestratorCompleted,
  OrchestratorStarted,
  ParentInstance,
  Rewind,
  RuntimeStatus,
  SubOrchestrationInstanceCompleted,
  SubOrchestrationInstanceCreated,
  SubOrchestrationInstanceFailed,
  TaskCompleted,
  TaskFailed,
  TaskScheduled,
  TimerCreated,
  TimerFired,
  Timestamp,
} from './durable/history.js';
export {
  UnreadableHistoryError,
  type HistoryRow,
  type RecordedHistory,
  type ShownEvent,
  type ShownHistory,
} from './durable/replay/recorded-history.js';
export { HistoryMismatchError } from './durable/replay/replay.js';
export type { EntityId } from './durable/entities/entity-messages.js';
export type { HttpAnswer, HttpCall, HttpHeaders } from './durable/http/http-call.js';
export {
  AppFailedError,
  NeverFinishesError,
  type ActivityCall,
  type Duration,
  type InstanceState,
  type RequestOptions,
  type TestAppOptions,
} from './testing/options.js';
export { TestApp } from './testing/test-app.js';
export type { TestClient } from './testing/test-client.js';
export type { Log, LogLevel } from './log.js';
export type { HostKeys } from './triggers/keys.js';
