/**
 * More at once than storage can do: starts by HTTP, and instances whose timers fell due while the emulator was
 * down. `BENCH_INSTANCES` is how many of each.
 */
import { BlobServiceClient } from '@azure/storage-blob';
import type * as Emulator from '../../emulator/src/emulator.js';
import { APP, built, report, timed, withAzurite } from '../measure.ts';

const COUNT = Number(process.env['BENCH_INSTANCES'] ?? 1_000);
const HOUR = 3_600_000;

const { startEmulator } = await built<typeof Emulator>('emulator.js');

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
  const start = async (): Promise<number> => {
    const response = await fetch(`http://127.0.0.1:${emulator.port}/api/orchestrators/chain`, {
      method: 'POST',
    });
    await response.arrayBuffer();
    return response.status;
  };
  const statuses = await Promise.all(Array.from({ length: COUNT }, () => start().catch(() => 0)));
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
  const emulator = await startEmulator(options);
  const { times, until } = completions(emulator);
  const begin = performance.now();
  const milliseconds = await timed(() => until(COUNT));
  report({
    name: `due at once after a restart`,
    value: COUNT / (milliseconds / 1000),
    unit: 'per second',
    target: 83,
    better: 'higher',
    method: `${COUNT} instances whose timer fell due while the emulator was down, from its start to the last completion; 83 is 10,000 in two minutes`,
  });
  const half = Math.floor(COUNT / 2);
  report({
    name: 'due at once after a restart, pace of the second half',
    value: (times[half]! - begin) / (times.at(-1)! - times[half]!),
    unit: 'of the first',
    better: 'higher',
    method: 'completions in a second',
  });
  await emulator.stop();
}

await withAzurite(async (storage) => {
  await startsAtOnce(storage);
});
await withAzurite(async (storage) => {
  await dueAtRestart(storage);
});
process.exit(0);
