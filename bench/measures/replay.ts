/** A long history, replayed once from its beginning as after a restart. */
import type * as Replay from '../../emulator/src/durable/replay/replay.js';
import type * as Emulator from '../../emulator/src/emulator.js';
import { APP, built, median, report, timed } from '../measure.ts';

const { startEmulator } = await built<typeof Emulator>('emulator.js');
const { replayHistory } = await built<typeof Replay>('durable/replay/replay.js');
const emulator = await startEmulator({ app: APP, port: 0, storage: 'memory' });
const { engine, sdk } = emulator.host;

for (const [name, how] of [
  ['longChain', 'one after the other'],
  ['fanOut', 'all at once'],
] as const) {
  const id = await engine.startInstance({ name, input: '1000' });
  await engine.whenQuiet();
  const history = await engine.getHistory(id);
  const times: number[] = [];
  for (let run = 0; run < 200; run++) {
    // A copy, as if it had just been read from storage: nothing about these events is cached.
    const read = structuredClone(history)!;
    times.push(await timed(() => replayHistory(read, { sdk })));
  }
  report({
    name: `replay of 1,000 activities, ${how}`,
    value: median(times.slice(100)),
    unit: 'ms',
    target: 5,
    better: 'lower',
    method: `median of 100 after 100 to warm up, of ${history!.length} copied events; the SDK’s own work and the comparison with the history included`,
  });
}
await emulator.stop();
process.exit(0);
