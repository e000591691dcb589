import { AdvancingClock } from './advancing-clock.js';
import type { Clock } from './clock.js';
import { HubUnavailableError, type TaskHub } from './task-hub.js';
import type { TimeStore } from './time-store.js';

/**
 * Continues at the time that the hub has. Without a clock that skips, timers of a hub whose time was skipped would
 * fire too late by all that was skipped.
 * @throws HubUnavailableError
 */
export async function continueTime({ name }: TaskHub, time: TimeStore, clock: Clock): Promise<void> {
  const ahead = await time.read();
  if (clock instanceof AdvancingClock) clock.continueFrom(ahead);
  else if (ahead > 0)
    throw new HubUnavailableError(
      `The time of task hub '${name}' was skipped: it is ${inWords(ahead)} ahead. Start it with --clock skip, or use another storage or another hub.`,
    );
}

/** A span in milliseconds, roughly. */
function inWords(span: number): string {
  const [unit, name] =
    span >= 172_800_000
      ? [86_400_000, 'days']
      : span >= 7_200_000
        ? [3_600_000, 'hours']
        : [60_000, 'minutes'];
  return `${Math.ceil(span / unit)} ${name}`;
}
