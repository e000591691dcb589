/** Devices under wrong input, repeated and simultaneous requests, lost monitors, and outages. */
import { QueueClient } from '@azure/storage-queue';
import { describe, expect, it } from 'vitest';
import type { TestAppOptions } from '../../emulator/src/testing.js';
import { pass as passOn, purgeOnce } from '../support/app.js';
import { account } from '../support/azurite.js';
import { Fleet, HOT } from './fleet.js';

const open = (options: TestAppOptions & { telemetryQueue?: boolean } = {}): Promise<Fleet> =>
  Fleet.open(options);
/** Lets minutes pass, with a sweep after every second one. */
const pass = ({ app }: Fleet, minutes: number): Promise<void> => passOn(app, minutes);

const MONITOR = 'device-monitor-pump-1-1';

/** What is wrong, the request, and the status of its answer. */
const requests: readonly [what: string, method: string, path: string, body: unknown, status: number][] = [
  ['an id in upper case', 'PUT', '/Pump', { interval: 'PT1M' }, 400],
  ['an id with two -', 'PUT', '/a--b', { interval: 'PT1M' }, 400],
  ['a long id', 'PUT', `/${'a'.repeat(51)}`, { interval: 'PT1M' }, 400],
  ['no interval', 'PUT', '/pump-1', {}, 400],
  ['an interval of nothing', 'PUT', '/pump-1', { interval: 'PT0S' }, 400],
  ['an interval of a year', 'PUT', '/pump-1', { interval: 'P1Y' }, 400],
  [
    'an endless threshold',
    'PUT',
    '/pump-1',
    `{"interval":"PT1M","threshold":{"metric":"t","above":1e999,"for":"PT1M"}}`,
    400,
  ],
  ['a metric without a name', 'PUT', '/pump-1', { interval: 'PT1M', threshold: { ...HOT, metric: '' } }, 400],
  ['an unknown device', 'POST', '/nobody/telemetry', { sequence: 1 }, 404],
  ['an id that is none', 'POST', '/No%20body/telemetry', { sequence: 1 }, 404],
  ['neither sequence nor time', 'POST', '/pump-1/telemetry', { metrics: {} }, 400],
  ['a value that is no number', 'POST', '/pump-1/telemetry', { sequence: 1, metrics: { t: null } }, 400],
  ['an endless value', 'POST', '/pump-1/telemetry', '{"sequence":1,"metrics":{"t":1e999}}', 400],
  ['a text for a value', 'POST', '/pump-1/telemetry', { sequence: 1, metrics: { t: 'NaN' } }, 400],
  [
    'metrics named as parts of objects',
    'POST',
    '/pump-1/telemetry',
    '{"sequence":1,"metrics":{"__proto__":1,"constructor":1}}',
    202,
  ],
  [
    '21 metrics',
    'POST',
    '/pump-1/telemetry',
    { sequence: 1, metrics: Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`m${n}`, n])) },
    400,
  ],
  ['a negative sequence', 'POST', '/pump-1/telemetry', { sequence: -1 }, 400],
  ['a time that is none', 'POST', '/pump-1/telemetry', { at: 'yesterday' }, 400],
  ['a day that is none', 'POST', '/pump-1/telemetry', { at: '2026-02-30T00:00:00Z' }, 400],
  ['a time ten minutes ahead', 'POST', '/pump-1/telemetry', { at: '2026-03-01T08:10:00Z' }, 400],
  ['a time of another age', 'POST', '/pump-1/telemetry', { at: '9999-12-31T23:59:59Z' }, 400],
  [
    '101 readings',
    'POST',
    '/pump-1/telemetry',
    { readings: Array.from({ length: 101 }, (_, sequence) => ({ sequence })) },
    400,
  ],
  ['no readings', 'POST', '/pump-1/telemetry', { readings: [] }, 400],
  ['a field that there is not', 'POST', '/pump-1/telemetry', { sequence: 1, colour: 'red' }, 400],
  ['a firmware with a line end', 'POST', '/pump-1/telemetry', { sequence: 1, firmware: '1\n2' }, 400],
  ['a time of long ago', 'POST', '/pump-1/telemetry', { at: '0001-01-01T00:00:00Z', metrics: {} }, 202],
  ['an unknown health', 'GET', '?health=happy', undefined, 400],
  ['a forged continuation', 'GET', "?continuation=x'%20or%201", undefined, 400],
  ['101 a page', 'GET', '?top=101', undefined, 400],
];

describe('A request', () => {
  it('that is wrong is answered with its status, and the monitor goes on', async () => {
    const fleet = await open();
    await fleet.register('pump-1', { threshold: HOT });
    const answers: unknown[] = [];
    for (const [what, method, path, body] of requests) {
      const { status } = await fleet.app.request(method, `/api/devices${path}`, {
        body,
        headers: { 'content-type': 'application/json' },
      });
      answers.push([what, status]);
    }
    expect(answers).toEqual(requests.map(([what, , , , status]) => [what, status]));
    await fleet.app.quiet();
    expect(await fleet.monitor('pump-1')).toMatchObject({ runtimeStatus: 'Running' });
  });

  it('that comes three times at once gives one device, one monitor, and one reading', async () => {
    const fleet = await open();
    const thrice = async (ask: () => Promise<Response>): Promise<number[]> =>
      (await Promise.all([ask(), ask(), ask()])).map(({ status }) => status).toSorted((a, b) => a - b);
    const path = '/api/devices/pump-1';
    const body = { interval: 'PT1M' };
    expect(await thrice(() => fleet.app.request('PUT', path, { body }))).toEqual([200, 200, 201]);
    await fleet.app.quiet();
    const reading = { sequence: 1, metrics: { temperature: 20 } };
    expect(await thrice(() => fleet.app.post(`${path}/telemetry`, reading))).toEqual([202, 202, 202]);
    await fleet.app.quiet();
    expect((await fleet.app.instances()).filter(({ name }) => name === 'DeviceMonitor')).toHaveLength(1);
    await fleet.app.skip({ minutes: 2 });
    expect(await thrice(() => fleet.app.delete(path))).toEqual([204, 204, 204]);
    await fleet.app.quiet();
    expect(await fleet.alerts('pump-1')).toEqual(['silence closed']);
    expect(await thrice(() => fleet.app.request('PUT', path, { body }))).toEqual([200, 200, 201]);
  });
});

describe('A monitor', () => {
  it('of which two run for one device opens, closes and sends each alert once', async () => {
    const fleet = await open();
    await fleet.register('pump-1');
    // A real host may accept two starts of one id. Here the second has an id of its own.
    await fleet.app.start('DeviceMonitor', { id: 'pump-1', registration: 1 }, 'second');
    await fleet.app.skip({ minutes: 2 });
    for (let minute = 0; minute < 4; minute += 1) {
      await fleet.report('pump-1');
      await fleet.app.raise('second', 'Changed');
      await fleet.app.skip({ minutes: 1 });
    }
    expect(await fleet.alerts('pump-1')).toEqual(['silence closed']);
    expect([...new Set(await fleet.notified())]).toEqual([
      'alert-pump-1-silence-open',
      'alert-pump-1-silence-closed',
    ]);
    await fleet.remove('pump-1');
    await fleet.app.raise('second', 'Changed').catch(() => {});
    expect(await fleet.app.instance('second')).toMatchObject({ runtimeStatus: 'Completed' });
  });

  it('that was terminated is started again by the sweep, and notices silence', async () => {
    const fleet = await open();
    await fleet.register('pump-1');
    await fleet.report('pump-1');
    await fleet.app.terminate(MONITOR, 'test');
    await pass(fleet, 20);
    expect(await fleet.monitor('pump-1')).toMatchObject({ runtimeStatus: 'Running' });
    expect(await fleet.alerts('pump-1')).toEqual(['silence open']);
  });

  it('that was terminated while its device was silent is started again by the next reading', async () => {
    const fleet = await open();
    await fleet.register('pump-1');
    await fleet.app.skip({ minutes: 2 });
    await fleet.app.terminate(MONITOR, 'test');
    await fleet.report('pump-1');
    await fleet.reporting('pump-1', 3);
    expect(await fleet.alerts('pump-1')).toEqual(['silence closed']);
  });

  it('that fails is started again by the sweep, and writes what it had not written', async () => {
    const fleet = await open();
    await fleet.register('pump-1');
    fleet.app.replace('AssessDevice', () => {
      throw new Error('The storage is down');
    });
    await fleet.app.skip({ hours: 3 });
    expect(await fleet.monitor('pump-1')).toMatchObject({ runtimeStatus: 'Failed' });
    fleet.app.restore('AssessDevice');
    await pass(fleet, 4);
    expect(await fleet.monitor('pump-1')).toMatchObject({ runtimeStatus: 'Running' });
    await fleet.app.skip({ minutes: 2 });
    expect(await fleet.alerts('pump-1')).toEqual(['silence open']);
    expect(await fleet.notified()).toEqual(['alert-pump-1-silence-open']);
  });

  it('that was terminated before it could end is ended by the sweep', async () => {
    const fleet = await open();
    await fleet.register('pump-1');
    await fleet.app.skip({ minutes: 2 });
    await fleet.app.suspend(MONITOR);
    expect(await fleet.remove('pump-1')).toBe(204);
    await fleet.app.terminate(MONITOR, 'test');
    await pass(fleet, 4);
    expect(await fleet.monitor('pump-1')).toMatchObject({ runtimeStatus: 'Completed' });
    expect(await fleet.alerts('pump-1')).toEqual(['silence closed']);
  });

  it('that was held up by an outage gives devices the lost time, and then notices silence', async () => {
    const storage = await account();
    const host = (time: string): Promise<Fleet> =>
      open({ storage, settings: { AppStorage: storage }, time: `2026-03-01T${time}Z` });
    const before = await host('08:00:00');
    for (const id of ['pump-1', 'pump-2']) {
      await before.register(id);
      await before.report(id);
    }
    await before.app.stop();
    const fleet = await host('10:00:00');
    await fleet.app.skip({ seconds: 1 });
    expect([await fleet.health('pump-1'), await fleet.health('pump-2')]).toEqual(['healthy', 'healthy']);
    await fleet.reporting('pump-1', 3);
    expect(await fleet.alerts('pump-1')).toEqual([]);
    expect(await fleet.alerts('pump-2')).toEqual(['silence open']);
  });
});

describe('A removed device', () => {
  it('and its alerts leave nothing after 90 days, and it can come back', async () => {
    const fleet = await open();
    await fleet.register('pump-1');
    await fleet.report('pump-1', 20, { firmware: '1.0.0' });
    await fleet.app.skip({ minutes: 2 });
    await fleet.remove('pump-1');
    await fleet.app.skip({ days: 91 });
    await purgeOnce(fleet.app);
    for (const table of ['Devices', 'Alerts', 'DevicesIndex', 'AlertsIndex'])
      expect([table, await fleet.storage.allRowKeys(table)]).toEqual([table, []]);
    expect(await fleet.storage.dueEntries()).toEqual([]);
    expect(await fleet.register('pump-1')).toBe(201);
    await fleet.app.skip({ minutes: 2 });
    expect(await fleet.alerts('pump-1')).toEqual(['silence open']);
  });
});

describe('The queue telemetry', () => {
  it('takes readings of many devices, and drops those that are wrong or of nobody', async () => {
    const fleet = await open({ telemetryQueue: true });
    for (const id of ['pump-1', 'pump-2']) await fleet.register(id);
    const at = fleet.app.now.toISOString();
    await send(fleet, {
      readings: [
        { device: 'pump-1', at: '2026-03-01T07:59:00Z', metrics: { temperature: 20 } },
        { device: 'nobody', at },
        { device: '../x', at },
        { device: 'pump-2', at, metrics: { temperature: 'hot' } },
        { device: 'pump-2', at: '2099-01-01T00:00:00Z' },
        null,
        { device: 'pump-2', sequence: 1, firmware: '2.0.0' },
        ...Array.from({ length: 93 }, (_, sequence) => ({ device: 'pump-1', at, sequence })),
      ],
    });
    await fleet.app.quiet();
    expect(await fleet.device('pump-1')).toMatchObject({ health: 'healthy', lastReading: { sequence: 92 } });
    expect(await fleet.device('pump-2')).toMatchObject({ health: 'healthy', firmware: '2.0.0' });
    expect(await poison(fleet)).toBe(0);
  });

  it('keeps messages that are none for the operator, and goes on', async () => {
    const fleet = await open({ telemetryQueue: true });
    await fleet.register('pump-1');
    const readings = Array.from({ length: 101 }, (_, sequence) => ({ device: 'pump-1', sequence }));
    for (const message of ['not JSON', [], { readings }]) await send(fleet, message);
    await send(fleet, { readings: [{ device: 'pump-1', sequence: 7 }] });
    await expect.poll(() => poison(fleet)).toBe(3);
    await fleet.app.quiet();
    expect(await fleet.device('pump-1')).toMatchObject({ lastReading: { sequence: 7 } });
  });
});

async function send({ storage }: Fleet, message: unknown): Promise<void> {
  const queue = new QueueClient(storage.connectionString, 'telemetry');
  await queue.createIfNotExists();
  const text = typeof message === 'string' ? message : JSON.stringify(message);
  await queue.sendMessage(Buffer.from(text).toString('base64'));
}

/** How many messages are in the queue of those that could not be read. */
async function poison({ storage }: Fleet): Promise<number> {
  const queue = new QueueClient(storage.connectionString, 'telemetry-poison');
  if (!(await queue.exists())) return 0;
  return (await queue.getProperties()).approximateMessagesCount ?? 0;
}
