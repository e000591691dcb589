import type { ExecutionStarted, HistoryEvent, InboundEvent, JsonText } from '../history.js';
import { timestamp } from '../history.js';
import type { EpisodeResult } from '../episode/episode.js';
import type { ShownEvent, ShownHistory } from './recorded-history.js';
import { UnreadableHistoryError } from './recorded-history.js';

type Scheduled = Extract<
  HistoryEvent,
  { EventType: 'TaskScheduled' | 'SubOrchestrationInstanceCreated' | 'TimerCreated' | 'EventSent' }
>;

/** The event type that schedules the task which an event type ends. */
const SCHEDULED_BY: Readonly<Record<string, Scheduled['EventType']>> = {
  TaskScheduled: 'TaskScheduled',
  TaskCompleted: 'TaskScheduled',
  TaskFailed: 'TaskScheduled',
  SubOrchestrationInstanceCreated: 'SubOrchestrationInstanceCreated',
  SubOrchestrationInstanceCompleted: 'SubOrchestrationInstanceCreated',
  SubOrchestrationInstanceFailed: 'SubOrchestrationInstanceCreated',
  TimerCreated: 'TimerCreated',
  EventSent: 'EventSent',
};

/** The first event of a shown history. @throws UnreadableHistoryError */
export function shownStart({
  instanceId,
  version = null,
  parentInstanceId: parent = null,
  historyEvents,
}: ShownHistory): ExecutionStarted {
  const start = historyEvents.find(({ EventType }) => EventType === 'ExecutionStarted');
  if (start === undefined) throw new UnreadableHistoryError('There is no ExecutionStarted in this history.');
  if (!('Input' in start))
    throw new UnreadableHistoryError('This history has no inputs: get it with showInput=true.');
  return {
    EventType: 'ExecutionStarted',
    EventId: -1,
    Timestamp: start.Timestamp,
    Name: String(start['FunctionName']),
    Version: version,
    Input: readInput(start['Input'] as JsonText),
    OrchestrationInstance: { InstanceId: instanceId, ExecutionId: '' },
    // Orchestrators see the id alone.
    ParentInstance:
      parent === null
        ? null
        : {
            Name: '',
            OrchestrationInstance: { InstanceId: parent, ExecutionId: '' },
            TaskScheduleId: 0,
            Version: null,
          },
    Generation: 0,
  };
}

/** @throws UnreadableHistoryError for the address of a blob, which a host can show in place of a large input */
function readInput(input: JsonText): JsonText {
  if (input !== null) {
    try {
      JSON.parse(input);
    } catch {
      throw new UnreadableHistoryError('The input is not JSON. The host may keep it in a blob.');
    }
  }
  return input;
}

/**
 * Restores the parts of a history that the management API leaves out: episodes, task ids, and the place of
 * each call. It runs today's code, one event an episode, and searches the history for each task that the code
 * schedules.
 */
export async function rebuild(
  shown: ShownHistory,
  run: (history: readonly HistoryEvent[], inbound: readonly HistoryEvent[]) => Promise<EpisodeResult>,
  mismatch: (what: string, step?: number) => Error,
): Promise<HistoryEvent[]> {
  const calls = new Calls(shown.historyEvents);
  const history: HistoryEvent[] = [];
  let time = 0;
  for (const seen of shown.historyEvents) {
    if (seen.EventType === 'ExecutionCompleted') {
      history.push({
        EventType: 'ExecutionCompleted',
        EventId: -1,
        Timestamp: seen.Timestamp,
        OrchestrationStatus: seen['OrchestrationStatus'] as 'Completed',
        Result: null,
      });
      continue;
    }
    if (seen.EventType in INBOUND) {
      const id = calls.idOf(seen);
      if (id === undefined)
        throw mismatch(
          `The history has the end of ${calls.describe(seen)} at ${seen.Timestamp}, before today's code has scheduled it.`,
        );
      const event = seen.EventType === 'ExecutionStarted' ? shownStart(shown) : inboundEvent(seen, id);
      // The event's time is the time at which the timer was created.
      time = Math.max(time, Date.parse(event.EventType === 'TimerFired' ? event.FireAt : event.Timestamp));
      const inbound: HistoryEvent[] = [
        { EventType: 'OrchestratorStarted', EventId: -1, Timestamp: timestamp(time) },
        event,
      ];
      const { append } = await run(history, inbound);
      for (const added of append.slice(inbound.length)) {
        if (added.EventType === 'ExecutionCompleted' || added.EventType === 'OrchestratorCompleted') continue;
        const found = calls.take(added as Scheduled);
        if (found === undefined)
          throw mismatch(
            `Today's code schedules ${describe(added)} with sequence number ${added.EventId}, and the history has no such call there.`,
            added.EventId,
          );
        inbound.push(found);
      }
      history.push(...inbound);
    }
  }
  const [left] = calls.left().filter((event) => !isRelease(event));
  if (left !== undefined)
    throw mismatch(`The history has ${calls.describe(left)}, which today's code does not schedule.`);
  return history;
}

/** The scheduled tasks of a shown history. */
class Calls {
  /** By kind and name, in the order in which they were scheduled. */
  readonly #waiting = new Map<string, ShownEvent[]>();
  readonly #ids = new Map<ShownEvent, number>();

  constructor(events: readonly ShownEvent[]) {
    for (const event of events
      .filter(({ EventType }) => EventType in SCHEDULED_BY)
      .toSorted((a, b) => (scheduledAt(a) < scheduledAt(b) ? -1 : 1))) {
      const key = keyOf(SCHEDULED_BY[event.EventType]!, nameOf(event));
      this.#waiting.set(key, [...(this.#waiting.get(key) ?? []), event]);
    }
  }

  /** The event of `added`, completed with data from the history. */
  take(added: Scheduled): Scheduled | undefined {
    const found = this.#waiting.get(keyOf(added.EventType, 'Name' in added ? added.Name : ''))?.shift();
    if (found === undefined) return undefined;
    this.#ids.set(found, added.EventId);
    switch (added.EventType) {
      case 'TimerCreated':
        return { ...added, FireAt: found['FireAt'] as string };
      // It contains the id of the answer.
      case 'EventSent':
        return { ...added, Input: found['Input'] as string };
      default:
        return added;
    }
  }

  /**
   * The id of the task that an event ends; -1 if it ends none; undefined if that task is not scheduled yet.
   */
  idOf(event: ShownEvent): number | undefined {
    if (event.EventType === 'TimerFired') {
      const timer = [...this.#ids.keys()].find(
        ({ EventType, FireAt }) => EventType === 'TimerCreated' && FireAt === event['FireAt'],
      );
      const id = timer === undefined ? undefined : this.#ids.get(timer);
      // Each of two timers for the same time fires once.
      if (timer !== undefined) this.#ids.delete(timer);
      return id;
    }
    return event.EventType in SCHEDULED_BY ? this.#ids.get(event) : -1;
  }

  left(): ShownEvent[] {
    return [...this.#waiting.values()].flat();
  }

  describe(event: ShownEvent): string {
    const kind = SCHEDULED_BY[event.EventType] ?? 'TimerCreated';
    return describe({ EventType: kind, Name: nameOf(event) } as HistoryEvent);
  }
}

function nameOf(event: ShownEvent): string {
  return ((event['FunctionName'] ?? event['Name']) as string | undefined) ?? '';
}

/** Its digits below the millisecond distinguish calls that were made at the same time. */
function scheduledAt({ ScheduledTime, Timestamp }: ShownEvent): string {
  return ((ScheduledTime ?? Timestamp) as string).replace(/(Z|\+00:00)$/, '');
}

function keyOf(kind: string, name: string): string {
  return `${kind}/${name.toLowerCase()}`;
}

type Fields = (event: ShownEvent, id: number) => object;
const completed: Fields = (event, id) => {
  if (!('Result' in event))
    throw new UnreadableHistoryError('This history has no results: get it with showHistoryOutput=true.');
  return { TaskScheduledId: id, Result: event['Result'] === null ? null : JSON.stringify(event['Result']) };
};
const failed: Fields = ({ Reason, Details, FailureDetails }, id) => ({
  TaskScheduledId: id,
  Reason,
  Details,
  FailureDetails,
});

/** The fields of inbound events besides type and time. */
const INBOUND: Readonly<Record<string, Fields>> = {
  ExecutionStarted: () => ({}),
  TaskCompleted: completed,
  SubOrchestrationInstanceCompleted: completed,
  TaskFailed: failed,
  SubOrchestrationInstanceFailed: failed,
  TimerFired: ({ FireAt }, id) => ({ TimerId: id, FireAt }),
  EventRaised: ({ Name, Input }) => ({ Name, Input }),
  ExecutionTerminated: ({ Input }) => ({ Input }),
  ExecutionSuspended: ({ Reason }) => ({ Reason }),
  ExecutionResumed: ({ Reason }) => ({ Reason }),
  GenericEvent: ({ Data }) => ({ Data }),
};

function inboundEvent(event: ShownEvent, id: number): InboundEvent {
  return {
    EventType: event.EventType,
    EventId: -1,
    Timestamp: event.Timestamp,
    ...INBOUND[event.EventType]!(event, id),
  } as InboundEvent;
}

/** Whether an event releases a lock: the orchestrator did, or the host at the orchestrator's end. */
export function isRelease(event: ShownEvent | HistoryEvent): boolean {
  return event.EventType === 'EventSent' && event.Name === 'release';
}

/** Describes the task that an event schedules. */
export function describe(event: HistoryEvent): string {
  switch (event.EventType) {
    case 'TaskScheduled':
      return `the activity '${event.Name}'`;
    case 'SubOrchestrationInstanceCreated':
      return `the sub-orchestration '${event.Name}'`;
    case 'TimerCreated':
      return 'a timer';
    case 'EventSent':
      return `the event '${event.Name}'`;
    default:
      return event.EventType;
  }
}
