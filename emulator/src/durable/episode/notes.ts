/** Diagnostics that production does not give: what an instance has lost, and likely mistakes. */
import { timestamp } from '../history.js';
import type { EpisodeInput, EpisodeResult } from './episode.js';
import type { Ledger } from './ledger.js';

/**
 * Adds diagnostics to a result: about events that came, and about an orchestrator that returns while tasks
 * are open.
 */
export function addNotes(input: EpisodeInput, ledger: Ledger, result: EpisodeResult): void {
  const { answer, inbound } = input;
  const { taskIds, events } = ledger;
  for (const event of inbound)
    if (event.EventType === 'EventRaised' && !taskIds.isAnswer(event.Name))
      addNotesOnEvent(event.Name, ledger, result);
  if (result.continueAsNew !== undefined) {
    const lost = events.unawaited.filter((name) => !taskIds.isAnswer(name)).map((name) => `'${name}'`);
    if (lost.length > 0) {
      result.notes.push(
        `The orchestrator continues as new, and events that had come and that it has not waited for are lost, as in production: ${lost.join(', ')}.`,
      );
    }
  }
  if (!answer.done || result.completed !== undefined || result.suspended) return;
  const timer = taskIds.slots.find(({ open, role }) => open && role === 'timer');
  if (timer?.action.kind !== 'timer' || timer.fireAt <= input.now) return;
  result.notes.push(
    `The orchestrator has returned, but a timer that it has not cancelled keeps the instance Running until ${timestamp(timer.action.fireAt)}.`,
  );
}

function addNotesOnEvent(
  name: string,
  { taskIds: { slots }, events }: Ledger,
  { awaiting, warnings, notes }: EpisodeResult,
): void {
  const { once, again } = events.waits(name);
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
  if (again > 0 && events.came(name) > once) {
    warnings.push(
      `An event '${name}' has come while nobody waited for it, and it is lost: a wait for '${name}' was yielded more than once, and the SDK still had ` +
        'the first of them. Call waitForExternalEvent again for every wait.',
    );
  }
}
