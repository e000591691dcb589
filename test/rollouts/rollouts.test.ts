/** What becomes of a rollout, on a clock that skips. */
import { describe, expect, it } from 'vitest';
import { Fleet } from './fleet.js';

describe('a rollout', () => {
  it('updates wave after wave, and soaks after each', async () => {
    const fleet = await Fleet.open(8, { verifyReplay: true });
    const id = await fleet.rollOut({ soak: 'PT1H' });
    expect(await fleet.work(id)).toBe(1);
    expect(await fleet.seen(id)).toMatchObject({
      state: 'soaking',
      wave: 1,
      deviceCount: 8,
      waves: [
        { number: 1, devices: 1, state: 'soaking', counts: { updated: 1 } },
        { number: 2, devices: 3, state: 'waiting', counts: { waiting: 3 } },
        { number: 3, devices: 4, state: 'waiting', counts: { waiting: 4 } },
      ],
    });
    await fleet.app.skip({ minutes: 59 });
    expect(await fleet.work(id)).toBe(0);
    await fleet.app.skip({ minutes: 2 });
    expect(await fleet.work(id)).toBe(3);
    await fleet.app.skip({ minutes: 61 });
    expect(await fleet.work(id)).toBe(4);
    await fleet.app.skip({ minutes: 61 });
    const seen = await fleet.seen(id);
    expect(seen).toMatchObject({ state: 'completed', reason: 'All waves are done' });
    expect(
      seen.devices.value.map(({ state, attempts, previousFirmware }) => [state, attempts, previousFirmware]),
    ).toEqual(Array.from({ length: 8 }, () => ['updated', 1, '1.0.0']));
    expect(await fleet.firmware()).toEqual({ '2.0.0': 8 });
    expect(fleet.commands).toHaveLength(8);
    expect(await fleet.app.instance(id)).toMatchObject({ runtimeStatus: 'Completed', output: 'completed' });
    expect(await fleet.storage.notifications()).toMatchObject([
      { to: 'operator', subject: 'Firmware 2.0.0: the rollout is completed', about: `/api/rollouts/${id}` },
    ]);
  });
});
