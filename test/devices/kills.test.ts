/** The host killed at any storage operation of a device's life: no alert is lost, and none is doubled. */
import { expect, it } from 'vitest';
import { AppStorage } from '../support/app.js';
import { account } from '../support/azurite.js';
import { disabled, QUEUE_FUNCTIONS } from '../support/disabled.js';
import { forKills, startOn, untilKilled } from '../support/kills.js';
import { Fleet, type SeenAlert } from './fleet.js';

const NO_QUEUES = disabled(...QUEUE_FUNCTIONS);
const NO_SWEEP = disabled(...QUEUE_FUNCTIONS, 'Sweep');

/**
 * A device is registered, reports, is silent, reports again and recovers, on a host that dies after so many storage
 * operations. Another host goes on.
 *
 * @param again whether the owner, who got no answer, registers the device again. Otherwise the sweep must go on with it
 * @returns how many operations there were
 */
async function live(kill: number, again: boolean): Promise<number> {
  const connection = await account();
  const storage = new AppStorage(connection);
  let time = new Date();
  const operations = await untilKilled(
    connection,
    kill,
    async (first) => {
      const fleet = new Fleet(first.app, storage);
      await first.live(async () => {
        await fleet.register('pump-1');
        await fleet.report('pump-1');
        await fleet.app.skip({ minutes: 2 });
        await fleet.reporting('pump-1', 4);
      });
      time = first.app.now;
    },
    NO_SWEEP,
  );
  const app = await startOn(connection, again ? NO_SWEEP : NO_QUEUES, time);
  const fleet = new Fleet(app, storage);
  try {
    if (again) expect([200, 201]).toContain(await fleet.register('pump-1'));
    else if ((await app.get('/api/devices/pump-1')).status === 404) return operations;
    else await app.skip({ minutes: 3 });
    await fleet.reporting('pump-1', 5);
    expect(await fleet.health('pump-1')).toBe('healthy');
    await app.skip({ minutes: 2 });
    await fleet.reporting('pump-1', 4);

    const alerts = await fleet.alerts('pump-1');
    // One for each silence. In one that the host's death interrupts, the device gets more time.
    expect([1, 2, 3]).toContain(alerts.length);
    if (kill === Infinity && again) expect(alerts).toHaveLength(2);
    expect([...new Set(alerts)]).toEqual(['silence closed']);
    // Each was sent when it was opened and when it was closed. A kill may repeat one, with the same key.
    const keys = new Set((await storage.notifications()).map(({ key }) => key));
    const { value } = await fleet.page<SeenAlert>('/api/alerts');
    expect(keys).toEqual(new Set(value.flatMap(({ id }) => [`${id}-open`, `${id}-closed`])));
    await fleet.remove('pump-1');
    expect(await fleet.monitor('pump-1')).toMatchObject({ runtimeStatus: 'Completed' });
    return operations;
  } finally {
    await app.stop();
  }
}

it('killed at any storage operation of a device’s life, no alert is lost or doubled', async () => {
  const operations = await live(Infinity, true);
  await forKills(operations, 2, live);
});
