/**
 * One episode of an orchestration, without I/O: from the history, the inbound events and the SDK's answer to
 * the events to append and the work to do.
 *
 * The SDK's answers contain no task ids: both sides count them. {@link TaskIds} is the emulator's count, in a
 * {@link Ledger}. It is built from the history, so that a restarted host needs only the history. It can also be
 * kept for the next episode, as the run of the orchestrator can.
 */
import { isPolled, nameOf, retryOf } from './actions.js';
import type { EpisodeInput, EpisodeResult, TaskSlot } from './episode.js';
import { Ledger } from './ledger.js';
import type {
  OrchestratorCompleted,
  SubOrchestrationInstanceCreated,
  TaskScheduled,
  TimerCreated,
} from '../history.js';
import { timestamp } from '../history.js';
import { httpInput, statusCall } from '../http/http-call.js';
import { addNotes } from './notes.js';
import { emptyResult, executionCompleted, orchestratorFailure } from './results.js';
import { sendToEntity } from './send-to-entity.js';
import type { TaskIds } from './task-ids.js';

/**
 * Turns the SDK's answer into history and work.
 * @param ledger that of the episode before, if the answer has only what is new since then
 */
export function runEpisode(input: EpisodeInput, ledger = new Ledger(input)): EpisodeResult {
  const { answer } = input;
  const { taskIds, events } = ledger;
  const mismatch = ledger.add(input);
  taskIds.assignAll();

  const time = timestamp(input.now);
  const result: EpisodeResult = {
    ...emptyResult(),
    append: [...input.inbound],
    suspended: taskIds.suspended,
    customStatus: answer.customStatus,
    awaiting: events.awaiting,
    warnings: [...answer.warnings, ...taskIds.warnings],
  };
  const completed: OrchestratorCompleted = {
    EventType: 'OrchestratorCompleted',
    EventId: -1,
    Timestamp: time,
  };

  if (mismatch !== undefined) {
    // A real host still schedules the new tasks, under ids that the history has already.
    for (const slot of taskIds.slots) if (!slot.created) schedule(slot, taskIds, input, time, result);
    result.completed = executionCompleted(taskIds.slots.length, 'Failed', mismatch.message, time);
    result.append.push(result.completed, completed);
    return { ...result, warnings: [], mismatch };
  }
  if (taskIds.terminated !== undefined) {
    result.completed = executionCompleted(taskIds.slots.length, 'Terminated', taskIds.terminated, time);
    result.append.push(result.completed, completed);
    return result;
  }

  const held = taskIds.held((name) => events.came(name));
  if (
    held !== undefined &&
    held.size > 0 &&
    input.inbound.some(({ EventType }) => EventType.endsWith('Failed'))
  )
    result.notes.push(
      'A task of a Task.all has failed, and the orchestrator has gone on. As in production, what it does next begins when the other tasks of that Task.all have ended.',
    );
  let open = 0;
  /** How many of them the framework counts: open calls of entities do not delay the end. */
  let holding = 0;
  for (const slot of taskIds.current) {
    if (slot.action.kind === 'timer' && slot.action.cancelled) {
      slot.open = false;
      result.cancelledTimers.add(slot.id);
    }
    if (!slot.created && !taskIds.suspended && held?.has(slot.action) !== true)
      schedule(slot, taskIds, input, time, result);
    if (!slot.open) {
      if (slot.created) taskIds.current.delete(slot);
      continue;
    }
    open++;
    if (slot.action.kind !== 'operation' && slot.action.kind !== 'lock') holding++;
    if (
      slot.action.kind === 'timer'
        ? slot.fireAt < slot.action.fireAt
        : retryOf(slot.action) !== undefined || isPolled(slot.action)
    )
      result.idTaking.add(slot.id);
  }

  if (taskIds.suspended || held !== undefined) {
    // The orchestrator's code has run, but its actions are carried out only after a resume, or when the tasks of
    // a Task.all have ended. The task ids depend on the events that the code had seen by then, so the number of
    // actions is kept.
    completed.ActionCount = taskIds.assigned;
  } else if (holding === 0) {
    end(input, taskIds.slots.length, time, result);
  }
  if (
    !answer.done &&
    answer.error === undefined &&
    open === 0 &&
    !taskIds.suspended &&
    result.awaiting.length === 0 &&
    result.warnings.length === 0
  ) {
    result.warnings.push(
      'The orchestrator is not done, yet nothing is scheduled that could wake it: it will wait for ever. ' +
        'It has thrown undefined, or put a task that had already completed into another Task.any or Task.all.',
    );
  }
  addNotes(input, ledger, result);
  // When the orchestrator has returned, the SDK stops counting, but the host still makes the open retries.
  if (
    answer.sequenceNumber !== undefined &&
    answer.sequenceNumber !== taskIds.sequenceNumber &&
    !answer.done &&
    answer.error === undefined
  ) {
    result.warnings.push(
      'Task ids have drifted apart: the SDK has given out more or fewer than the host. Results will reach the wrong tasks, or none.',
    );
  }
  // On a real host, a continued execution that scheduled nothing has its OrchestratorCompleted already.
  if (result.append.at(-1)!.EventType !== 'OrchestratorCompleted') result.append.push(completed);
  return result;
}

function schedule(
  slot: TaskSlot,
  taskIds: TaskIds,
  input: EpisodeInput,
  time: string,
  result: EpisodeResult,
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
    result.append.push(event);
    if (slot.open) result.timers.push(event);
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
    result.append.push(event);
    result.activities.push(event);
    if (action.kind === 'http')
      for (const [name, value] of Object.entries(action.call.headers))
        if (Array.isArray(value) && value.length === 0)
          result.notes.push(
            `The request to ${action.call.uri} is sent without its header '${name}', as in production: the value is no text.`,
          );
  } else if (action.kind !== 'subOrchestration') {
    sendToEntity(action, id, taskIds, input, time, result);
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
    result.append.push(event);
    result.subOrchestrations.push(event);
  }
}

/**
 * Ends the execution if the answer says so. Called only when no task is open: production waits for open
 * tasks, too.
 */
function end({ answer, name }: EpisodeInput, nextId: number, time: string, result: EpisodeResult): void {
  const last = answer.actions.at(-1);
  if (answer.error !== undefined) {
    const text = orchestratorFailure(name, answer.error);
    result.completed = executionCompleted(nextId, 'Failed', text, time, answer.failureDetails);
  } else if (answer.done && last?.kind === 'continueAsNew') {
    result.continueAsNew = { input: last.input };
  } else if (answer.done) {
    result.completed = executionCompleted(nextId, 'Completed', answer.output, time);
  }
  if (result.completed !== undefined) result.append.push(result.completed);
}
