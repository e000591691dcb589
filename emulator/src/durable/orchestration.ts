/**
 * One episode of an orchestration, without I/O: from its history, what came in and what the SDK answered, to what has to
 * be appended and done.
 *
 * The SDK's answers name no task ids; both sides count them. {@link Ledger} is our side of that count. It is rebuilt from
 * the history at every episode, so that a restarted host needs nothing that is not in the history.
 */
import { createHash } from 'node:crypto';
import {
  awaitedAnswer, entityInstanceId, parseEntityId, releaseMessage, releaseText, requestMessage, requestText, sentTo,
  type EntityId, type EntityRequest, type Outgoing,
} from './entity-messages.js';
import type {
  EventSent, ExecutionCompleted, ExecutionStarted, HistoryEvent, InboundEvent, JsonText, OrchestratorCompleted,
  OrchestratorStarted, SubOrchestrationInstanceCreated, TaskScheduled, TimerCreated,
} from './history.js';
import { timestamp } from './history.js';
import { HTTP_ACTIVITY, httpInput, isAccepted, readAccepted, statusCall, type HttpCall } from './http-call.js';
import { label } from './message-sorter.js';
import type { Replayed } from './non-determinism.js';
import { checkReplay, NonDeterministicError } from './non-determinism.js';
import type { Message } from './task-hub.js';

/** Intervals are milliseconds. */
export interface RetryOptions {
  firstRetryInterval: number;
  maxNumberOfAttempts: number;
  backoffCoefficient: number;
  maxRetryInterval: number;
  retryTimeout: number;
}

/** What an orchestrator asked for, in the order in which it did. */
export type Action =
  | { kind: 'activity'; name: string; input: JsonText; retry?: RetryOptions }
  | { kind: 'subOrchestration'; name: string; input: JsonText; instanceId?: string; version?: string; retry?: RetryOptions }
  | { kind: 'http'; call: HttpCall }
  | { kind: 'timer'; fireAt: number; cancelled: boolean }
  | { kind: 'event'; name: string }
  /** On an entity, `target` being its instance id; a signal is not answered. */
  | { kind: 'operation'; target: string; name: string; input: JsonText; signal: boolean }
  | { kind: 'lock'; entities: EntityId[] }
  /** Of one of the entities that were locked before. */
  | { kind: 'release'; target: string }
  | { kind: 'continueAsNew'; input: JsonText };

/** The actions that take a task id. */
type IdAction = Exclude<Action, { kind: 'event' | 'continueAsNew' }>;

/** What the orchestrator function answered: all actions since the start of the execution, not only the new ones. */
export interface Answer {
  done: boolean;
  actions: Action[];
  output: JsonText;
  /** The text of an uncaught error. */
  error?: string;
  /** What the SDK itself gave up with, e.g. on an event that it cannot read. Then nothing else of the answer counts. */
  unreadable?: string;
  customStatus: JsonText;
  /** How many ids the SDK has given out, where it can be seen. */
  sequenceNumber?: number;
  /** What the host noticed about the answer and a person should hear, e.g. a task that was yielded twice. */
  warnings: string[];
}

/** Timers longer than this are made in hops, as production makes them (`maximumShortTimerDuration`, six days). */
export const LONGEST_TIMER = 6 * 86_400_000;
/** The length of a hop (`longRunningTimerIntervalDuration`, three days). */
export const TIMER_HOP = 3 * 86_400_000;

interface Slot {
  id: number;
  action: IdAction;
  role: 'call' | 'timer' | 'retryTimer' | 'pollTimer';
  /** Which attempt of a retried call this is, or follows; from 1. */
  attempt: number;
  /** When the first attempt was scheduled. */
  firstAttemptAt: number;
  /** For timers: when this one (or this hop) fires. */
  fireAt: number;
  /** Where an HTTP call asks again, after the timer that this is or follows. */
  location?: string;
  open: boolean;
  /** Whether the history has the event that schedules it. */
  created: boolean;
}

type Expected = Omit<Slot, 'id' | 'open' | 'created'>;

/** Counts task ids as the SDK does, and knows which tasks are open. */
class Ledger {
  readonly slots: Slot[] = [];
  readonly #actions: IdAction[];
  readonly #expected: Expected[] = [];
  /** Under which names answers of entities come, and to which calls. */
  readonly #answers = new Map<string, number>();
  #assigned = 0;
  /** Time of the current episode. */
  now = 0;
  suspended = false;
  /** With which reason, if any. */
  terminated: string | null | undefined;
  warnings: string[] = [];
  readonly #httpPollInterval: number;
  /** Ids that the SDK has given to calls that the host makes only when the timers before them have fired. */
  readonly #reserved = new Set<number>();

  constructor(actions: readonly Action[], httpPollInterval: number) {
    this.#httpPollInterval = httpPollInterval;
    this.#actions = actions.filter((action): action is IdAction => action.kind !== 'event' && action.kind !== 'continueAsNew');
  }

  /** How many ids the SDK should have given out. */
  get sequenceNumber(): number {
    return this.slots.length + this.#reserved.size;
  }

  /** How many of the orchestrator's own actions have an id. */
  get assigned(): number {
    return this.#assigned;
  }

  apply(event: HistoryEvent): void {
    switch (event.EventType) {
      case 'OrchestratorStarted': this.now = Math.max(this.now, Date.parse(event.Timestamp)); break;
      case 'OrchestratorCompleted':
        if (event.ActionCount !== undefined) this.#assignWhile(() => this.#assigned < event.ActionCount!);
        break;
      case 'ExecutionSuspended': this.suspended = true; break;
      case 'ExecutionResumed': this.suspended = false; break;
      case 'ExecutionTerminated': this.terminated = event.Input; break;
      case 'TaskScheduled': case 'SubOrchestrationInstanceCreated': case 'TimerCreated': case 'EventSent': this.#created(event); break;
      case 'TaskCompleted': this.#completed(this.#close(event.TaskScheduledId), event.Result); break;
      case 'SubOrchestrationInstanceCompleted': this.#close(event.TaskScheduledId); break;
      case 'TaskFailed': case 'SubOrchestrationInstanceFailed': this.#failed(this.#close(event.TaskScheduledId)); break;
      case 'TimerFired': this.#fired(this.#close(event.TimerId)); break;
      case 'EventRaised': this.#close(this.#answers.get(event.Name)); break;
      default: break;
    }
  }

  /** Gives ids to everything that has none: first to what the host adds on its own, then to the orchestrator's new actions. */
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
      this.warnings.push('callHttp was answered 202 and waits to ask again, and meanwhile something else was scheduled. The SDK has given the next task id to the '
        + 'repeated call already, the host has not: results will reach the wrong tasks, or none. Make such calls one at a time, or with enablePolling: false.');
    }
    if (expected !== undefined) {
      this.slots.push({ ...expected, id, open: true, created: false });
      if (expected.role === 'pollTimer' && expected.location !== undefined) this.#reserved.add(id + 1);
      return;
    }
    const action = this.#actions[this.#assigned];
    if (action === undefined) {
      throw new NonDeterministicError('Non-Deterministic workflow detected: The orchestrator asks for less than it had asked for while it was suspended.');
    }
    this.#assigned++;
    this.slots.push({
      id, action, role: action.kind === 'timer' ? 'timer' : 'call', attempt: 1, firstAttemptAt: this.now,
      fireAt: action.kind === 'timer' ? firstHop(action.fireAt, this.now) : 0, open: !isOneWay(action), created: false,
    });
  }

  #created(event: TaskScheduled | SubOrchestrationInstanceCreated | TimerCreated | EventSent): void {
    while (this.slots.length <= event.EventId) {
      if (this.#expected.length === 0 && this.#assigned === this.#actions.length) checkReplay(event, undefined);
      this.#assignNext();
    }
    const slot = this.slots[event.EventId]!;
    checkReplay(event, replayed(slot));
    slot.created = true;
    if (event.EventType === 'TimerCreated') slot.fireAt = Date.parse(event.FireAt);
    const answer = event.EventType === 'EventSent' ? awaitedAnswer(event) : undefined;
    if (answer !== undefined) this.#answers.set(answer, event.EventId);
  }

  #close(id: number | undefined): Slot | undefined {
    const slot = id === undefined ? undefined : this.slots[id];
    if (slot === undefined || !slot.open) return undefined;
    slot.open = false;
    return slot;
  }

  /** After a 202 the host waits and asks again. */
  #completed(slot: Slot | undefined, result: JsonText): void {
    if (slot?.action.kind !== 'http' || !isPolled(slot.action) || !isAccepted(result)) return;
    const { location, delay } = readAccepted(result!, this.#httpPollInterval);
    if (delay === undefined) {
      this.warnings.push(`${slot.action.call.uri} answered 202 with a Retry-After that is no number of seconds. The host gives up, but the SDK goes on waiting: `
        + 'this instance will wait for ever. Call with enablePolling: false.');
      return;
    }
    if (location === undefined) {
      this.warnings.push(`${slot.action.call.uri} answered 202 without Location. The SDK takes that for the end, the host waits to ask again, and they count `
        + 'differently from here on: results will reach the wrong tasks, or none. Call with enablePolling: false.');
    }
    this.#expected.push({ ...slot, role: 'pollTimer', fireAt: this.now + delay, location });
  }

  #failed(slot: Slot | undefined): void {
    const retry = slot && retryOf(slot.action);
    if (slot === undefined || retry === undefined) return;
    // After the last failure too: the SDK waits for one more timer before it gives up.
    const last = slot.attempt >= retry.maxNumberOfAttempts;
    if (!last && this.now >= slot.firstAttemptAt + retry.retryTimeout) {
      this.warnings.push(`'${nameOf(slot.action)}' failed for the ${ordinal(slot.attempt)} time after its retryTimeout had passed. The host stops `
        + 'retrying, but the SDK goes on waiting for another attempt: this instance will wait for ever. Use maxNumberOfAttempts instead of retryTimeout.');
      return;
    }
    const delay = Math.min(retry.firstRetryInterval * retry.backoffCoefficient ** (slot.attempt - 1), retry.maxRetryInterval);
    this.#expected.push({ ...slot, role: 'retryTimer', fireAt: last ? this.now : this.now + delay });
  }

  #fired(slot: Slot | undefined): void {
    if (slot === undefined) return;
    if (slot.role === 'pollTimer') {
      if (slot.location !== undefined) this.#expected.push({ ...slot, role: 'call' });
    } else if (slot.role === 'retryTimer') {
      if (slot.attempt < retryOf(slot.action)!.maxNumberOfAttempts) this.#expected.push({ ...slot, role: 'call', attempt: slot.attempt + 1 });
    } else if (slot.action.kind === 'timer' && slot.action.fireAt > this.now) {
      this.#expected.push({ ...slot, fireAt: firstHop(slot.action.fireAt, this.now) });
    }
  }
}

function retryOf(action: IdAction): RetryOptions | undefined {
  return action.kind === 'activity' || action.kind === 'subOrchestration' ? action.retry : undefined;
}

/** The name under which the history has it. */
function nameOf(action: IdAction): string {
  switch (action.kind) {
    case 'timer': return '';
    case 'http': return HTTP_ACTIVITY;
    case 'operation': case 'lock': return 'op';
    case 'release': return 'release';
    default: return action.name;
  }
}

function isPolled(action: IdAction): boolean {
  return action.kind === 'http' && action.call.asynchronousPatternEnabled;
}

function firstHop(fireAt: number, now: number): number {
  return fireAt - now > LONGEST_TIMER ? now + TIMER_HOP : fireAt;
}

function ordinal(n: number): string {
  return `${n}${n % 10 === 1 && n !== 11 ? 'st' : n % 10 === 2 && n !== 12 ? 'nd' : n % 10 === 3 && n !== 13 ? 'rd' : 'th'}`;
}

/** What stands under a number, in the framework's words. */
function replayed({ role, action }: Slot): Replayed {
  if (role !== 'call' || action.kind === 'timer') return { action: 'CreateTimerOrchestratorAction', name: '' };
  const name = nameOf(action);
  switch (action.kind) {
    case 'subOrchestration': return { action: 'CreateSubOrchestrationAction', name };
    case 'operation': case 'lock': case 'release': return { action: 'SendEventOrchestratorAction', name };
    default: return { action: 'ScheduleTaskOrchestratorAction', name };
  }
}

/** What is sent and not answered. */
function isOneWay(action: IdAction): boolean {
  return action.kind === 'release' || (action.kind === 'operation' && action.signal);
}

/** Everything an episode starts from. */
export interface EpisodeInput {
  instanceId: string;
  executionId: string;
  name: string;
  /** What is committed. */
  history: readonly HistoryEvent[];
  /** This episode's OrchestratorStarted and what came in with it; for continue-as-new the new execution's first events. */
  inbound: readonly HistoryEvent[];
  answer: Answer;
  /** Milliseconds since the epoch: the time of what the episode writes. */
  now: number;
  /** Whether there is an activity, an orchestrator of that name. What is unknown is not scheduled, as in production. */
  knowsActivity: (name: string) => boolean;
  knowsOrchestrator: (name: string) => boolean;
  /** The version of a sub-orchestration that is called without one. */
  defaultVersion: string | null;
  /** Milliseconds until a call that was answered 202 is made again, where the answer does not say. */
  httpPollInterval: number;
  /** What production says when there is no entity function of that name. */
  missingEntity: (name: string) => string | undefined;
}

/** What an episode leads to. */
export interface EpisodeOutcome {
  /** To append: the inbound events, what was scheduled, perhaps the end, and OrchestratorCompleted. */
  append: HistoryEvent[];
  activities: TaskScheduled[];
  subOrchestrations: SubOrchestrationInstanceCreated[];
  timers: TimerCreated[];
  /** What entities are sent. */
  outgoing: Outgoing[];
  /** Timers that the orchestrator has cancelled, whether or not they have fired since. */
  cancelledTimers: Set<number>;
  /** The end of the execution, when this episode brought it. */
  completed: ExecutionCompleted | undefined;
  /** The input of the next execution, when the orchestrator continues as new. */
  continueAsNew: { input: JsonText } | undefined;
  suspended: boolean;
  customStatus: JsonText;
  /** Names of the events that the orchestrator waits for. */
  awaiting: string[];
  /** Ids of the tasks whose end takes further ids, see `mayTakeIds`. */
  idTaking: Set<number>;
  /** What a person should hear about this instance. */
  warnings: string[];
  /** How the orchestrator's code departs from its history: the execution has failed with that. */
  departure?: string;
}

/**
 * Whether processing `event` may take task ids before the orchestrator's own code runs on: such an event has to be the
 * first of its episode, or our count and the SDK's drift apart. Without knowledge of the tasks the answer is cautious.
 */
export function mayTakeIds(event: InboundEvent, idTaking: ReadonlySet<number> | undefined): boolean {
  switch (event.EventType) {
    case 'TaskFailed': case 'SubOrchestrationInstanceFailed': return idTaking?.has(event.TaskScheduledId) ?? true;
    case 'TaskCompleted': return isAccepted(event.Result) && (idTaking?.has(event.TaskScheduledId) ?? true);
    case 'TimerFired': return idTaking?.has(event.TimerId) ?? true;
    default: return false;
  }
}

/** Turns the SDK's answer into history and work. */
export function runEpisode(input: EpisodeInput): EpisodeOutcome {
  const { answer } = input;
  const ledger = new Ledger(answer.actions, input.httpPollInterval);
  const departure = replay(input, ledger);
  ledger.assignAll();

  const time = timestamp(input.now);
  const outcome: EpisodeOutcome = {
    append: [...input.inbound], activities: [], subOrchestrations: [], timers: [], outgoing: [], cancelledTimers: new Set(), completed: undefined,
    continueAsNew: undefined, suspended: ledger.suspended, customStatus: answer.customStatus, awaiting: awaitedEvents(input), idTaking: new Set(),
    warnings: [...answer.warnings, ...ledger.warnings],
  };
  const completed: OrchestratorCompleted = { EventType: 'OrchestratorCompleted', EventId: -1, Timestamp: time };

  if (departure !== undefined) {
    // What the code asks for now is carried out all the same, under numbers that the history has already [recorded].
    for (const slot of ledger.slots) if (!slot.created) schedule(slot, ledger, input, time, outcome);
    outcome.completed = executionCompleted(ledger.slots.length, 'Failed', departure, time);
    outcome.append.push(outcome.completed, completed);
    return { ...outcome, departure };
  }
  if (ledger.terminated !== undefined) {
    outcome.completed = executionCompleted(ledger.slots.length, 'Terminated', ledger.terminated, time);
    outcome.append.push(outcome.completed, completed);
    return outcome;
  }

  let open = 0;
  /** How many of them the framework counts: what entities have not answered holds nobody up. */
  let holding = 0;
  for (const slot of ledger.slots) {
    if (slot.action.kind === 'timer' && slot.action.cancelled) {
      slot.open = false;
      outcome.cancelledTimers.add(slot.id);
    }
    if (!slot.created && !ledger.suspended) schedule(slot, ledger, input, time, outcome);
    if (!slot.open) continue;
    open++;
    if (slot.action.kind !== 'operation' && slot.action.kind !== 'lock') holding++;
    if (slot.action.kind === 'timer' ? slot.fireAt < slot.action.fireAt : retryOf(slot.action) !== undefined || isPolled(slot.action)) outcome.idTaking.add(slot.id);
  }

  if (ledger.suspended) {
    // The orchestrator's code ran on, but nothing it asked for is carried out before it is resumed. Which events it had
    // seen when it asked decides the ids, so that number is kept.
    completed.ActionCount = ledger.assigned;
  } else if (holding === 0) {
    end(input, ledger.slots.length, time, outcome);
  }
  if (!answer.done && answer.error === undefined && open === 0 && !ledger.suspended && outcome.awaiting.length === 0) {
    outcome.warnings.push('The orchestrator is not done, yet nothing is scheduled that could wake it: it will wait for ever. '
      + 'It may have thrown undefined, or yielded a task again that had already completed.');
  }
  // Once the orchestrator has returned the SDK stops counting, while the host still sees to the retries that are open.
  if (answer.sequenceNumber !== undefined && answer.sequenceNumber !== ledger.sequenceNumber && !answer.done && answer.error === undefined) {
    outcome.warnings.push('Task ids have drifted apart: the SDK has given out more or fewer than the host. Results will reach the wrong tasks, or none.');
  }
  // A continued execution that scheduled nothing has its OrchestratorCompleted already [recorded].
  if (outcome.append.at(-1)!.EventType !== 'OrchestratorCompleted') outcome.append.push(completed);
  return outcome;
}

/** Goes through all events, to where the orchestrator's code departs from them. @returns how it does. */
function replay({ history, inbound }: EpisodeInput, ledger: Ledger): string | undefined {
  try {
    for (const event of history) ledger.apply(event);
    ledger.warnings = [];
    for (const event of inbound) ledger.apply(event);
    return undefined;
  } catch (error) {
    if (error instanceof NonDeterministicError) return error.message;
    throw error;
  }
}

function schedule(slot: Slot, ledger: Ledger, input: EpisodeInput, time: string, outcome: EpisodeOutcome): void {
  const { action, id } = slot;
  slot.created = true;
  if (slot.role !== 'call' || action.kind === 'timer') {
    const event: TimerCreated = { EventType: 'TimerCreated', EventId: id, Timestamp: time, FireAt: timestamp(slot.fireAt) };
    outcome.append.push(event);
    if (slot.open) outcome.timers.push(event);
  } else if (action.kind === 'activity' || action.kind === 'http') {
    if (action.kind === 'activity' && !input.knowsActivity(action.name)) {
      outcome.warnings.push(`The orchestrator calls an activity named '${action.name}', and there is none: the instance will wait for it for ever.`);
      return;
    }
    const event: TaskScheduled = {
      EventType: 'TaskScheduled', EventId: id, Timestamp: time, Name: nameOf(action),
      Input: action.kind === 'activity' ? action.input : httpInput(slot.location === undefined ? action.call : statusCall(action.call, slot.location)),
    };
    outcome.append.push(event);
    outcome.activities.push(event);
  } else if (action.kind !== 'subOrchestration') {
    send(action, id, ledger, input, time, outcome);
  } else {
    if (!input.knowsOrchestrator(action.name)) {
      outcome.warnings.push(`The orchestrator calls a sub-orchestrator named '${action.name}', and there is none: the instance will wait for it for ever.`);
      return;
    }
    const event: SubOrchestrationInstanceCreated = {
      EventType: 'SubOrchestrationInstanceCreated', EventId: id, Timestamp: time, Name: action.name, Version: action.version ?? input.defaultVersion,
      InstanceId: action.instanceId ?? `${input.executionId}:${id}`, Input: action.input,
    };
    outcome.append.push(event);
    outcome.subOrchestrations.push(event);
  }
}

/** Sends an entity what the orchestrator has for it, and labels it as the framework does. */
function send(
  action: Extract<Action, { kind: 'operation' | 'lock' | 'release' }>, id: number, { slots, now }: Ledger,
  { instanceId, executionId, history, missingEntity }: EpisodeInput, time: string, outcome: EpisodeOutcome,
): void {
  const messageId = derivedGuid(executionId, id);
  const sent = (InstanceId: string, Name: string, Input: string, message: Message): void => {
    outcome.append.push({ EventType: 'EventSent', EventId: id, Timestamp: time, InstanceId, Name, Input });
    outcome.outgoing.push({ to: InstanceId, message });
  };
  if (action.kind === 'release') {
    const lock = slots.findLast((slot) => slot.id < id && slot.action.kind === 'lock')!;
    const release = { parent: instanceId, id: derivedGuid(executionId, lock.id) };
    sent(action.target, 'release', releaseText(release), releaseMessage(messageId, release, time));
    return;
  }
  const targets = action.kind === 'lock' ? action.entities : [parseEntityId(action.target)];
  const missing = targets.map(({ name }) => missingEntity(name)).find((text) => text !== undefined);
  if (missing !== undefined) {
    if (isOneWay(action)) throw new Error(missing);
    outcome.warnings.push(`${missing} The orchestrator calls it all the same: the instance will wait for it for ever.`);
    return;
  }
  const target = entityInstanceId(targets[0]!);
  const isBefore = (event: HistoryEvent): event is EventSent => event.EventType === 'EventSent' && event.InstanceId === target && event.Name === 'op';
  const last = outcome.append.findLast(isBefore) ?? history.findLast(isBefore);
  const request: EntityRequest = {
    op: action.kind === 'lock' ? null : action.name,
    ...(action.kind === 'operation' && { ...(action.signal && { signal: true }), ...(action.input !== null && { input: action.input }) }),
    id: messageId, parent: instanceId, parentExecution: executionId,
    ...label(timestamp(now), last && (sentTo(last) as EntityRequest).Timestamp),
    ...(action.kind === 'lock' && { lockset: action.entities }),
    requestTime: time.replace('Z', '+00:00'),
  };
  sent(target, 'op', requestText(request), requestMessage(request, time));
}

/** Ends the execution if the answer says so. Only called when nothing is open: until then production waits, too. */
function end({ answer, name }: EpisodeInput, nextId: number, time: string, outcome: EpisodeOutcome): void {
  const last = answer.actions.at(-1);
  if (answer.error !== undefined) {
    outcome.completed = executionCompleted(nextId, 'Failed', orchestratorFailure(name, answer.error), time);
  } else if (answer.done && last?.kind === 'continueAsNew') {
    outcome.continueAsNew = { input: last.input };
  } else if (answer.done) {
    outcome.completed = executionCompleted(nextId, 'Completed', answer.output, time);
  }
  if (outcome.completed !== undefined) outcome.append.push(outcome.completed);
}

/** The events for which more waits were made than events of that name have come. */
function awaitedEvents({ answer, history, inbound }: EpisodeInput): string[] {
  const waits = new Map<string, number>();
  for (const action of answer.actions) if (action.kind === 'event') waits.set(action.name, (waits.get(action.name) ?? 0) + 1);
  for (const events of [history, inbound]) {
    for (const event of events) if (event.EventType === 'EventRaised') waits.set(event.Name, (waits.get(event.Name) ?? 0) - 1);
  }
  return [...waits].filter(([, count]) => count > 0).map(([name]) => name);
}

/** The output of an orchestration that failed, as the real host words it. */
export function orchestratorFailure(name: string, error: string): string {
  return `Orchestrator function '${name}' failed: ${error}`;
}

export function executionCompleted(id: number, status: ExecutionCompleted['OrchestrationStatus'], result: string | null, time: string): ExecutionCompleted {
  return { EventType: 'ExecutionCompleted', EventId: id, Timestamp: time, OrchestrationStatus: status, Result: result };
}

/** The first events of a new execution after continue-as-new, as recorded: an OrchestratorCompleted of its own is among them. */
export function continuedExecution(previous: ExecutionStarted, executionId: string, input: JsonText, time: string): HistoryEvent[] {
  const base = { EventId: -1, Timestamp: time };
  return [
    { EventType: 'OrchestratorStarted', ...base },
    {
      ...previous, ...base, Input: input, Generation: null,
      OrchestrationInstance: { InstanceId: previous.OrchestrationInstance.InstanceId, ExecutionId: executionId },
    },
    { EventType: 'OrchestratorCompleted', ...base, Continuation: true },
  ];
}

export function orchestratorStarted(time: string): OrchestratorStarted {
  return { EventType: 'OrchestratorStarted', EventId: -1, Timestamp: time };
}

/** A GUID that is the same whenever it is derived from the same texts. */
export function derivedGuid(...parts: readonly (string | number)[]): string {
  const hex = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
