/** Ten thousand instances that wait for an event. */
import type * as Emulator from '../../emulator/src/emulator.js';
import { APP, built, median, report, timed, withAzurite } from '../measure.ts';

const { startEmulator } = await built<typeof Emulator>('emulator.js');

await withAzurite(async (storage) => {
  const emulator = await startEmulator({ app: APP, port: 0, storage });
  const { engine } = emulator.host;
  const ids: string[] = [];
  const start = async (count: number): Promise<void> => {
    for (let left = count; left > 0; left -= 100) {
      ids.push(
        ...(await Promise.all(
          Array.from({ length: Math.min(100, left) }, () =>
            engine.startInstance({ name: 'waiter', input: '""' }),
          ),
        )),
      );
    }
    await engine.whenQuiet();
  };
  const read = async (): Promise<number> => {
    const times: number[] = [];
    for (let run = 0; run < 300; run++) {
      const id = ids[Math.floor(Math.random() * ids.length)]!;
      times.push(
        await timed(async () =>
          (
            await fetch(`http://127.0.0.1:${emulator.port}/runtime/webhooks/durabletask/instances/${id}`)
          ).arrayBuffer(),
        ),
      );
    }
    return median(times);
  };

  await start(10);
  await read();
  const few = await read();
  await start(9_990);
  await new Promise((resolve) => {
    setTimeout(resolve, 3_000);
  });
  globalThis.gc?.();
  globalThis.gc?.();
  report({
    name: 'memory with 10,000 instances waiting',
    value: process.memoryUsage().rss / 2 ** 20,
    unit: 'MB',
    target: 250,
    better: 'lower',
    method:
      'resident set of the emulator’s process three seconds after starting them, collected, the measuring code included',
  });
  const many = await read();
  const method = 'median of 300 by HTTP, of instances at random';
  report({ name: 'reading a status, 10 instances', value: few, unit: 'ms', better: 'lower', method });
  report({ name: 'reading a status, 10,000 instances', value: many, unit: 'ms', better: 'lower', method });
  await emulator.stop();
});
process.exit(0);
