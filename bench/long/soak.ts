/**
 * Ten thousand instances wait while others work for ten minutes (`BENCH_MINUTES` for another time). Shows
 * whether memory grows and whether calls get slower.
 */
import type * as Emulator from '../../emulator/src/emulator.js';
import { APP, built, median, report, timed, withAzurite } from '../measure.ts';

const { startEmulator } = await built<typeof Emulator>('emulator.js');
const MINUTES = Number(process.env['BENCH_MINUTES'] ?? 10);
const WAITING = 10_000;
const WORKERS = 4;

interface Minute {
  memory: number;
  resident: number;
  chain: number;
  event: number;
  slowest: number;
}

await withAzurite(async (storage) => {
  const emulator = await startEmulator({ app: APP, port: 0, storage });
  const { engine } = emulator.host;
  const api = `http://127.0.0.1:${emulator.port}/runtime/webhooks/durabletask/instances`;
  const done = new Map<string, () => void>();
  engine.onChange(({ instanceId, runtimeStatus }) => {
    if (runtimeStatus === 'Completed') done.get(instanceId)?.();
  });
  const wait = (): Promise<string> => engine.startInstance({ name: 'waiter', input: '""' });
  const ask = async (method: string, url: string, body?: string): Promise<void> => {
    const response = await fetch(url, {
      method,
      ...(body !== undefined && { body, headers: { 'content-type': 'application/json' } }),
    });
    await response.arrayBuffer();
    if (!response.ok) throw new Error(`${method} ${url} was answered ${response.status}.`);
  };
  /**
   * Completes an instance by `how`, waits for the completion, and purges it.
   *
   * @returns milliseconds to its completion
   */
  const completed = async (id: string, how: () => Promise<unknown>): Promise<number> => {
    const took = await timed(async () => {
      const completion = new Promise<void>((resolve) => {
        done.set(id, resolve);
      });
      await how();
      await completion;
    });
    done.delete(id);
    await ask('DELETE', `${api}/${id}`);
    return took;
  };

  const waiting: string[] = [];
  while (waiting.length < WAITING) waiting.push(...(await Promise.all(Array.from({ length: 20 }, wait))));
  await engine.whenQuiet();

  let [chains, events]: number[][] = [[], []];
  let [number, ended] = [0, false];
  const work = async (): Promise<void> => {
    while (!ended) {
      const id = `chain-${number++}`;
      chains!.push(
        await completed(id, () => engine.startInstance({ name: 'chain', input: '""', instanceId: id })),
      );
      // Wake the instance that has waited longest, and start another in its place.
      const longest = waiting.shift()!;
      events!.push(await completed(longest, () => ask('POST', `${api}/${longest}/raiseEvent/Go`, '1')));
      waiting.push(await wait());
    }
  };
  const workers = Array.from({ length: WORKERS }, work);

  const minutes: Minute[] = [];
  while (minutes.length < MINUTES) {
    await new Promise((resolve) => {
      setTimeout(resolve, 60_000);
    });
    globalThis.gc?.();
    const { heapUsed, rss } = process.memoryUsage();
    const sorted = [...chains!, ...events!].toSorted((a, b) => a - b);
    minutes.push({
      memory: heapUsed / 2 ** 20,
      resident: rss / 2 ** 20,
      chain: median(chains!),
      event: median(events!),
      slowest: sorted[Math.floor(sorted.length * 0.99)]!,
    });
    [chains, events] = [[], []];
    const { memory, resident, chain, event, slowest } = minutes.at(-1)!;
    process.stderr.write(
      `minute ${minutes.length}: ${memory.toFixed(0)} MB in use, ${resident.toFixed(0)} resident; chain ${chain.toFixed(1)} ms, event ${event.toFixed(1)} ms, one in a hundred above ${slowest.toFixed(0)} ms\n`,
    );
  }
  ended = true;
  await Promise.all(workers);
  await engine.whenQuiet();

  const [first, last] = [minutes[0]!, minutes.at(-1)!];
  const method = `${MINUTES} minutes, ${WORKERS} at a time: a chain of three by the engine, and an event by HTTP for one of ${WAITING} that wait; each purged when it has ended, and its place taken. ${number} of each. Azurite on disk`;
  const left = (await engine.query({ top: 1, runtimeStatus: ['Running'] })).records.length;
  if (left === 0 || waiting.length !== WAITING)
    throw new Error(`${waiting.length} instances wait instead of ${WAITING}.`);
  report({
    name: 'soak: memory in use, last minute',
    value: last.memory,
    unit: 'MB',
    better: 'lower',
    method,
  });
  report({
    name: 'soak: growth of memory in use',
    value: last.memory / first.memory,
    unit: 'times',
    target: 1.1,
    better: 'lower',
    method: 'after collection, last minute against the first',
  });
  report({
    name: 'soak: growth of a chain’s time',
    value: last.chain / first.chain,
    unit: 'times',
    target: 1.5,
    better: 'lower',
    method: 'median of the last minute against that of the first',
  });
  report({
    name: 'soak: growth of the time from an event to its completion',
    value: last.event / first.event,
    unit: 'times',
    target: 1.5,
    better: 'lower',
    method: 'median of the last minute against that of the first',
  });
  await emulator.stop();
});
process.exit(0);
