/**
 * One episode of an orchestration, without I/O: from its history, what came in and what the SDK answered, to what has to
 * be appended and done.
 *
 * The SDK's answers name no task ids; both sides count them. {@link Ledger} is our side of that count. It is rebuilt from
 * the history at every episode, so that a restarted host needs nothing that is not in the history.
 */
import { createHash } from 'node:crypto';
import { isPolled, nameOf, retryOf, type Action } from './actions.js';
import { remark } from './diagnostics.js';
import {
  entityInstanceId,
  parseEntityId,
  releaseMessage,
  releaseText,
  requestMessage,
  requestText,
  sentTo,
  type EntityRequest,
} from '../entities/entity-messages.js';
import type { EpisodeInput, EpisodeOutcome, Slot } from './episode.js';
import type {
  EventSent,
  ExecutionCompleted,
  ExecutionStarted,
  HistoryEvent,
  InboundEvent,
  JsonText,
  OrchestratorCompleted,
  OrchestratorStarted,
  SubOrchestrationInstanceCreated,
  TaskScheduled,
  TimerCreated,
} from '../history.js';
import { timestamp } from '../history.js';
import { httpInput, isAccepted, statusCall } from '../http/http-call.js';
import { Ledger } from './ledger.js';
import { label } from '../entities/message-sorter.js';
import { NonDeterministicError } from './non-determinism.js';
import type { Message } from '../task-hub.js';

/**
 * Whether processing `event` may take task ids before the orchestrator's own code runs on: such an event has to be the
 * first of its episode, or our count and the SDK's drift apart. Without knowledge of the tasks the answer is cautious.
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

/** Turns the SDK's answer into history and work. */
export function runEpisode(input: EpisodeInput): EpisodeOutcome {
  const { answer } = input;
  const ledger = new Ledger(input);
  const departure = replay(input, ledger);
  ledger.assignAll();

  const time = timestamp(input.now);
  const outcome: EpisodeOutcome = {
    append: [...input.inbound],
    activities: [],
    subOrchestrations: [],
    timers: [],
    outgoing: [],
    cancelledTimers: new Set(),
    completed: undefined,
    continueAsNew: undefined,
    suspended: ledger.suspended,
    customStatus: answer.customStatus,
    awaiting: awaitedEvents(input),
    idTaking: new Set(),
    warnings: [...answer.warnings, ...ledger.warnings],
    notes: [],
  };
  const completed: OrchestratorCompleted = {
    EventType: 'OrchestratorCompleted',
    EventId: -1,
    Timestamp: time,
  };

  if (departure !== undefined) {
    // What the code asks for now is carried out all the same, under numbers that the history has already [recorded].
    for (const slot of ledger.slots) if (!slot.created) schedule(slot, ledger, input, time, outcome);
    outcome.completed = executionCompleted(ledger.slots.length, 'Failed', departure.message, time);
    outcome.append.push(outcome.completed, completed);
    return { ...outcome, warnings: [], departure };
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
    if (
      slot.action.kind === 'timer'
        ? slot.fireAt < slot.action.fireAt
        : retryOf(slot.action) !== undefined || isPolled(slot.action)
    )
      outcome.idTaking.add(slot.id);
  }

  if (ledger.suspended) {
    // The orchestrator's code ran on, but nothing it asked for is carried out before it is resumed. Which events it had
    // seen when it asked decides the ids, so that number is kept.
    completed.ActionCount = ledger.assigned;
  } else if (holding === 0) {
    end(input, ledger.slots.length, time, outcome);
  }
  if (
    !answer.done &&
    answer.error === undefined &&
    open === 0 &&
    !ledger.suspended &&
    outcome.awaiting.length === 0 &&
    outcome.warnings.length === 0
  ) {
    outcome.warnings.push(
      'The orchestrator is not done, yet nothing is scheduled that could wake it: it will wait for ever. ' +
        'It has thrown undefined, or put a task that had already completed into another Task.any or Task.all.',
    );
  }
  remark(input, ledger.slots, outcome);
  // Once the orchestrator has returned the SDK stops counting, while the host still sees to the retries that are open.
  if (
    answer.sequenceNumber !== undefined &&
    answer.sequenceNumber !== ledger.sequenceNumber &&
    !answer.done &&
    answer.error === undefined
  ) {
    outcome.warnings.push(
      'Task ids have drifted apart: the SDK has given out more or fewer than the host. Results will reach the wrong tasks, or none.',
    );
  }
  // A continued execution that scheduled nothing has its OrchestratorCompleted already [recorded].
  if (outcome.append.at(-1)!.EventType !== 'OrchestratorCompleted') outcome.append.push(completed);
  return outcome;
}

/** Goes through all events, to where the orchestrator's code departs from them. @returns how it does. */
function replay({ history, inbound }: EpisodeInput, ledger: Ledger): NonDeterministicError | undefined {
  try {
    for (const event of history) ledger.apply(event);
    ledger.warnings = [];
    for (const event of inbound) ledger.apply(event);
    return undefined;
  } catch (error) {
    if (error instanceof NonDeterministicError) return error;
    throw error;
  }
}

function schedule(
  slot: Slot,
  ledger: Ledger,
  input: EpisodeInput,
  time: string,
  outcome: EpisodeOutcome,
): void {
  const { action, id } = slot;
  slot.created = true;
  if (slot.role !== 'call' || action.kind === 'timer') {
    const event: TimerCreated = {
      EventType: 'TimerCreated',
      EventId: id,
      Timestamp: time,
      FireAt: timestamp(slot.fireAt),
    };
    outcome.append.push(event);
    if (slot.open) outcome.timers.push(event);
  } else if (action.kind === 'activity' || action.kind === 'http') {
    const event: TaskScheduled = {
      EventType: 'TaskScheduled',
      EventId: id,
      Timestamp: time,
      Name: nameOf(action),
      Input:
        action.kind === 'activity'
          ? action.input
          : httpInput(slot.location === undefined ? action.call : statusCall(action.call, slot.location)),
    };
    outcome.append.push(event);
    outcome.activities.push(event);
  } else if (action.kind !== 'subOrchestration') {
    send(action, id, ledger, input, time, outcome);
  } else {
    const event: SubOrchestrationInstanceCreated = {
      EventType: 'SubOrchestrationInstanceCreated',
      EventId: id,
      Timestamp: time,
      Name: action.name,
      Version: action.version ?? input.defaultVersion,
      InstanceId: action.instanceId ?? `${input.executionId}:${id}`,
      Input: action.input,
    };
    outcome.append.push(event);
    outcome.subOrchestrations.push(event);
  }
}

/** Sends an entity what the orchestrator has for it, and labels it as the framework does. */
function send(
  action: Extract<Action, { kind: 'operation' | 'lock' | 'release' }>,
  id: number,
  { slots, now }: Ledger,
  { instanceId, executionId, history, missingEntity }: EpisodeInput,
  time: string,
  outcome: EpisodeOutcome,
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
  // Of a signal: calls have been refused before.
  if (missing !== undefined) throw new Error(missing);
  const target = entityInstanceId(targets[0]!);
  const isBefore = (event: HistoryEvent): event is EventSent =>
    event.EventType === 'EventSent' && event.InstanceId === target && event.Name === 'op';
  const last = outcome.append.findLast(isBefore) ?? history.findLast(isBefore);
  const request: EntityRequest = {
    op: action.kind === 'lock' ? null : action.name,
    ...(action.kind === 'operation' && {
      ...(action.signal && { signal: true }),
      ...(action.input !== null && { input: action.input }),
    }),
    id: messageId,
    parent: instanceId,
    parentExecution: executionId,
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
  for (const action of answer.actions)
    if (action.kind === 'event' && action.again !== true)
      waits.set(action.name, (waits.get(action.name) ?? 0) + 1);
  for (const events of [history, inbound]) {
    for (const event of events)
      if (event.EventType === 'EventRaised') waits.set(event.Name, (waits.get(event.Name) ?? 0) - 1);
  }
  return [...waits].filter(([, count]) => count > 0).map(([name]) => name);
}

/** An episode after which the execution has failed, whatever its orchestrator asked for. */
export function failedEpisode(inbound: readonly HistoryEvent[], text: string, time: string): EpisodeOutcome {
  const completed = executionCompleted(-1, 'Failed', text, time);
  return {
    ...nothingToDo(),
    append: [...inbound, completed, { EventType: 'OrchestratorCompleted', EventId: -1, Timestamp: time }],
    completed,
  };
}

export function nothingToDo(): EpisodeOutcome {
  return {
    append: [],
    activities: [],
    subOrchestrations: [],
    timers: [],
    outgoing: [],
    cancelledTimers: new Set(),
    completed: undefined,
    continueAsNew: undefined,
    suspended: false,
    customStatus: null,
    awaiting: [],
    idTaking: new Set(),
    warnings: [],
    notes: [],
  };
}

/** The output of an orchestration that failed, as the real host words it. */
export function orchestratorFailure(name: string, error: string): string {
  return `Orchestrator function '${name}' failed: ${error}`;
}

export function executionCompleted(
  id: number,
  status: ExecutionCompleted['OrchestrationStatus'],
  result: string | null,
  time: string,
): ExecutionCompleted {
  return {
    EventType: 'ExecutionCompleted',
    EventId: id,
    Timestamp: time,
    OrchestrationStatus: status,
    Result: result,
  };
}

/** The first events of a new execution after continue-as-new, as recorded: an OrchestratorCompleted of its own is among them. */
export function continuedExecution(
  previous: ExecutionStarted,
  executionId: string,
  input: JsonText,
  time: string,
): HistoryEvent[] {
  const base = { EventId: -1, Timestamp: time };
  return [
    { EventType: 'OrchestratorStarted', ...base },
    {
      ...previous,
      ...base,
      Input: input,
      Generation: null,
      OrchestrationInstance: {
        InstanceId: previous.OrchestrationInstance.InstanceId,
        ExecutionId: executionId,
      },
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
