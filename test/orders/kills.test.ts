/** The host killed at each storage operation of a checkout: the order is bought once, or there was none. */
import { expect, it } from 'vitest';
import { account } from '../support/azurite.js';
import { AppStorage } from '../support/app.js';
import { forKills, startOn, untilKilled } from '../support/kills.js';
import { Shop } from './shop.js';

const key = { key: 'ana-1' };

/**
 * Checks a cart out on a host that dies after so many storage operations, and lets another go on.
 *
 * @param again whether the caller, who got no answer, sends the request again
 * @returns how many operations there were, and whether there is an order
 */
async function buy(kill: number, again: boolean): Promise<{ operations: number; bought: boolean }> {
  const connection = await account();
  const operations = await untilKilled(connection, kill, async ({ app, live }) => {
    const shop = new Shop(app, new AppStorage(connection));
    await shop.stocked({ hammer: 10, nails: 100 });
    await shop.put('ana', 'hammer', 2);
    await shop.put('ana', 'nails', 3);
    await app.quiet();
    await live(async () => {
      await shop.checkOut('ana', 'pays', key);
      await app.quiet();
    });
  });

  const shop = new Shop(await startOn(connection), new AppStorage(connection));
  try {
    if (again) expect((await shop.checkOut('ana', 'pays', key)).status).toBe(202);
    await shop.app.skip({ minutes: 25 });
    const payments = [...(await shop.payments()).values()];
    const bought = payments.length > 0;
    expect(again && !bought).toBe(false);
    expect(payments).toEqual(bought ? [{ state: 'captured', amount: 5647 }] : []);
    expect([await shop.stock('hammer'), await shop.stock('nails'), await shop.lines('ana')]).toEqual(
      bought
        ? [[8, 0, 2], [97, 0, 3], []]
        : [
            [10, 0, 0],
            [100, 0, 0],
            ['2 hammer', '3 nails'],
          ],
    );
    const ended = (await shop.storage.notifications()).filter(({ to }) => to === 'ana');
    expect(new Set(ended.map(({ key: each }) => each)).size).toBe(bought ? 1 : 0);
    return { operations, bought };
  } finally {
    await shop.app.stop();
  }
}

it(
  'killed at any storage operation, an order is bought once, or there was none',
  { timeout: 1_200_000 },
  async () => {
    const { operations, bought } = await buy(Infinity, false);
    expect(bought).toBe(true);
    await forKills(operations, 2, buy);
  },
);
