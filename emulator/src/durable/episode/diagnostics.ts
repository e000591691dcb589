/**
 * Diagnostics that production does not give: why an instance will hang or has lost something, and likely
 * mistakes.
 */
import { isOneWay, LONGEST_TIMER, nameOf, retryOf, type IdAction } from './actions.js';
import { awaitedAnswer, parseEntityId } from '../entities/entity-messages.js';
import { timestamp } from '../history.js';
import type { EpisodeInput, EpisodeResult, TaskSlot } from './episode.js';

const HANGS = 'the instance will wait for it for ever.';

/**
 * Why the extension refuses an action; undefined if it does not. It throws in a task that no code awaits:
 * nothing is scheduled, no task id is used, and the SDK waits for ever.
 */
export function refusal(action: IdAction, input: EpisodeInput): string | undefined {
  const retry = retryOf(action);
  if (retry !== undefined && Math.max(retry.firstRetryInterval, retry.maxRetryInterval) > LONGEST_TIMER) {
    return `'${nameOf(action)}' is called with a retry interval of more than six days. The host accepts no longer one, and logs nothing: ${HANGS}`;
  }
  if (retry !== undefined && retry.maxNumberOfAttempts < 1)
    return `'${nameOf(action)}' is called with retry options that allow no attempt at all: ${HANGS}`;
  switch (action.kind) {
    case 'activity':
      return input.knowsActivity(action.name)
        ? undefined
        : `The orchestrator calls an activity named '${action.name}', and ${absence(action.name, input)}: ${HANGS}`;
    case 'subOrchestration':
      if (!input.knowsOrchestrator(action.name))
        return `The orchestrator calls a sub-orchestrator named '${action.name}', and ${absence(action.name, input)}: ${HANGS}`;
      return action.instanceId === undefined ? undefined : refusalOfId(action.name, action.instanceId, input);
    case 'operation':
    case 'lock': {
      // For a signal, its error fails the orchestration.
      if (isOneWay(action)) return undefined;
      const entities = action.kind === 'lock' ? action.entities : [parseEntityId(action.target)];
      const missing = entities.find(({ name }) => input.missingEntity(name) !== undefined)?.name;
      if (missing === undefined) return undefined;
      const setting = input.disabledBy(missing);
      return `${input.missingEntity(missing)}${setting === undefined ? '' : ` The setting ${setting} disables it.`} The orchestrator calls it all the same: ${HANGS}`;
    }
    default:
      return undefined;
  }
}

/** Why a function cannot be called, as the end of a sentence. */
function absence(name: string, input: EpisodeInput): string {
  const setting = input.disabledBy(name);
  return setting === undefined ? 'there is none' : `the setting ${setting} disables it`;
}

function refusalOfId(
  name: string,
  id: string,
  { instanceId, parentInstanceId }: EpisodeInput,
): string | undefined {
  const call = `The orchestrator calls the sub-orchestrator '${name}' with the id '${id}'`;
  if (id.startsWith('@')) return `${call}. Ids that begin with @ are those of entities: ${HANGS}`;
  if ([instanceId, parentInstanceId].some((other) => other?.toLowerCase() === id.toLowerCase()))
    return `${call}, which is its own or its parent's: ${HANGS}`;
  return undefined;
}

interface Waits {
  once: number;
  again: number;
  came: number;
}

/**
 * Adds diagnostics to a result: about events that came, and about an orchestrator that returns while tasks
 * are open.
 */
export function addNotes(input: EpisodeInput, slots: readonly TaskSlot[], result: EpisodeResult): void {
  const { answer, inbound } = input;
  const raised = inbound.flatMap((event) => (event.EventType === 'EventRaised' ? [event.Name] : []));
  const events =
    raised.length > 0 || result.continueAsNew !== undefined ? eventsOf(input) : new Map<string, Waits>();
  for (const name of raised) if (events.has(name)) addNotesOnEvent(name, events, slots, result);
  if (result.continueAsNew !== undefined) {
    const lost = [...events].filter(([, { came, once }]) => came > once).map(([name]) => `'${name}'`);
    if (lost.length > 0) {
      result.notes.push(
        `The orchestrator continues as new, and events that had come and that it has not waited for are lost, as in production: ${lost.join(', ')}.`,
      );
    }
  }
  if (!answer.done || result.completed !== undefined || result.suspended) return;
  const timer = slots.find(({ open, role }) => open && role === 'timer');
  if (timer?.action.kind !== 'timer' || timer.fireAt <= input.now) return;
  result.notes.push(
    `The orchestrator has returned, but a timer that it has not cancelled keeps the instance Running until ${timestamp(timer.action.fireAt)}.`,
  );
}

/**
 * By name: how many waits for an event there were, how often the same wait was yielded again, and how many
 * events came.
 */
function eventsOf({ answer, history, inbound }: EpisodeInput): Map<string, Waits> {
  const events = new Map<string, Waits>();
  const count = (name: string, what: keyof Waits): void => {
    const found = events.get(name) ?? { once: 0, again: 0, came: 0 };
    found[what]++;
    events.set(name, found);
  };
  for (const action of answer.actions)
    if (action.kind === 'event') count(action.name, action.again === true ? 'again' : 'once');
  const answers = new Set(
    history.map((event) => (event.EventType === 'EventSent' ? awaitedAnswer(event) : undefined)),
  );
  for (const list of [history, inbound]) {
    for (const event of list)
      if (event.EventType === 'EventRaised' && !answers.has(event.Name)) count(event.Name, 'came');
  }
  return events;
}

function addNotesOnEvent(
  name: string,
  events: ReadonlyMap<string, Waits>,
  slots: readonly TaskSlot[],
  { awaiting, warnings, notes }: EpisodeResult,
): void {
  const { once, again, came } = events.get(name)!;
  const other = awaiting.find((awaited) => awaited !== name && awaited.toLowerCase() === name.toLowerCase());
  if (once === 0 && other !== undefined) {
    notes.push(
      `An event '${name}' has come, and the orchestrator waits for '${other}': it goes on waiting, because names of events are case-sensitive.`,
    );
  }
  if (/^\d+$/.test(name) && slots[Number(name)]?.created === true) {
    warnings.push(
      `An event named '${name}' has come, and the SDK takes it for the result of the task with that id. Give events names that are no numbers.`,
    );
  }
  if (again > 0 && came > once) {
    warnings.push(
      `An event '${name}' has come while nobody waited for it, and it is lost: a wait for '${name}' was yielded more than once, and the SDK still had ` +
        'the first of them. Call waitForExternalEvent again for every wait.',
    );
  }
}
