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
// In turns, so that other work of the machine disturbs all of them alike.
const TURNS = 2;
for (let turn = 0; turn < TURNS; turn++)
  for (const [count, times] of [
    [100, 10],
    [1000, 1],
    [4000, 1],
  ] as const)
    for (let time = 0; time < times; time++)
      figures.set(count, (figures.get(count) ?? 0) + (await steps(count)) / times / TURNS);

for (const [count, value] of figures)
  report({
    name: `a step of ${count.toLocaleString('en')} in a row, memory hub`,
    value,
    unit: 'ms',
    ...(count === 4000 && { target: 0.75 }),
    better: 'lower',
    method: `mean of ${TURNS} turns, warmed, from start to quiet; an activity and an episode each`,
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
