import { ActionType } from 'durable-functions/lib/src/actions/ActionType.js';
import { HistoryEventType } from 'durable-functions/lib/src/history/HistoryEventType.js';

/** The part of an orchestrator's trigger that is read here. */
export interface Trigger {
  instanceId: string;
  parentInstanceId?: string | null;
  history: readonly HistoryEvent[];
}

interface HistoryEvent {
  EventType: HistoryEventType;
  Timestamp: string | Date;
  /**
   * Of the first event: 0 if a client started the instance; null for a sub-orchestration and after
   * continue-as-new.
   */
  Generation?: number | null;
}

/** The part of the Durable SDK's answer that is read here. */
export interface State {
  isDone: boolean;
  /** All actions of the orchestrator since its start, in order. */
  actions: readonly (readonly Action[])[];
}

interface Action {
  actionType: ActionType;
  /** Of `Task.all` and `Task.any`. */
  compoundActions?: readonly Action[];
}

/** The result of one run of an orchestrator, without the parts that only repeat earlier runs. */
export interface Episode {
  instanceId: string;
  /** Whether the workflow began with this run. An execution after continue-as-new is no beginning. */
  began: boolean;
  /**
   * The state of the workflow after the run. `waiting`: only for an event or a timer, with no task of its own
   * running.
   */
  left: 'working' | 'waiting' | 'continuing' | 'completed' | 'failed';
  /** Seconds since the workflow began, by the times in its history. Undefined after continue-as-new. */
  age: number | undefined;
}

/** @param state `undefined` when the orchestrator threw */
export function readEpisode(
  { instanceId, parentInstanceId, history }: Trigger,
  state: State | undefined,
): Episode {
  // The events after the last of these are new. Earlier runs have seen the others.
  const turn = history.findLastIndex(({ EventType }) => EventType === HistoryEventType.OrchestratorStarted);
  const start = history.findIndex(({ EventType }) => EventType === HistoryEventType.ExecutionStarted);
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
  // It waits for its last action.
  const last = state.actions.flat().at(-1);
  if (state.isDone) return last?.actionType === ActionType.ContinueAsNew ? 'continuing' : 'completed';
  return last !== undefined && isWait(last) ? 'waiting' : 'working';
}

function isWait({ actionType, compoundActions }: Action): boolean {
  return compoundActions === undefined
    ? actionType === ActionType.CreateTimer || actionType === ActionType.WaitForExternalEvent
    : compoundActions.every(isWait);
}
