/** Telemetry of 1,000 devices at once, on both hubs; and what a device costs that does nothing. */
import diagnostics from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { QueueClient } from '@azure/storage-queue';
import type * as Emulator from '../../emulator/src/emulator.js';
import type * as Testing from '../../emulator/src/testing.js';
import { built, report, timed, withAzurite } from '../measure.ts';

const root = path.join(import.meta.dirname, '../..');
const { startEmulator } = await built<typeof Emulator>('emulator.js');
const { TestApp } = await built<typeof Testing>('testing.js');

const DEVICES = 1000;
const THRESHOLD = { metric: 'temperature', above: 80, for: 'PT10M' };

/** Requests to storage, without those that only look into a queue: they cost the same whatever the number of devices. */
let requests = 0;
diagnostics.subscribe('http.client.request.start', (message) => {
  const { method, path: to } = (message as { request: ClientRequest }).request;
  if (method !== 'GET' || !/\/messages\?/.test(to)) requests += 1;
});

/** Does a task for each device, 50 at a time. */
async function forAll(task: (device: string) => Promise<void>): Promise<void> {
  const devices = Array.from({ length: DEVICES }, (_, number) => `pump-${number}`).values();
  await Promise.all(
    Array.from({ length: 50 }, async () => {
      for (const device of devices) await task(device);
    }),
  );
}

async function telemetry(hub: 'memory' | 'Azurite', connection: string): Promise<void> {
  process.env['AppStorage'] = connection;
  const emulator = await startEmulator({
    app: root,
    port: 0,
    storage: hub === 'memory' ? 'memory' : connection,
  });
  const { engine } = emulator.host;
  const send = async (method: string, to: string, body: object): Promise<void> => {
    const response = await fetch(`http://127.0.0.1:${emulator.port}/api/devices/${to}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok)
      throw new Error(`${method} ${to} answered ${response.status}: ${await response.text()}`);
    await response.arrayBuffer();
  };
  const reading = (): object => ({ at: new Date().toISOString(), metrics: { temperature: 20 } });

  const received = async (device: string, at: string): Promise<boolean> =>
    (await (await fetch(`http://127.0.0.1:${emulator.port}/api/devices/${device}`)).text()).includes(at);

  await forAll((device) => send('PUT', device, { interval: 'PT1H', threshold: THRESHOLD }));
  // The first reading wakes the monitor. Those that are measured find a healthy device.
  await forAll((device) => send('POST', `${device}/telemetry`, reading()));
  await engine.whenQuiet();

  const method = `one reading each of ${DEVICES} healthy devices, 50 requests at a time, until every entity has it; hub ${hub}, tables on Azurite`;
  const before = requests;
  const took = await timed(async () => {
    await forAll((device) => send('POST', `${device}/telemetry`, reading()));
    await engine.whenQuiet();
  });
  report({
    name: `readings a second, ${hub}`,
    value: (DEVICES / took) * 1000,
    unit: 'a second',
    better: 'higher',
    method,
  });
  report({
    name: `storage requests a reading, ${hub}`,
    value: (requests - before) / DEVICES,
    unit: '',
    better: 'lower',
    method,
  });

  const queue = new QueueClient(connection, 'telemetry');
  await queue.createIfNotExists();
  const queued = requests;

  const at = new Date().toISOString();
  const tookQueued = await timed(async () => {
    for (let from = 0; from < DEVICES; from += 100) {
      const readings = Array.from({ length: 100 }, (_, index) => ({ device: `pump-${from + index}`, at }));
      await queue.sendMessage(Buffer.from(JSON.stringify({ readings })).toString('base64'));
    }
    // The last device of each message.
    for (let number = 99; number < DEVICES; number += 100) {
      while (!(await received(`pump-${number}`, at))) await sleep(200);
    }
    await engine.whenQuiet();
  });
  report({
    name: `readings a second by the queue, ${hub}`,
    value: (DEVICES / tookQueued) * 1000,
    unit: 'a second',
    better: 'higher',
    method: `${DEVICES / 100} messages of 100 readings, each of another device, until all have theirs; hub ${hub}`,
  });
  report({
    name: `storage requests a reading by the queue, ${hub}`,
    value: (requests - queued) / DEVICES,
    unit: '',
    better: 'lower',
    method: 'of the same',
  });
  globalThis.gc?.();
  globalThis.gc?.();
  report({
    name: `memory with ${DEVICES} devices, ${hub}`,
    value: process.memoryUsage().rss / 2 ** 20,
    unit: 'MB',
    better: 'lower',
    method: 'resident set of the emulator’s process after that, collected, the measuring code included',
  });
  await emulator.stop();
}

/** Requests to storage a day of one device: one that does not report, and one that reports every hour. */
async function day(connection: string): Promise<void> {
  const app = await TestApp.start({
    app: () => import(new URL('../../dist/index.js', import.meta.url).href),
    storage: connection,
    settings: {
      AppStorage: connection,
      // Timer functions cost the same whatever the number of devices.
      ...Object.fromEntries(
        ['Sweep', 'SendHeartbeat', 'Purge'].map((name) => [`AzureWebJobs.${name}.Disabled`, 'true']),
      ),
    },
    verifyReplay: false,
  });
  const days = 10;
  await app.request('PUT', '/api/devices/idle', { body: { interval: 'PT1H', threshold: THRESHOLD } });
  await app.skip({ hours: 3 });
  let before = requests;
  await app.skip({ days });
  report({
    name: 'storage requests of an idle device a day',
    value: (requests - before) / days,
    unit: '',
    target: 0,
    better: 'lower',
    method: `mean of ${days} skipped days of a silent device, whose alert is open: hub, tables and queues`,
  });

  await app.request('PUT', '/api/devices/busy', { body: { interval: 'PT1H', threshold: THRESHOLD } });
  await app.skip({ minutes: 1 });
  let reported = 0;
  before = requests;
  for (let hour = 0; hour < 24; hour += 1) {
    const start = requests;
    await app.post('/api/devices/busy/telemetry', { sequence: hour, metrics: { temperature: 20 } });
    await app.quiet();
    reported += requests - start;
    await app.skip({ hours: 1 });
  }
  report({
    name: 'storage requests of the monitor of a device that reports every hour, a day',
    value: requests - before - reported,
    unit: '',
    better: 'lower',
    method: `a skipped day; its 24 readings cost ${reported} more`,
  });
  await app.stop();
}

await withAzurite((connection) => telemetry('memory', connection));
await withAzurite((connection) => telemetry('Azurite', connection));
await withAzurite(day);
process.exit(0);
