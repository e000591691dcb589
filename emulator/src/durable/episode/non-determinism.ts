import type {
  EventSent,
  HistoryEvent,
  SubOrchestrationInstanceCreated,
  TaskScheduled,
  TimerCreated,
} from '../history.js';

/** The orchestrator's code does not follow its history. The message is the real host's. */
export class NonDeterministicError extends Error {
  override name = 'NonDeterministicError';

  /** @param taskId the task id that belongs to another task, if it is known */
  constructor(
    message: string,
    readonly taskId?: number,
  ) {
    super(message);
  }
}

/** Describes the orchestrator's action with a task id, in the framework's words. */
export interface Replayed {
  action:
    | 'ScheduleTaskOrchestratorAction'
    | 'CreateSubOrchestrationAction'
    | 'CreateTimerOrchestratorAction'
    | 'SendEventOrchestratorAction';
  /** The name of the activity, sub-orchestration or event. */
  name: string;
}

type Created = TaskScheduled | SubOrchestrationInstanceCreated | TimerCreated | EventSent;

/** The framework's texts begin so. */
export const NON_DETERMINISTIC = 'Non-Deterministic workflow detected: ';
const DETECTED = `${NON_DETERMINISTIC}A previous execution of this orchestration scheduled`;
const QUESTION =
  'Was a change made to the orchestrator code after this instance had already started running?';
const ACTIONS: Record<Created['EventType'], Replayed['action']> = {
  TaskScheduled: 'ScheduleTaskOrchestratorAction',
  SubOrchestrationInstanceCreated: 'CreateSubOrchestrationAction',
  TimerCreated: 'CreateTimerOrchestratorAction',
  EventSent: 'SendEventOrchestratorAction',
};

/**
 * The framework's text about an episode in which the orchestrator has scheduled nothing, because the
 * extension could not use its answer.
 *
 * @returns undefined when nothing was scheduled before, either
 */
export function nothingScheduled(history: readonly HistoryEvent[]): string | undefined {
  const first = history.find((event): event is Created => Object.hasOwn(ACTIONS, event.EventType));
  return first && `${DETECTED} ${describe(first, undefined, false)}`;
}

/**
 * Compares the task that the history has with the orchestrator's action: type, and name in any case. The
 * framework has four different texts for the mismatch; these are its texts.
 * @throws NonDeterministicError
 */
export function checkReplay(event: Created, now: Replayed | undefined): void {
  const other = now !== undefined && now.action !== ACTIONS[event.EventType];
  if (
    now !== undefined &&
    !other &&
    (event.EventType === 'TimerCreated' || event.Name.toLowerCase() === now.name.toLowerCase())
  )
    return;
  throw new NonDeterministicError(`${DETECTED} ${describe(event, now, other)}`, event.EventId);
}

function describe(event: Created, now: Replayed | undefined, other: boolean): string {
  const id = event.EventId;
  switch (event.EventType) {
    case 'TaskScheduled':
      if (now === undefined)
        return `an activity task with sequence ID ${id} and name '${event.Name}' (version ''), but ${unscheduled}`;
      return `an activity task with sequence number ${id} named '${event.Name}', but the current orchestration replay instead ${
        other
          ? `produced a ${now.action} action with this sequence number. ${QUESTION}`
          : `scheduled an activity task named '${now.name}' with this sequence number.  ${QUESTION}`
      }`;
    case 'TimerCreated':
      return `a timer task with sequence number ${id} ${
        now === undefined
          ? `but ${unscheduled}`
          : `named but the current orchestration replay instead produced a ${now.action} action with this sequence number. ${QUESTION}`
      }`;
    case 'SubOrchestrationInstanceCreated': {
      const before = `a sub-orchestration task with sequence ID ${id} and name '${event.Name}' (version '${event.Version ?? ''}', instance ID '${event.InstanceId}'), but `;
      if (now === undefined) return before + unscheduled;
      return (
        `${before}the current orchestration replay instead ${other ? `produced a ${now.action} action` : `scheduled a sub-orchestration task with name ${now.name}`} ` +
        `at this sequence number. ${QUESTION}`
      );
    }
    case 'EventSent': {
      const before = (comma: string): string =>
        `a send event task with sequence ID ${id}, type 'EventSent'${comma} name '${event.Name}', instance ID '${event.InstanceId}'`;
      if (now === undefined) return `${before('')}, but ${unscheduled}`;
      return other
        ? `${before(',')}, but the current orchestration replay instead scheduled a ${now.action} task at this sequence number. ${QUESTION}`
        : `${before(',')}), but the current orchestration replay instead scheduled a send event task with name ${now.name}at this sequence number. ${QUESTION}`;
    }
  }
}

const unscheduled = `the current replay execution hasn't (yet?) scheduled this task. ${QUESTION}`;
