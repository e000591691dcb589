/** The host killed at any storage operation of a rollout: no device is forgotten, and none is updated twice without need. */
import { expect, it } from 'vitest';
import { AppStorage } from '../support/app.js';
import { account } from '../support/azurite.js';
import { disabled, QUEUE_FUNCTIONS } from '../support/disabled.js';
import { forKills, startOn, untilKilled } from '../support/kills.js';
import { Fleet, names } from './fleet.js';

const NO_QUEUES = disabled(...QUEUE_FUNCTIONS);
const NO_SWEEP = disabled(...QUEUE_FUNCTIONS, 'Sweep');

const IDS = names(4);
const MAX_PARALLEL = 2;
const WANTED = { waves: [1, '100%'], soak: 'PT1M', maxParallel: MAX_PARALLEL };

async function finish(fleet: Fleet, id: string): Promise<void> {
  for (let wave = 1; wave <= 2; wave += 1) {
    await fleet.work(id);
    await fleet.app.skip({ minutes: 2 });
  }
}

/**
 * Four devices are updated in two waves, on a host that dies after so many storage operations. Another host goes on.
 *
 * @param again whether the caller, who may have got no answer, asks again. Otherwise the sweep must go on with the rollout
 * @returns how many operations there were
 */
async function rollOut(kill: number, again: boolean): Promise<number> {
  const connection = await account();
  const storage = new AppStorage(connection);
  const pending: Fleet['pending'] = [];
  let first: Fleet | undefined;
  const operations = await untilKilled(
    connection,
    kill,
    async ({ app, live }) => {
      const fleet = (first = new Fleet(app, storage, IDS, pending));
      for (const id of IDS) await app.request('PUT', `/api/devices/${id}`, { body: { interval: 'P30D' } });
      await app.quiet();
      await live(async () => finish(fleet, await fleet.rollOut(WANTED, 'first')));
    },
    NO_SWEEP,
  );
  const app = await startOn(connection, again ? NO_SWEEP : NO_QUEUES, first!.app.now);
  const fleet = new Fleet(app, storage, IDS, pending);
  try {
    if (again) await fleet.rollOut(WANTED, 'first');
    // The sweep looks at a rollout that has not begun after ten minutes.
    else await app.skip({ minutes: 13 });
    const list = (await (await app.get('/api/rollouts')).json()) as { value: { id: string }[] };
    const [{ id } = { id: undefined }] = list.value;
    if (id === undefined) {
      expect(again).toBe(false);
      return operations;
    }
    await finish(fleet, id);
    await finish(fleet, id);

    const seen = await fleet.seen(id);
    expect(seen).toMatchObject({ state: 'completed', waves: [{}, { counts: { updated: 3 } }] });
    const devices = await Promise.all(
      IDS.map(async (device) => (await app.get(`/api/devices/${device}`)).json()),
    );
    expect(devices).toMatchObject(IDS.map(() => ({ firmware: '2.0.0' })));
    // Each device got one command. A kill may repeat one that was under way, and it has the same id.
    const commands = [...first!.commands, ...fleet.commands];
    expect(new Set(commands.map(({ command }) => command.id)).size).toBe(IDS.length);
    expect(commands.length).toBeLessThanOrEqual(IDS.length + (kill === Infinity ? 0 : MAX_PARALLEL));
    if (again) expect(seen.devices.value.map(({ attempts }) => attempts)).toEqual([1, 1, 1, 1]);
    const notified = (await storage.notifications()).filter(({ about }) => about.endsWith(id));
    expect(new Set(notified.map(({ key }) => key))).toEqual(new Set([`${id}-completed`]));
    return operations;
  } finally {
    await app.stop();
  }
}

it('killed at any storage operation of a rollout, each device is updated, and none twice without need', async () => {
  const operations = await rollOut(Infinity, true);
  await forKills(operations, 2, rollOut);
});
