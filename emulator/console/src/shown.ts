/** Turns a history of the emulator into the form that the timeline draws: one event for what has ended. */
import type { HistoryEvent as Shown, Instance } from '../../../web/timeline/index.js';
import type { HistoryEvent, InstanceView } from './api.js';

/** @param isWhole whether the input and the output are shown beside the timeline, so that it leaves them out */
export function timelineOf(view: InstanceView, isWhole = false): Instance {
  const { instanceId, name, status, created, updated, history } = view;
  return {
    instanceId,
    name,
    runtimeStatus: status,
    createdTime: created,
    lastUpdatedTime: updated,
    historyEvents: shown(history).map((event) => (isWhole ? withoutPayload(event) : event)),
  };
}

function shown(history: readonly HistoryEvent[]): Shown[] {
  const scheduled = new Map<number, HistoryEvent>();
  const ended = new Set<HistoryEvent>();
  for (const event of history) {
    if (isScheduling(event)) scheduled.set(event.EventId, event);
    const start = event.TaskScheduledId === undefined ? undefined : scheduled.get(event.TaskScheduledId);
    if (start !== undefined) ended.add(start);
  }
  return history
    .filter((event) => !ended.has(event))
    .map((event) => {
      const start = event.TaskScheduledId === undefined ? undefined : scheduled.get(event.TaskScheduledId);
      const { Result, ...rest } = event;
      return {
        ...rest,
        ...(Result !== undefined && { Result: parsed(Result) }),
        ...(start !== undefined && {
          ScheduledTime: start.Timestamp,
          FunctionName: start.Name ?? null,
          Input: start.Input ?? null,
          ...(start.InstanceId !== undefined && { InstanceId: start.InstanceId }),
        }),
      };
    });
}

function withoutPayload(event: Shown): Shown {
  if (event.EventType !== 'ExecutionStarted' && event.EventType !== 'ExecutionCompleted') return event;
  const { Input: _, Result: __, ...rest } = event;
  return rest;
}

function isScheduling({ EventType }: HistoryEvent): boolean {
  return EventType === 'TaskScheduled' || EventType === 'SubOrchestrationInstanceCreated';
}

/** The value of a JSON text; a text that is none stays as it is. */
function parsed(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
