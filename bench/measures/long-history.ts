/** Orchestrations of many steps in a row: what a step costs must not grow with the history. */
import type * as Emulator from '../../emulator/src/emulator.js';
import { APP, built, report, timed } from '../measure.ts';

const { startEmulator } = await built<typeof Emulator>('emulator.js');
const emulator = await startEmulator({ app: APP, port: 0, storage: 'memory' });
const { engine } = emulator.host;

/** Milliseconds a step. */
async function steps(count: number): Promise<number> {
  return (
    (await timed(async () => {
      await engine.startInstance({ name: 'longChain', input: String(count) });
      await engine.whenQuiet();
    })) / count
  );
}

await steps(1000);
const figures = new Map<number, number>();
for (const [count, times] of [
  [100, 10],
  [1000, 1],
  [4000, 1],
] as const) {
  let sum = 0;
  for (let time = 0; time < times; time++) sum += await steps(count);
  figures.set(count, sum / times);
}

for (const [count, value] of figures)
  report({
    name: `a step of ${count.toLocaleString('en')} in a row, memory hub`,
    value,
    unit: 'ms',
    ...(count === 4000 && { target: 0.75 }),
    better: 'lower',
    method: 'warmed, from start to quiet; an activity and an episode each; the mean of ten for 100',
  });
report({
  name: 'a step of 4,000 in a row, in steps of 100 in a row',
  value: figures.get(4000)! / figures.get(100)!,
  unit: '',
  target: 1.2,
  better: 'lower',
  method: 'the quotient of the two figures',
});
await emulator.stop();
process.exit(0);
