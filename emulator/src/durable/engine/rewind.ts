import type { GenericEvent, HistoryEvent, Rewind, SubOrchestrationInstanceCreated } from '../history.js';
import { derivedGuid } from '../derived-guid.js';

/**
 * The history of a failed execution as if nothing in it had failed, and so ready to go on: what failed, what scheduled it and
 * the end of the execution make room for events that mean nothing. A sub-orchestration stays scheduled, to be rewound itself.
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

/** What a sub-orchestration has to be sent, when the last rewinding of its parent was to rewind it, too. */
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
