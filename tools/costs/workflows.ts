/** The workflows whose costs are measured: a typical life of each, by HTTP alone. */
import { randomUUID } from 'node:crypto';
import { sampleSales } from '../sample-sales.ts';
import type { Meter } from './meter.ts';

/** The sizes of what is measured. */
export interface Sizes {
  /** Lines of the large file. */
  lines: number;
  /** Readings of the device's day. */
  readings: number;
  /** Devices of the rollout. */
  devices: number;
}

/** A workflow that is measured. */
export interface Measured {
  name: string;
  /** What is measured, for people. */
  title: (sizes: Sizes) => string;
  /** Whether it waits longer than a person would. */
  waits?: true;
  /** Whether it is measured once and not several times, because it is long. */
  once?: true;
  /** What has to be there before, and is not counted. @returns what {@link run} gets */
  prepare?: (meter: Meter, sizes: Sizes) => Promise<string>;
  run: (meter: Meter, sizes: Sizes, prepared: string) => Promise<void>;
}

const CHUNK_LINES = 1_000;
const DAY_MINUTES = 1_440;

export const workflows: readonly Measured[] = [
  {
    name: 'approval-decided',
    title: () => 'an approval, decided',
    async run(meter) {
      const id = await ask(meter, 'P1D');
      await decide(meter, id, 'kim');
    },
  },
  {
    name: 'approval-escalated',
    title: () => 'an approval, escalated and then decided',
    async run(meter) {
      const id = await ask(meter, 'PT1S');
      await meter.pass({ seconds: 3 });
      await decide(meter, id, 'robin');
    },
  },
  {
    name: 'reminders',
    title: () => 'ten reminders over 45 days',
    waits: true,
    async run(meter) {
      await meter.call('POST', '/api/reminders', { to: 'pat', message: 'Water the plants' });
      await meter.pass({ days: 46 });
    },
  },
  {
    name: 'game',
    title: () => 'a game in the dungeon, won in three moves',
    async run(meter) {
      const name = `Pat ${randomUUID().slice(0, 8)}`;
      await meter.call('POST', '/api/NewUser', { name });
      await meter.settle();
      await meter.call('POST', '/api/ConfirmUser', { name });
      await meter.settle();
      const act = async (action: string, target: string, tool = ''): Promise<World> =>
        (await meter.call('POST', '/api/Action', { name, action, target, with: tool })) as unknown as World;
      const { room, monster } = (await meter.call(
        'GET',
        `/api/GameStatus/${encodeURIComponent(name)}`,
      )) as unknown as World;
      const weapon = room.inventoryItems;
      await act('get', weapon);
      const slain = await act('kill', monster.name, weapon);
      await act('get', slain.room.inventoryItems);
      await meter.pass({ seconds: 21 });
    },
  },
  {
    name: 'order',
    title: () => 'an order of one line, dispatched',
    async prepare(meter) {
      await meter.call('POST', '/api/stock/hammer/receipts', { receiptId: randomUUID(), quantity: 10 });
      await meter.settle();
      return '';
    },
    async run(meter) {
      const cart = `/api/carts/${randomUUID()}`;
      await meter.call('PUT', `${cart}/items/hammer`, { quantity: 2 });
      await meter.settle();
      await meter.call('POST', `${cart}/checkout`, { payment: { token: 'pays' }, shipTo: 'Main Street 1' });
      await meter.settle();
    },
  },
  {
    name: 'device-day',
    title: ({ readings }) => `a device’s day of ${readings} readings`,
    waits: true,
    once: true,
    async prepare(meter, { readings }) {
      const id = `pump-${randomUUID().slice(0, 8)}`;
      await meter.call('PUT', `/api/devices/${id}`, { interval: `PT${DAY_MINUTES / readings}M` });
      await meter.settle();
      return id;
    },
    async run(meter, { readings }, id) {
      for (let sequence = 1; sequence <= readings; sequence += 1) {
        await meter.call('POST', `/api/devices/${id}/telemetry`, { sequence, metrics: { temperature: 20 } });
        await meter.pass({ minutes: DAY_MINUTES / readings });
      }
    },
  },
  {
    name: 'rollout',
    title: ({ devices }) => `a rollout to ${devices} devices, in two waves`,
    async prepare(meter, { devices }) {
      const fleet = randomUUID().slice(0, 8);
      const ids = Array.from({ length: devices }, (_, number) => `${fleet}-${number}`);
      for (const id of ids) await meter.call('PUT', `/api/devices/${id}`, { interval: 'P30D' });
      await meter.settle();
      return ids.join(',');
    },
    async run(meter, { devices }, ids) {
      const rollout = await meter.call('POST', '/api/rollouts', {
        firmware: '2.0.0',
        devices: ids.split(','),
        waves: [1, '100%'],
        soak: 'PT0S',
      });
      const path = `/api/rollouts/${String(rollout['id'])}`;
      for (let reported = 0; reported < devices;) {
        await meter.settle();
        const { value } = (await meter.call('GET', `${path}/devices?state=sent`)) as {
          value: { device: string; command: string }[];
        };
        if (value.length === 0) throw new Error(`No device of ${path} has a command`);
        for (const { device, command } of value)
          await meter.call('POST', `/api/devices/${device}/updates/${command}`, { outcome: 'succeeded' });
        reported += value.length;
      }
      await meter.settle();
    },
  },
  {
    name: 'ingestion-chunk',
    title: () => `an ingestion of ${CHUNK_LINES.toLocaleString('en')} lines, one chunk`,
    run: (meter) => ingest(meter, CHUNK_LINES).then(() => {}),
  },
  {
    name: 'ingestion',
    title: ({ lines }) => `an ingestion of ${lines.toLocaleString('en')} lines`,
    once: true,
    run: (meter, { lines }) => ingest(meter, lines).then(() => {}),
  },
  {
    name: 'job',
    title: () => 'a job: a report on an ingestion of one chunk',
    prepare: (meter) => ingest(meter, CHUNK_LINES),
    async run(meter, _, ingestion) {
      const job = await meter.call('POST', '/api/jobs', { kind: 'sales-report', ingestion });
      await meter.settle();
      await meter.call('GET', `/api/jobs/${String(job['id'])}/result`);
    },
  },
];

/** The timer functions, each once: what an app does that has nothing to do. */
export const timers: readonly { name: string; function: string; timesADay: number }[] = [
  { name: 'sweep', function: 'Sweep', timesADay: 1_440 },
  { name: 'heartbeat', function: 'SendHeartbeat', timesADay: 1_440 },
  { name: 'purge', function: 'Purge', timesADay: 24 },
];

interface World {
  monster: { name: string };
  room: { inventoryItems: string };
}

async function ask(meter: Meter, respondWithin: string): Promise<string> {
  const { id } = await meter.call('POST', '/api/approvals', {
    subject: 'A new chair',
    requestedBy: 'pat',
    approver: 'kim',
    escalateTo: 'robin',
    respondWithin,
  });
  if (respondWithin !== 'PT1S') await meter.settle();
  return String(id);
}

async function decide(meter: Meter, id: string, by: string): Promise<void> {
  await meter.call('POST', `/api/approvals/${id}/decision`, { decision: 'approved', by });
  await meter.settle();
}

/** @returns the id of the ingestion */
async function ingest(meter: Meter, lines: number): Promise<string> {
  // Its own first line, because a file that was ingested before is not ingested again.
  const own = `{"date":"2026-11-27","store":"${randomUUID()}","sku":"SKU-1","quantity":1,"amount":1}\n`;
  const parts = function* (): Generator<string> {
    yield own;
    yield* sampleSales({ lines: lines - 1, format: 'ndjson' });
  };
  const body = ReadableStream.from(parts()).pipeThrough(new TextEncoderStream());
  const { id } = await meter.call('POST', '/api/ingestions', body, {
    'content-type': 'application/x-ndjson',
  });
  await meter.settle();
  return String(id);
}
