/** What the host hands to an orchestrator, as far as it is read here. */
export interface Trigger {
  instanceId: string;
  parentInstanceId?: string | null;
  history: readonly HistoryEvent[];
}

interface HistoryEvent {
  EventType: number;
  Timestamp: string | Date;
  /** Of the first event: 0 where a client started the instance, null for a child and for an execution that continues another. */
  Generation?: number | null;
}

/** What the Durable SDK answers, as far as it is read here. */
export interface State {
  isDone: boolean;
  /** All that the orchestrator has asked for since its start, in order. */
  actions: readonly (readonly Action[])[];
}

interface Action {
  actionType: number;
  /** Of `Task.all` and `Task.any`. */
  compoundActions?: readonly Action[];
}

/** What one run of an orchestrator over its history came to, beside what is only a repeat of earlier ones. */
export interface Episode {
  instanceId: string;
  /** The workflow began with it. An execution that continues another as new is no beginning. */
  began: boolean;
  /** How it left the workflow: `waiting` for somebody or for a moment, with nothing of its own under way. */
  left: 'working' | 'waiting' | 'continuing' | 'completed' | 'failed';
  /** Seconds since the workflow began, on the clock of its history. Unknown once it has continued as new. */
  age: number | undefined;
}

const EXECUTION_STARTED = 0;
const ORCHESTRATOR_STARTED = 12;
const CONTINUE_AS_NEW = 4;
const CREATE_TIMER = 5;
const WAIT_FOR_EVENT = 6;

/** @param state `undefined` when the orchestrator threw */
export function readEpisode(
  { instanceId, parentInstanceId, history }: Trigger,
  state: State | undefined,
): Episode {
  // What follows the last of these is new; all before was there in earlier runs too.
  const turn = history.findLastIndex(({ EventType }) => EventType === ORCHESTRATOR_STARTED);
  const start = history.findIndex(({ EventType }) => EventType === EXECUTION_STARTED);
  const continued = history[start]?.Generation === null && (parentInstanceId ?? null) === null;
  const seconds =
    (new Date(history[turn]!.Timestamp).getTime() - new Date(history[start]!.Timestamp).getTime()) / 1000;
  return {
    instanceId,
    began: start > turn && !continued,
    left: leaving(state),
    age: continued ? undefined : Math.max(0, seconds),
  };
}

function leaving(state: State | undefined): Episode['left'] {
  if (state === undefined) return 'failed';
  // The last thing that it asked for is what it waits for.
  const last = state.actions.flat().at(-1);
  if (state.isDone) return last?.actionType === CONTINUE_AS_NEW ? 'continuing' : 'completed';
  return last !== undefined && isWait(last) ? 'waiting' : 'working';
}

function isWait({ actionType, compoundActions }: Action): boolean {
  return compoundActions === undefined
    ? actionType === CREATE_TIMER || actionType === WAIT_FOR_EVENT
    : compoundActions.every(isWait);
}
