import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds between looks: together as long as a host that was idle takes to look into its queues. */
const PAUSES = [25, 50, 100, 200, 400, 800, 1600, 3200];

/** Looks until it is `done`, for some seconds at most. @returns what was seen last */
export async function eventually<Seen>(
  look: () => Promise<Seen>,
  done: (seen: Seen) => boolean,
): Promise<Seen> {
  let seen = await look();
  for (const pause of PAUSES) {
    if (done(seen)) break;
    await sleep(pause);
    seen = await look();
  }
  return seen;
}
