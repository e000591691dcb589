/**
 * More at once than storage can do: starts by HTTP, and instances whose timers fell due while the emulator was
 * down. `BENCH_INSTANCES` is how many of each.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { BlobServiceClient } from '@azure/storage-blob';
import type * as Emulator from '../../emulator/src/emulator.js';
import { APP, built, report, withAzurite } from '../measure.ts';

const COUNT = Number(process.env['BENCH_INSTANCES'] ?? 500);
const HOUR = 3_600_000;

const { startEmulator } = await built<typeof Emulator>('emulator.js');

/** Sends all requests at once, as many callers do. @returns the statuses; 0 for a connection that breaks */
async function callers(port: number): Promise<number[]> {
  const agent = new http.Agent({ maxSockets: Infinity });
  const start = (): Promise<number> =>
    new Promise((resolve) => {
      http
        .request({ agent, host: '127.0.0.1', port, path: '/api/orchestrators/chain', method: 'POST' })
        .on('response', (response) => {
          response.resume().on('end', () => {
            resolve(response.statusCode!);
          });
        })
        .on('error', () => {
          resolve(0);
        })
        .end();
    });
  return Promise.all(Array.from({ length: COUNT }, start));
}

/** Collects when instances complete. */
function completions(emulator: Emulator.RunningEmulator): {
  times: number[];
  until: (count: number) => Promise<void>;
} {
  const times: number[] = [];
  let wanted = Infinity;
  let reached = (): void => {};
  emulator.host.engine.onChange(({ runtimeStatus }) => {
    if (runtimeStatus !== 'Completed') return;
    times.push(performance.now());
    if (times.length >= wanted) reached();
  });
  return {
    times,
    until: (count) =>
      new Promise((resolve) => {
        wanted = count;
        reached = resolve;
        if (times.length >= count) resolve();
      }),
  };
}

/** Starts chains of three activities. */
async function startsAtOnce(storage: string): Promise<void> {
  const emulator = await startEmulator({ app: APP, port: 0, storage });
  const { times, until } = completions(emulator);
  const begin = performance.now();
  const client = fork(import.meta.filename, [String(emulator.port)], { execArgv: [] });
  const [statuses] = (await once(client, 'message')) as [number[]];
  const answered = (performance.now() - begin) / 1000;
  const accepted = statuses.filter((status) => status === 202).length;
  await until(accepted);
  const method = `${COUNT} POSTs at once that start chains of three activities; Azurite on disk`;
  report({
    name: 'starts at once, not accepted',
    value: COUNT - accepted,
    unit: '',
    target: 0,
    better: 'lower',
    method,
  });
  report({
    name: 'starts at once, accepted',
    value: accepted / answered,
    unit: 'per second',
    better: 'higher',
    method,
  });
  report({
    name: 'starts at once, completed',
    value: accepted / ((times.at(-1)! - begin) / 1000),
    unit: 'per second',
    better: 'higher',
    method: `${method}; to the last completion`,
  });
  const half = Math.floor(accepted / 2);
  report({
    name: 'starts at once, pace of the second half',
    value: (times[half]! - times[0]!) / (times.at(-1)! - times[half]!),
    unit: 'of the first',
    better: 'higher',
    method: `${method}; completions in a second`,
  });
  await emulator.stop();
}

/** Starts instances with a timer, stops, and starts the emulator again when all timers are past. */
async function dueAtRestart(storage: string): Promise<void> {
  const options = { app: APP, port: 0, storage, hub: 'DueHub', clock: 'skip' as const };
  const before = await startEmulator(options);
  await Promise.all(
    Array.from({ length: COUNT }, () =>
      before.host.engine.startInstance({ name: 'sleeper', input: String(Date.now() + HOUR) }),
    ),
  );
  await before.host.engine.whenQuiet();
  await before.stop();
  // The hub's time, which a skip would have written.
  const clock = JSON.stringify({ ahead: 2 * HOUR });
  await BlobServiceClient.fromConnectionString(storage)
    .getContainerClient('duehub-applease')
    .getBlockBlobClient('clock')
    .upload(clock, clock.length);
  const begin = performance.now();
  const emulator = await startEmulator(options);
  const { times } = completions(emulator);
  await emulator.host.engine.whenQuiet();
  const seconds = (performance.now() - begin) / 1000;
  report({
    name: 'due at once after a restart',
    value: COUNT / seconds,
    unit: 'per second',
    target: 83,
    better: 'higher',
    method: `${COUNT} instances whose timer fell due while the emulator was down, from its start to the last completion; 83 is 10,000 in two minutes`,
  });
  const half = Math.floor(times.length / 2);
  report({
    name: 'due at once after a restart, pace of the second half',
    value: (times[half]! - times[0]!) / (times.at(-1)! - times[half]!),
    unit: 'of the first',
    better: 'higher',
    method: 'completions in a second',
  });
  await emulator.stop();
}

const port = Number(process.argv[2]);
if (port > 0) {
  process.send!(await callers(port));
  process.disconnect();
} else {
  await withAzurite(startsAtOnce);
  await withAzurite(dueAtRestart);
  process.exit(0);
}
