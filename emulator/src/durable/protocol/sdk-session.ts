/**
 * Runs of orchestrator functions that stay in memory between episodes, in the process of the app. The executor
 * of durable-functions 3.x goes on where the last episode left it: it gets only the new events, through its own
 * `execute`, and its own generator again in place of a new one.
 */
import type { Handler } from '../../worker/core-api.js';
import type { SessionState } from '../../worker/types.js';
import { ACTION, type SdkAction } from './sdk-action-types.js';
import { isPlayedLater, type SdkEvent } from './sdk-events.js';

/** The part of the SDK's tasks that is used here. */
interface Task {
  isPlayed: boolean;
  parent?: Task;
}

/** The part of the SDK's `TaskOrchestrationExecutor` that is used here. */
interface Executor {
  readonly generator: unknown;
  readonly actions: readonly SdkAction[];
  readonly sequenceNumber: number;
  readonly schemaVersion: number;
  readonly openTasks: Readonly<Record<string, Task | undefined>>;
  readonly openEvents: Readonly<Record<string, readonly Task[] | undefined>>;
  setTaskValue(event: SdkEvent, isSuccess: boolean, idKey: string): void;
  execute(
    context: unknown,
    history: readonly SdkEvent[],
    schemaVersion: number,
    fn: () => unknown,
  ): Promise<unknown>;
}

/** The part of the SDK's answer that is used here. */
interface State {
  isDone: boolean;
  actions: readonly (readonly SdkAction[])[];
}

interface Trigger {
  history: SdkEvent[];
  isReplaying: boolean;
}

const ORCHESTRATOR_STARTED = 12;
/** A history with fewer events is searched faster than it is hidden. */
const SEARCHED = 32;

/** The place of the SDK's own context in the context of the function. */
interface Context {
  df?: { taskOrchestratorExecutor?: unknown };
}

/** A hook replaced the input of a resumed run, so the run cannot go on. */
export class SessionLostError extends Error {
  override name = 'SessionLostError';
}

/**
 * The function of an orchestrator, called so that the SDK does not search the whole history for times that are texts:
 * in `trigger` they are dates already. The SDK reads its input before it waits for anything. Hooks see the history.
 * @param trigger the input that the function gets; undefined for other functions, which are not changed
 */
export function sparingSearch(handler: Handler, trigger: unknown): Handler {
  if (trigger === undefined) return handler;
  return (input, context) => {
    const { history = [] } = trigger as Partial<Trigger>;
    if (input !== trigger || history.length < SEARCHED) return handler(input, context);
    Object.defineProperty(trigger, 'history', { enumerable: false });
    try {
      return handler(trigger, context);
    } finally {
      Object.defineProperty(trigger, 'history', { enumerable: true });
    }
  };
}

/** One run of an orchestrator function, over any number of episodes. */
export class SdkSession {
  readonly #handler: Handler;
  readonly #trigger: Trigger;
  readonly #reopen: () => void;
  #df: Context['df'];
  #executor: Executor | undefined;
  /** The SDK's last answer. */
  #state: unknown;
  /** How many of the actions the host has. */
  #sent = 0;
  /** The timers that are not cancelled, with their positions among all timers of the orchestrator. */
  #timers: { action: SdkAction; position: number }[] = [];
  #timerCount = 0;
  /** The position in the history of the first event that may not be marked as played. */
  #played = 0;
  /** The tasks that unplayed events have completed. */
  #completed: Task[] = [];

  /**
   * @param handler the function
   * @param trigger its input, which gets all later events too
   * @param reopen called before the run goes on: the context of the first invocation logs again
   */
  constructor(handler: Handler, trigger: unknown, reopen: () => void) {
    this.#handler = handler;
    this.#trigger = trigger as Trigger;
    this.#reopen = reopen;
  }

  /** How many events the run has had. */
  get events(): number {
    return this.#trigger.history.length;
  }

  /** The input of the function. Hooks see the whole history in it, also when the run is resumed. */
  get trigger(): unknown {
    return this.#trigger;
  }

  isOf(handler: Handler): boolean {
    return this.#handler === handler;
  }

  /** Runs the function from the beginning of its history. */
  readonly begin: Handler = async (trigger, context) => {
    // A hook has replaced the input. Such a run cannot be resumed.
    if (trigger !== this.#trigger) return this.#handler(trigger, context);
    // The SDK makes its own context during the run, and the run has to be observed from its first event on.
    Object.defineProperty(context, 'df', {
      configurable: true,
      enumerable: true,
      get: () => undefined,
      set: (df: Context['df']) => {
        Object.defineProperty(context, 'df', {
          configurable: true,
          enumerable: true,
          writable: true,
          value: df,
        });
        this.#observe(df);
      },
    });
    this.#played = this.#trigger.history.findLastIndex(({ EventType }) => EventType === ORCHESTRATOR_STARTED);
    this.#state = await sparingSearch(this.#handler, trigger)(trigger, context);
    return this.#state;
  };

  /** Continues the run with the next events. */
  resume(events: readonly SdkEvent[]): Handler {
    return async (trigger, context) => {
      if (trigger !== this.#trigger) throw new SessionLostError();
      this.#markPlayed();
      for (const event of events) this.#trigger.history.push(event);
      this.#trigger.isReplaying = true;
      this.#reopen();
      const { generator, schemaVersion } = this.#executor!;
      (context as Context).df = this.#df!;
      this.#state = await this.#executor!.execute(context, events, schemaVersion, () => generator);
      return this.#state;
    };
  }

  /** Whether a result, as the hooks have left it, is the SDK's own answer. */
  owns(result: unknown): boolean {
    const executor = this.#executor;
    if (executor === undefined || result !== this.#state) return false;
    const { actions } = (result ?? {}) as Partial<State>;
    return actions?.length === 1 && (actions[0] === executor.actions || executor.actions.length === 0);
  }

  /** Whether the orchestrator has not ended. */
  get goesOn(): boolean {
    return !(this.#state as State).isDone;
  }

  /** What has changed since the last call: the answer with its new actions only, and timers. */
  news(): { result: State; state: SessionState } {
    const { actions, sequenceNumber } = this.#executor!;
    const added = actions.slice(this.#sent);
    this.#sent = actions.length;
    this.#addTimers(added);
    const isCancelled = ({ action }: { action: SdkAction }): boolean => action.isCanceled === true;
    const cancelled = this.#timers.filter(isCancelled).map(({ position }) => position);
    if (cancelled.length > 0) this.#timers = this.#timers.filter((timer) => !isCancelled(timer));
    return { result: { ...(this.#state as State), actions: [added] }, state: { sequenceNumber, cancelled } };
  }

  #addTimers(actions: readonly SdkAction[]): void {
    for (const action of actions) {
      if (action.compoundActions !== undefined) this.#addTimers(action.compoundActions);
      else if (action.actionType === ACTION.CreateTimer)
        this.#timers.push({ action, position: this.#timerCount++ });
    }
  }

  #observe(df: Context['df']): void {
    const executor = df?.taskOrchestratorExecutor;
    // Another version of the SDK may have another executor. Then each episode replays the history.
    if (!isExecutor(executor)) return;
    this.#df = df;
    this.#executor = executor;
    const setTaskValue = executor.setTaskValue.bind(executor);
    executor.setTaskValue = (event, isSuccess, idKey) => {
      if (!event.IsPlayed) {
        const key = String(event[idKey]);
        const task = executor.openTasks[key] ?? executor.openEvents[key]?.at(-1);
        if (task !== undefined) this.#completed.push(task);
      }
      setTaskValue(event, isSuccess, idKey);
    };
  }

  /** The events of the last episode count as played from now on, as in a replay: user code reads `isReplaying`. */
  #markPlayed(): void {
    const { history } = this.#trigger;
    for (; this.#played < history.length; this.#played++) {
      const event = history[this.#played]!;
      if (isPlayedLater(event)) event.IsPlayed = true;
    }
    for (const task of this.#completed)
      for (let each: Task | undefined = task; each !== undefined; each = each.parent) each.isPlayed = true;
    this.#completed = [];
  }
}

function isExecutor(value: unknown): value is Executor {
  const { execute, setTaskValue, generator, actions, sequenceNumber, openTasks, openEvents } = (value ??
    {}) as Partial<Executor>;
  return (
    typeof execute === 'function' &&
    typeof setTaskValue === 'function' &&
    generator === undefined &&
    Array.isArray(actions) &&
    typeof sequenceNumber === 'number' &&
    typeof openTasks === 'object' &&
    typeof openEvents === 'object'
  );
}
