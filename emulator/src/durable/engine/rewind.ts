import type { GenericEvent, HistoryEvent, Rewind, SubOrchestrationInstanceCreated } from '../history.js';
import { derivedGuid } from '../derived-guid.js';

/**
 * The history of a failed execution without its failures, so that the execution can continue. Events without
 * meaning replace the failures, the events that scheduled them, and the end of the execution. A failed
 * sub-orchestration stays scheduled, because it is rewound itself.
 */
export function rewoundHistory(history: readonly HistoryEvent[], rewind: Rewind): HistoryEvent[] {
  const failed = new Set(
    history.flatMap((event) => (event.EventType === 'TaskFailed' ? event.TaskScheduledId : [])),
  );
  return history.map((event) => {
    switch (event.EventType) {
      case 'TaskFailed':
      case 'SubOrchestrationInstanceFailed':
        return nothing(event);
      case 'TaskScheduled':
        return failed.has(event.EventId) ? nothing(event) : event;
      case 'ExecutionCompleted':
        return { ...nothing(event), Rewind: rewind };
      default:
        return event;
    }
  });
}

function nothing({ EventType, EventId, Timestamp }: HistoryEvent): GenericEvent {
  return { EventType: 'GenericEvent', EventId, Timestamp, Data: null, Reason: `Rewound: ${EventType}` };
}

/**
 * The rewind request for a sub-orchestration; undefined if the last rewind of its parent was before its
 * start.
 */
export function rewindOfChild(
  history: readonly HistoryEvent[],
  child: SubOrchestrationInstanceCreated,
): Rewind | undefined {
  const mark = history.findLastIndex(
    (event) => event.EventType === 'GenericEvent' && event.Rewind !== undefined,
  );
  if (mark < history.indexOf(child)) return undefined;
  const { id, reason } = (history[mark] as GenericEvent).Rewind!;
  return { id: derivedGuid(id, child.EventId), reason };
}
