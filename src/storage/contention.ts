import { setTimeout as wait } from 'node:timers/promises';
import { TryLaterError } from '../refusals/index.js';

/** The number of lost races after which a change gives up, about three seconds. */
const ATTEMPTS = 20;
/**
 * Milliseconds: the maximum wait after the first lost race, doubled after each further one, and its limit.
 */
const FIRST_WAIT = 10;
const LONGEST_WAIT = 250;

/**
 * Repeats a change that can lose a race until it wins. After each lost race it waits a random time, so that
 * callers that lost together do not collide again.
 *
 * @param what names the changed thing in the error
 * @param attempt reads the current state and tries the change; `undefined` when another change came first
 * @throws {TryLaterError} after 20 lost races
 * @example
 * const game = await untilItWins('game Pat', async () => {
 *   const row = await readRow(games, key);
 *   return (await replaceIfUnchanged(games, moved(row))) ? row : undefined;
 * });
 */
export async function untilItWins<Result>(
  what: string,
  attempt: () => Promise<Result | undefined>,
): Promise<Result> {
  for (let lost = 0; lost < ATTEMPTS; lost += 1) {
    const result = await attempt();
    if (result !== undefined) {
      return result;
    }
    await wait(Math.random() * Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** lost));
  }
  throw new TryLaterError(`The change of ${what} lost ${ATTEMPTS} races against other changes`);
}
