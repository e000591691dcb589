/** Devices on skipped time: silence, thresholds, recovery, and what late, repeated and wrong readings do. */
import { describe, expect, it } from 'vitest';
import { Fleet, HOT, type SeenAlert, type SeenDevice, type SeenPage } from './fleet.js';

describe('A device', () => {
  it('that reports is healthy, and shows its last reading', async () => {
    const fleet = await Fleet.open({ verifyReplay: true });
    expect(await fleet.register('pump-1')).toBe(201);
    expect(await fleet.health('pump-1')).toBe('unknown');
    await fleet.report('pump-1', 21, { sequence: 7, firmware: '1.0.0' });
    expect(await fleet.device('pump-1')).toMatchObject({
      id: 'pump-1',
      interval: 'PT1M',
      health: 'healthy',
      firmware: '1.0.0',
      alerts: {},
      lastReading: { sequence: 7, metrics: { temperature: 21 } },
    });
    await fleet.reporting('pump-1', 10);
    expect(await fleet.health('pump-1')).toBe('healthy');
    expect(await fleet.alerts('pump-1')).toEqual([]);
  });

  it('that is silent for two intervals has one alert, until it has reported for three without a gap', async () => {
    const fleet = await Fleet.open({ verifyReplay: true });
    await fleet.register('pump-1');
    await fleet.report('pump-1');
    await fleet.app.skip({ seconds: 119 });
    expect(await fleet.health('pump-1')).toBe('healthy');
    await fleet.app.skip({ seconds: 1 });
    expect(await fleet.health('pump-1')).toBe('silent');
    await fleet.app.skip({ days: 3 });
    expect(await fleet.alerts('pump-1')).toEqual(['silence open']);

    await fleet.report('pump-1');
    expect(await fleet.health('pump-1')).toBe('unhealthy');
    await fleet.reporting('pump-1', 2);
    expect(await fleet.alerts('pump-1')).toEqual(['silence open']);
    await fleet.reporting('pump-1', 1);
    expect(await fleet.alerts('pump-1')).toEqual(['silence closed']);
    expect(await fleet.health('pump-1')).toBe('healthy');
    expect(await fleet.notified()).toEqual(['alert-pump-1-silence-open', 'alert-pump-1-silence-closed']);
  });

  it('that never reports is silent two intervals after it was registered', async () => {
    const fleet = await Fleet.open();
    await fleet.register('pump-1');
    await fleet.app.skip({ minutes: 2 });
    expect(await fleet.health('pump-1')).toBe('silent');
    expect(await fleet.alerts('pump-1')).toEqual(['silence open']);
  });

  it('whose metric is above its threshold for its time has one alert, until it is not for as long', async () => {
    const fleet = await Fleet.open();
    await fleet.register('pump-1', { threshold: HOT });
    await fleet.report('pump-1', 95);
    await fleet.reporting('pump-1', 9, 95);
    expect(await fleet.health('pump-1')).toBe('healthy');
    await fleet.reporting('pump-1', 1, 95);
    expect(await fleet.health('pump-1')).toBe('unhealthy');
    expect(await fleet.alerts('pump-1')).toEqual(['threshold open']);
    await fleet.reporting('pump-1', 10, 70);
    expect(await fleet.alerts('pump-1')).toEqual(['threshold open']);
    await fleet.reporting('pump-1', 3, 70);
    expect(await fleet.alerts('pump-1')).toEqual(['threshold closed']);
    expect(await fleet.health('pump-1')).toBe('healthy');
  });

  it('that reports seldom is looked at when its metric has been too high for its time, not at its next reading', async () => {
    const fleet = await Fleet.open();
    await fleet.register('pump-1', { interval: 'P1D', threshold: HOT });
    await fleet.report('pump-1', 20);
    await fleet.app.skip({ hours: 20 });
    await fleet.report('pump-1', 95);
    await fleet.app.skip({ minutes: 9 });
    expect(await fleet.health('pump-1')).toBe('healthy');
    await fleet.app.skip({ minutes: 1 });
    expect(await fleet.alerts('pump-1')).toEqual(['threshold open']);
  });

  it('that flaps gives one alert about silence, and one about its metric', async () => {
    const fleet = await Fleet.open();
    await fleet.register('pump-1', { threshold: HOT });
    for (let spell = 0; spell < 4; spell += 1) {
      await fleet.report('pump-1');
      await fleet.app.skip({ seconds: 150 });
    }
    await fleet.reporting('pump-1', 11, 95);
    for (let spell = 0; spell < 3; spell += 1) {
      await fleet.reporting('pump-1', 2, 70);
      await fleet.reporting('pump-1', 2, 95);
    }
    expect(await fleet.alerts('pump-1')).toEqual(['silence closed', 'threshold open']);
    expect(await fleet.notified()).toHaveLength(3);
  });

  it('lives for a month: spells of silence and of heat give one alert each, and nothing else does', async () => {
    const fleet = await Fleet.open();
    await fleet.register('pump-1', { interval: 'PT12H', threshold: { ...HOT, for: 'P1D' } });
    for (let half = 0; half < 2 * 30; half += 1) {
      const day = half / 2;
      const isSilent = day >= 7 && day < 10;
      // Hot for half a day on day 15, and for three days from day 20.
      const isHot = day === 15 || (day >= 20 && day < 23);
      if (!isSilent) await fleet.report('pump-1', isHot ? 95 : 20);
      await fleet.app.skip({ hours: 12 });
    }
    const { value } = await fleet.page<SeenAlert>('/api/alerts?device=pump-1');
    expect(
      value.map(({ kind, openedAt, closedAt }) => [kind, openedAt.slice(5, 13), closedAt?.slice(5, 13)]),
    ).toEqual([
      // Hot from the 21st at 8:00, and not any more from the 24th.
      ['threshold', '03-22T08', '03-25T08'],
      // The last reading of the first week came on the 7th at 20:00; the next on the 11th at 8:00.
      ['silence', '03-08T20', '03-12T20'],
    ]);
    expect(await fleet.notified()).toHaveLength(4);
    expect(await fleet.health('pump-1')).toBe('healthy');
    // It has continued as new: its history holds a few looks, not a month of them.
    expect((await fleet.app.history('device-monitor-pump-1-1')).length).toBeLessThan(300);
  });

  it('is not hurt by late and repeated readings', async () => {
    const fleet = await Fleet.open();
    await fleet.register('pump-1', { threshold: { ...HOT, for: 'PT1M' } });
    await fleet.report('pump-1', 20, { sequence: 5 });
    await fleet.app.skip({ minutes: 1 });
    const before = await fleet.device('pump-1');
    const { at } = before.lastReading!;
    const older = '2026-03-01T07:00:00Z';
    for (const reading of [{ at }, { at: older }, { at: undefined, sequence: 5 }, { at: older, sequence: 6 }])
      await fleet.report('pump-1', 99, { ...reading, firmware: '0.0.1' });
    expect(await fleet.device('pump-1')).toEqual(before);
    // They are no sign of life either.
    await fleet.app.skip({ minutes: 1 });
    expect(await fleet.health('pump-1')).toBe('silent');
  });

  it('that gains a threshold, and loses it, is judged by what it has', async () => {
    const fleet = await Fleet.open();
    const threshold = { ...HOT, for: 'PT3M' };
    await fleet.register('pump-1');
    await fleet.report('pump-1', 95);
    await fleet.reporting('pump-1', 4, 95);
    expect(await fleet.register('pump-1', { threshold })).toBe(200);
    await fleet.reporting('pump-1', 2, 95);
    expect(await fleet.alerts('pump-1')).toEqual([]);
    await fleet.reporting('pump-1', 1, 95);
    expect(await fleet.alerts('pump-1')).toEqual(['threshold open']);
    expect(await fleet.register('pump-1', { threshold: { ...threshold, above: 100 } })).toBe(200);
    expect(await fleet.alerts('pump-1')).toEqual(['threshold closed']);
    await fleet.reporting('pump-1', 4, 95);
    expect(await fleet.health('pump-1')).toBe('healthy');
  });

  it('that shall report more seldom is silent later, and its monitor learns it at once', async () => {
    const fleet = await Fleet.open();
    await fleet.register('pump-1');
    await fleet.report('pump-1');
    await fleet.register('pump-1', { interval: 'PT1H' });
    await fleet.app.skip({ minutes: 119 });
    expect(await fleet.health('pump-1')).toBe('healthy');
    await fleet.app.skip({ minutes: 1 });
    expect(await fleet.health('pump-1')).toBe('silent');
  });

  it('that is removed has its alerts closed, its monitor ended and its readings forgotten; it can come back', async () => {
    const fleet = await Fleet.open({ verifyReplay: true });
    await fleet.register('pump-1');
    await fleet.report('pump-1', 20, { firmware: '1.0.0' });
    await fleet.app.skip({ minutes: 2 });
    expect(await fleet.remove('pump-1')).toBe(204);
    expect(await fleet.remove('pump-1')).toBe(204);
    expect(await fleet.alerts('pump-1')).toEqual(['silence closed']);
    expect(await fleet.monitor('pump-1')).toMatchObject({ runtimeStatus: 'Completed' });
    expect(await fleet.app.entity({ name: 'Device', key: 'pump-1-1' })).toEqual({});
    expect((await fleet.app.get('/api/devices/pump-1')).status).toBe(404);
    expect((await fleet.app.post('/api/devices/pump-1/telemetry', { sequence: 1 })).status).toBe(404);
    expect((await fleet.page('/api/devices')).value).toEqual([]);
    await fleet.app.skip({ days: 1 });
    expect(await fleet.notified()).toHaveLength(2);

    expect(await fleet.register('pump-1')).toBe(201);
    expect(await fleet.device('pump-1')).not.toHaveProperty('firmware');
    expect(await fleet.monitor('pump-1', 2)).toMatchObject({ runtimeStatus: 'Running' });
    await fleet.app.skip({ minutes: 2 });
    expect(await fleet.alerts('pump-1')).toEqual(['silence closed', 'silence open']);
  });

  it('that is silent costs nothing, however long', async () => {
    const fleet = await Fleet.open();
    await fleet.register('pump-1');
    await fleet.app.skip({ minutes: 2 });
    const before = await fleet.app.history('device-monitor-pump-1-1');
    await fleet.app.skip({ days: 365 });
    expect(await fleet.app.history('device-monitor-pump-1-1')).toEqual(before);
  });

  it('whose clock is wrong by hours gets no alert before its time', async () => {
    const fleet = await Fleet.open();
    await fleet.register('pump-1', { threshold: HOT });
    for (let minute = 0; minute < 9; minute += 1) {
      const at = new Date(fleet.app.now.getTime() - 7 * 3_600_000).toISOString();
      await fleet.report('pump-1', 95, { at });
      await fleet.app.skip({ minutes: 1 });
    }
    expect(await fleet.health('pump-1')).toBe('healthy');
  });

  it('that sends an hour of readings at once is judged by their own times', async () => {
    const fleet = await Fleet.open();
    await fleet.register('pump-1', { threshold: HOT });
    const minutes = Array.from({ length: 60 }, (_, minute) => ({
      at: new Date(fleet.app.now.getTime() - minute * 60_000).toISOString(),
      metrics: { temperature: minute < 11 ? 95 : 20 },
    }));
    await fleet.app.post('/api/devices/pump-1/telemetry', { readings: minutes });
    await fleet.app.quiet();
    expect(await fleet.alerts('pump-1')).toEqual(['threshold open']);
  });
});

describe('Lists', () => {
  it('of devices are in pages, by health and by firmware', async () => {
    const fleet = await Fleet.open();
    for (const number of [1, 2, 3, 4, 5]) await fleet.register(`pump-${number}`);
    for (const number of [1, 2, 3])
      await fleet.report(`pump-${number}`, 20, { firmware: number < 3 ? '1' : '2' });
    const ids = async (query: string): Promise<string[]> => {
      const found: string[] = [];
      let next: string | undefined = `/api/devices?top=2${query}`;
      while (next !== undefined) {
        const page: SeenPage<SeenDevice> = await fleet.page(next);
        expect(page.value.length).toBeLessThanOrEqual(2);
        found.push(...page.value.map(({ id }) => id));
        next = page.nextLink;
      }
      return found;
    };
    expect(await ids('')).toEqual(['pump-1', 'pump-2', 'pump-3', 'pump-4', 'pump-5']);
    expect(await ids('&health=healthy')).toEqual(['pump-1', 'pump-2', 'pump-3']);
    expect(await ids('&health=unknown')).toEqual(['pump-4', 'pump-5']);
    expect(await ids('&firmware=1')).toEqual(['pump-1', 'pump-2']);
    expect(await ids('&firmware=2&health=healthy')).toEqual(['pump-3']);
    await fleet.app.skip({ minutes: 2 });
    expect(await ids('&firmware=2&health=healthy')).toEqual([]);
    expect(await ids('&firmware=1&health=silent')).toEqual(['pump-1', 'pump-2']);

    const open = await fleet.page<SeenAlert>('/api/alerts?state=open&top=3');
    expect(open.value).toHaveLength(3);
    expect((await fleet.page<SeenAlert>(open.nextLink!)).value).toHaveLength(2);
    expect((await fleet.page('/api/alerts?state=closed')).value).toEqual([]);
  });
});
