import {
  isOneWay,
  isPolled,
  LONGEST_TIMER,
  retryOf,
  TIMER_HOP,
  type Answer,
  type IdAction,
} from './actions.js';
import { Barriers } from './barriers.js';
import { refusal } from './diagnostics.js';
import { awaitedAnswer } from '../entities/entity-messages.js';
import type { EpisodeInput, TaskSlot } from './episode.js';
import type {
  EventSent,
  HistoryEvent,
  InboundEvent,
  JsonText,
  SubOrchestrationInstanceCreated,
  TaskScheduled,
  TimerCreated,
} from '../history.js';
import { isAccepted, readAccepted } from '../http/http-call.js';
import { checkReplay, NonDeterministicError } from './non-determinism.js';
import { replayed } from './replayed.js';
import { retryDelay } from './retry-delay.js';

type Expected = Omit<TaskSlot, 'id' | 'open' | 'created'>;

/**
 * Whether processing `event` may use task ids before the orchestrator's own code continues. Such an event has
 * to be the first of its episode; otherwise the emulator's count and the SDK's would differ. If the tasks are
 * unknown, the answer is true where in doubt.
 */
export function mayTakeIds(event: InboundEvent, idTaking: ReadonlySet<number> | undefined): boolean {
  switch (event.EventType) {
    case 'TaskFailed':
    case 'SubOrchestrationInstanceFailed':
      return idTaking?.has(event.TaskScheduledId) ?? true;
    case 'TaskCompleted':
      return isAccepted(event.Result) && (idTaking?.has(event.TaskScheduledId) ?? true);
    case 'TimerFired':
      return idTaking?.has(event.TimerId) ?? true;
    default:
      return false;
  }
}

/** Counts task ids like the SDK, and knows the open tasks. */
export class TaskIds {
  readonly slots: TaskSlot[] = [];
  /** Those that are open, that the history does not have yet, or that ended in this episode; in order. */
  readonly current = new Set<TaskSlot>();
  readonly #actions: IdAction[] = [];
  readonly #expected: Expected[] = [];
  readonly #barriers = new Barriers();
  /** The calls of entities, by the event names of their answers. */
  readonly #answers = new Map<string, number>();
  #assigned = 0;
  /** The time of the current episode. */
  now = 0;
  suspended = false;
  /** The reason of the termination, if there is one. */
  terminated: string | null | undefined;
  warnings: string[] = [];
  readonly #httpPollInterval: number;
  readonly #refusal: (action: IdAction) => string | undefined;
  /**
   * How many actions the extension has refused silently: the SDK has given them task ids, the host has not.
   */
  #refused = 0;
  /**
   * The ids that the SDK has assigned to calls which the host makes only after the timers before them have
   * fired.
   */
  readonly #reserved = new Set<number>();

  constructor(input: EpisodeInput) {
    this.#httpPollInterval = input.httpPollInterval;
    this.#refusal = (action) => refusal(action, input);
  }

  /** Adds actions of the orchestrator. They get their ids later. */
  add({ actions, compounds = [] }: Pick<Answer, 'actions' | 'compounds'>): void {
    this.#barriers.add(actions, compounds, this.#actions.length);
    for (const action of actions)
      if (action.kind !== 'event' && action.kind !== 'continueAsNew') this.#actions.push(action);
  }

  /** How many ids the SDK should have assigned. */
  get sequenceNumber(): number {
    return this.slots.length + this.#reserved.size + this.#refused;
  }

  /** How many of the orchestrator's own actions have an id. */
  get assigned(): number {
    return this.#assigned;
  }

  /**
   * The actions that the host does not make yet, see {@link Barriers}; undefined when it waits for nothing. To be read
   * when all ids are assigned.
   */
  held(came: (name: string) => number): ReadonlySet<IdAction> | undefined {
    const gate = this.#barriers.gate(() => ({
      open: new Set([...this.current].flatMap(({ open, action }) => (open ? [action] : []))),
      came,
    }));
    return gate === undefined ? undefined : new Set(this.#actions.slice(gate));
  }

  /** Whether an event of that name is the answer of an entity. */
  isAnswer(name: string): boolean {
    return this.#answers.has(name);
  }

  apply(event: HistoryEvent): void {
    switch (event.EventType) {
      case 'OrchestratorStarted':
        this.now = Math.max(this.now, Date.parse(event.Timestamp));
        break;
      case 'OrchestratorCompleted':
        if (event.ActionCount !== undefined) this.#assignWhile(() => this.#assigned < event.ActionCount!);
        break;
      case 'ExecutionSuspended':
        this.suspended = true;
        break;
      case 'ExecutionResumed':
        this.suspended = false;
        break;
      case 'ExecutionTerminated':
        this.terminated = event.Input;
        break;
      case 'TaskScheduled':
      case 'SubOrchestrationInstanceCreated':
      case 'TimerCreated':
      case 'EventSent':
        this.#created(event);
        break;
      case 'TaskCompleted':
        this.#completed(this.#close(event.TaskScheduledId), event.Result);
        break;
      case 'SubOrchestrationInstanceCompleted':
        this.#close(event.TaskScheduledId);
        break;
      case 'TaskFailed':
      case 'SubOrchestrationInstanceFailed':
        this.#failed(this.#close(event.TaskScheduledId));
        break;
      case 'TimerFired':
        this.#fired(this.#close(event.TimerId));
        break;
      case 'EventRaised':
        this.#answered(this.#close(this.#answers.get(event.Name)), event.Input);
        break;
      default:
        break;
    }
  }

  /**
   * Assigns the missing ids: first to the tasks that the host adds on its own, then to the orchestrator's new
   * actions.
   */
  assignAll(): void {
    this.#assignWhile(() => this.#assigned < this.#actions.length);
  }

  #assignWhile(more: () => boolean): void {
    while (this.#expected.length > 0 || more()) this.#assignNext();
  }

  #assignNext(): void {
    const expected = this.#expected.shift();
    const id = this.slots.length;
    if (this.#reserved.delete(id) && (expected?.role !== 'call' || expected.location === undefined)) {
      this.warnings.push(
        'callHttp was answered 202 and waits to ask again, and meanwhile something else was scheduled. The SDK has given the next task id to the ' +
          'repeated call already, the host has not: results will reach the wrong tasks, or none. Make such calls one at a time, or with enablePolling: false.',
      );
    }
    if (expected !== undefined) {
      this.#push({ ...expected, id, open: true, created: false });
      if (expected.role === 'pollTimer' && expected.location !== undefined) this.#reserved.add(id + 1);
      return;
    }
    const action = this.#actions[this.#assigned];
    if (action === undefined) {
      throw new NonDeterministicError(
        'Non-Deterministic workflow detected: The orchestrator asks for less than it had asked for while it was suspended.',
      );
    }
    this.#assigned++;
    const refused = this.#refusal(action);
    if (refused !== undefined) {
      this.#refused++;
      this.warnings.push(refused);
      return;
    }
    this.#push({
      id,
      action,
      role: action.kind === 'timer' ? 'timer' : 'call',
      attempt: 1,
      firstAttemptAt: this.now,
      fireAt: action.kind === 'timer' ? firstHop(action.fireAt, this.now) : 0,
      open: !isOneWay(action),
      created: false,
    });
  }

  #push(slot: TaskSlot): void {
    this.slots.push(slot);
    this.current.add(slot);
  }

  #created(event: TaskScheduled | SubOrchestrationInstanceCreated | TimerCreated | EventSent): void {
    while (this.slots.length <= event.EventId) {
      if (this.#expected.length === 0 && this.#assigned === this.#actions.length)
        checkReplay(event, undefined);
      this.#assignNext();
    }
    const slot = this.slots[event.EventId]!;
    checkReplay(event, replayed(slot));
    slot.created = true;
    if (event.EventType === 'TimerCreated') slot.fireAt = Date.parse(event.FireAt);
    const answer = event.EventType === 'EventSent' ? awaitedAnswer(event) : undefined;
    if (answer !== undefined) this.#answers.set(answer, event.EventId);
  }

  #close(id: number | undefined): TaskSlot | undefined {
    const slot = id === undefined ? undefined : this.slots[id];
    if (slot === undefined || !slot.open) return undefined;
    slot.open = false;
    return slot;
  }

  /** After a 202 the host waits and polls. */
  #completed(slot: TaskSlot | undefined, result: JsonText): void {
    if (slot?.action.kind !== 'http' || !isPolled(slot.action) || !isAccepted(result)) return;
    const { location, delay } = readAccepted(result!, this.#httpPollInterval);
    if (delay === undefined) {
      this.warnings.push(
        `${slot.action.call.uri} answered 202 with a Retry-After that is no number of seconds. The host gives up, but the SDK goes on waiting: ` +
          'this instance will wait for ever. Call with enablePolling: false.',
      );
      return;
    }
    if (location === undefined) {
      this.warnings.push(
        `${slot.action.call.uri} answered 202 without Location. The SDK takes that for the end, the host waits to ask again, and they count ` +
          'differently from here on: results will reach the wrong tasks, or none. Call with enablePolling: false.',
      );
    }
    this.#expected.push({ ...slot, role: 'pollTimer', fireAt: this.now + delay, location });
  }

  #failed(slot: TaskSlot | undefined): void {
    if (slot === undefined) return;
    const retry = retryOf(slot.action);
    if (retry === undefined) {
      this.#barriers.fail(slot.action);
      return;
    }
    // Also after the last failure: the SDK waits for one more timer before it gives up.
    const last = slot.attempt >= retry.maxNumberOfAttempts;
    const delay = last ? 0 : retryDelay(slot, retry, this.now);
    if (typeof delay === 'string') this.warnings.push(delay);
    else this.#expected.push({ ...slot, role: 'retryTimer', fireAt: this.now + delay });
  }

  #answered(slot: TaskSlot | undefined, answer: JsonText): void {
    if (slot !== undefined && answer?.includes('"exceptionType"') === true) this.#barriers.fail(slot.action);
  }

  #fired(slot: TaskSlot | undefined): void {
    if (slot === undefined) return;
    if (slot.role === 'pollTimer') {
      if (slot.location !== undefined) this.#expected.push({ ...slot, role: 'call' });
    } else if (slot.role === 'retryTimer') {
      if (slot.attempt < retryOf(slot.action)!.maxNumberOfAttempts)
        this.#expected.push({ ...slot, role: 'call', attempt: slot.attempt + 1 });
      else this.#barriers.fail(slot.action);
    } else if (slot.action.kind === 'timer' && slot.action.fireAt > this.now) {
      this.#expected.push({ ...slot, fireAt: firstHop(slot.action.fireAt, this.now) });
    }
  }
}

function firstHop(fireAt: number, now: number): number {
  return fireAt - now > LONGEST_TIMER ? now + TIMER_HOP : fireAt;
}
