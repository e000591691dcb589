/** What the management API says of an instance and of its history, as recorded from a real host. */
import type { HistoryEvent, JsonText } from './history.js';
import type { InstanceRecord } from './task-hub.js';

export interface StatusOptions {
  showInput: boolean;
  /** Leave out what stands between: only for one instance. */
  history?: { events: readonly HistoryEvent[]; showOutput: boolean; showInputs: boolean };
}

/** The status of an instance. The order of the keys is the real host's. */
export function statusBody(record: InstanceRecord, options: StatusOptions): Record<string, unknown> {
  return {
    name: record.name,
    instanceId: record.instanceId,
    runtimeStatus: record.runtimeStatus,
    input: options.showInput ? decoded(record.input) : null,
    customStatus: decoded(record.customStatus),
    output: record.runtimeStatus === 'Completed' ? decoded(record.output) : record.output,
    createdTime: seconds(record.createdTime),
    lastUpdatedTime: seconds(record.lastUpdatedTime),
    ...(options.history && { historyEvents: historyBody(options.history.events, options.history.showOutput, options.history.showInputs) }),
  };
}

/** JSON where the text is JSON, else the text. */
export function decoded(text: JsonText): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function seconds(time: string): string {
  return `${time.slice(0, 19)}Z`;
}

function historyBody(events: readonly HistoryEvent[], showOutput: boolean, showInputs: boolean): Record<string, unknown>[] {
  type Scheduled = Extract<HistoryEvent, { EventType: 'TaskScheduled' | 'SubOrchestrationInstanceCreated' }>;
  const scheduled = new Map<number, Scheduled>();
  const ended = new Set<number>();
  for (const event of events) {
    if (event.EventType === 'TaskScheduled' || event.EventType === 'SubOrchestrationInstanceCreated') scheduled.set(event.EventId, event);
    if ('TaskScheduledId' in event) ended.add(event.TaskScheduledId);
  }
  const result = (text: string | null): Record<string, unknown> => (showOutput ? { Result: decoded(text) } : {});
  const origin = (id: number): Record<string, unknown> => {
    const of = scheduled.get(id);
    return { ScheduledTime: of?.Timestamp.replace(/Z$/, '+00:00'), FunctionName: of?.Name, Input: showInputs ? of?.Input ?? null : null };
  };

  const body: Record<string, unknown>[] = [];
  for (const event of events) {
    const { EventType, Timestamp } = event;
    switch (EventType) {
      case 'OrchestratorStarted': case 'OrchestratorCompleted': break;
      case 'ExecutionStarted':
        body.push({
          EventType, Input: event.Input, Correlation: null, ParentTraceContext: null, ScheduledStartTime: null, Generation: event.Generation,
          GenerateNewTrace: false, Timestamp, FunctionName: event.Name,
        });
        break;
      case 'TaskScheduled':
        if (!ended.has(event.EventId)) body.push({ EventType, Name: event.Name, Input: null, ParentTraceContext: null, Tags: null, Timestamp });
        break;
      case 'SubOrchestrationInstanceCreated':
        if (!ended.has(event.EventId)) body.push({ EventType, Name: event.Name, InstanceId: event.InstanceId, Input: null, ClientSpanId: null, Tags: null, Timestamp });
        break;
      case 'TaskCompleted': case 'SubOrchestrationInstanceCompleted':
        body.push({ EventType, ...result(event.Result), Timestamp, ...origin(event.TaskScheduledId) });
        break;
      case 'TaskFailed': case 'SubOrchestrationInstanceFailed':
        body.push({ EventType, Reason: event.Reason, Details: event.Details, FailureDetails: event.FailureDetails, Timestamp, ...origin(event.TaskScheduledId) });
        break;
      case 'TimerCreated': case 'TimerFired': body.push({ EventType, FireAt: event.FireAt, Timestamp }); break;
      case 'EventSent': body.push({ EventType, InstanceId: event.InstanceId, Name: event.Name, Input: event.Input, Timestamp }); break;
      case 'EventRaised': body.push({ EventType, Name: event.Name, Input: event.Input, ParentTraceContext: null, Timestamp }); break;
      case 'ExecutionTerminated': body.push({ EventType, Input: event.Input, Timestamp }); break;
      case 'ExecutionSuspended': case 'ExecutionResumed': body.push({ EventType, Reason: event.Reason, Timestamp }); break;
      case 'GenericEvent': body.push({ EventType, Data: event.Data, Timestamp }); break;
      case 'ExecutionCompleted':
        body.push({ EventType, OrchestrationStatus: event.OrchestrationStatus, ...result(event.Result), FailureDetails: null, Timestamp });
        break;
    }
  }
  return body;
}
