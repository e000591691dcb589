/** Devices on skipped time: silence, thresholds, recovery, and what late, repeated and wrong readings do. */
import { describe, expect, it } from 'vitest';
import { Fleet, HOT } from './fleet.js';

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
    expect(await fleet.notified()).toEqual(['alert-pump-1-1-open', 'alert-pump-1-1-closed']);
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
});
