/** Signals and calls of entities on the hub in memory. */
import type * as Emulator from '../../emulator/src/emulator.js';
import { APP, built, median, report, timed } from '../measure.ts';

const { startEmulator } = await built<typeof Emulator>('emulator.js');
const emulator = await startEmulator({ app: APP, port: 0, storage: 'memory' });
const { engine } = emulator.host;

const signalled = async (count: number, entities: number): Promise<void> => {
  await Promise.all(
    Array.from({ length: count }, (_, number) =>
      engine.signalEntity({ name: 'counter', key: `c${number % entities}` }, 'add', '1'),
    ),
  );
  await engine.whenQuiet();
};
/** Fifty requests at a time, each waiting for its answer. */
const posted = async (count: number, entities: number): Promise<void> => {
  let number = 0;
  await Promise.all(
    Array.from({ length: 50 }, async () => {
      while (number < count) {
        await (
          await fetch(
            `http://127.0.0.1:${emulator.port}/runtime/webhooks/durabletask/entities/counter/c${number++ % entities}?op=add`,
            {
              method: 'POST',
              body: '1',
              headers: { 'content-type': 'application/json' },
            },
          )
        ).arrayBuffer();
      }
    }),
  );
  await engine.whenQuiet();
};
const orchestrated = async (
  orchestrations: number,
  input: { times: number; entities: number; call: boolean },
): Promise<void> => {
  await Promise.all(
    Array.from({ length: orchestrations }, () =>
      engine.startInstance({ name: 'entities', input: JSON.stringify(input) }),
    ),
  );
  await engine.whenQuiet();
};

/** The median of five runs after a warm-up, in operations a second. */
async function rate(count: number, task: () => Promise<void>): Promise<number> {
  await task();
  const runs: number[] = [];
  for (let run = 0; run < 5; run++) runs.push(await timed(task));
  return (count / median(runs)) * 1000;
}

const method = 'memory hub, from the first to quiet, median of 5 runs, warmed';
const figure = { unit: 'a second', better: 'higher' } as const;
report({
  ...figure,
  name: 'entity signals, through the durable client',
  target: 1000,
  value: await rate(2000, () => signalled(2000, 100)),
  method: `2,000 at once to 100 entities; ${method}`,
});
report({
  ...figure,
  name: 'entity signals to one entity',
  target: 1000,
  value: await rate(2000, () => signalled(2000, 1)),
  method: `2,000 at once, through the durable client; ${method}`,
});
report({
  ...figure,
  name: 'entity signals by HTTP',
  value: await rate(1000, () => posted(1000, 100)),
  method: `1,000 to 100 entities, 50 at a time; ${method}`,
});
report({
  ...figure,
  name: 'entity signals from orchestrations',
  target: 1000,
  value: await rate(2000, () => orchestrated(100, { times: 20, entities: 10, call: false })),
  method: `100 orchestrations that send 20 each, to 10 entities; ${method}`,
});
report({
  ...figure,
  name: 'entity calls',
  target: 500,
  value: await rate(1000, () => orchestrated(100, { times: 10, entities: 10, call: true })),
  method: `100 orchestrations that make 10 each, one after the other, on 10 entities; ${method}`,
});
report({
  ...figure,
  name: 'entity calls, all at once',
  value: await rate(500, async () => {
    await engine.startInstance({ name: 'callAll', input: '500' });
    await engine.whenQuiet();
  }),
  method: `one orchestration that calls 500 entities and waits for all; ${method}`,
});
report({
  ...figure,
  name: 'entity calls, one at a time',
  value: await rate(200, () => orchestrated(1, { times: 200, entities: 1, call: true })),
  method: `one orchestration that makes 200 of one entity, each replayed as often as production replays it; ${method}`,
});
await emulator.stop();
process.exit(0);
