/** History events in the form in which durable-functions 3.x gets them. */
import type { HistoryEvent } from '../history.js';

/** Numbers of `HistoryEventType`, in the SDK's `lib/src/history/HistoryEventType.js`. */
const EVENT_CODES: Record<HistoryEvent['EventType'], number> = {
  ExecutionStarted: 0,
  ExecutionCompleted: 1,
  ExecutionTerminated: 3,
  TaskScheduled: 4,
  TaskCompleted: 5,
  TaskFailed: 6,
  SubOrchestrationInstanceCreated: 7,
  SubOrchestrationInstanceCompleted: 8,
  SubOrchestrationInstanceFailed: 9,
  TimerCreated: 10,
  TimerFired: 11,
  OrchestratorStarted: 12,
  OrchestratorCompleted: 13,
  EventSent: 14,
  EventRaised: 15,
  GenericEvent: 17,
  ExecutionSuspended: 19,
  ExecutionResumed: 20,
};

/**
 * Kinds of event that are marked as played once their episode is over. On the real host the others never are.
 */
const PLAYED = new Set([0, 3, 5, 6, 8, 9, 11, 15, 17, 19, 20]);

/** Whether an event of this kind is marked as played once its episode is over. */
export function isPlayedLater({ EventType }: Pick<SdkEvent, 'EventType'>): boolean {
  return PLAYED.has(EventType);
}

/** A history event in the SDK's form. Each kind has further fields. */
export interface SdkEvent {
  [field: string]: unknown;
  EventType: number;
  EventId: number;
  IsPlayed: boolean;
  Timestamp: Date;
}

/** @param past whether the episode of the event is over */
export function sdkEvent(event: HistoryEvent, past: boolean): SdkEvent {
  const code = EVENT_CODES[event.EventType];
  const base: SdkEvent = {
    EventType: code,
    EventId: event.EventId,
    IsPlayed: past && ((PLAYED.has(code) && !isRewoundStep(event)) || isContinuationMark(event)),
    Timestamp: new Date(event.Timestamp),
  };
  switch (event.EventType) {
    case 'OrchestratorStarted':
    case 'OrchestratorCompleted':
      return base;
    case 'ExecutionStarted':
      return {
        OrchestrationInstance: event.OrchestrationInstance,
        ParentInstance: event.ParentInstance,
        Name: event.Name,
        Version: event.Version,
        Input: event.Input,
        Tags: null,
        Correlation: null,
        ParentTraceContext: event.ParentTraceContext ?? null,
        ScheduledStartTime: null,
        Generation: event.Generation,
        GenerateNewTrace: false,
        ...base,
      };
    case 'TaskScheduled':
      return {
        Name: event.Name,
        Version: '',
        Input: null,
        ParentTraceContext: event.ParentTraceContext ?? null,
        Tags: null,
        ...base,
      };
    case 'SubOrchestrationInstanceCreated':
      return {
        Name: event.Name,
        Version: event.Version,
        InstanceId: event.InstanceId,
        Input: null,
        ClientSpanId: event.ClientSpanId ?? null,
        Tags: null,
        ...base,
      };
    case 'GenericEvent':
      return { Data: event.Data, ...base };
    case 'EventRaised':
      return { ParentTraceContext: null, ...event, ...base };
    default:
      return { ...event, ...base };
  }
}

function isContinuationMark(event: HistoryEvent): boolean {
  return event.EventType === 'OrchestratorCompleted' && event.Continuation === true;
}

/**
 * An event that the execution had written itself, and that a rewind replaced: on the real host it stays
 * unplayed.
 */
function isRewoundStep(event: HistoryEvent): boolean {
  return event.EventType === 'GenericEvent' && event.Reason !== undefined && !event.Reason.endsWith('Failed');
}
