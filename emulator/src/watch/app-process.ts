/** The process of `emulator start --watch` that has the app in it. It does what its parent says, and ends with it. */
import { once } from 'node:events';
import type { RunningEmulator } from '../emulator.js';
import { fail, serve } from '../serve.js';
import type { FromApp, PlainOptions, ToApp } from './watch.js';

const starting = Promise.withResolvers<RunningEmulator>();
starting.promise.catch(() => {});

let ending = false;
function end(leave: (emulator: RunningEmulator) => Promise<unknown>): void {
  if (ending) return;
  ending = true;
  starting.promise.then(leave).then(() => process.exit(0), fail);
}
// Ctrl-C reaches every process of a terminal: the parent decides.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('disconnect', () => {
  end((emulator) => emulator.stop());
});
process.on('message', (message: ToApp) => {
  if (message === 'stop') end((emulator) => emulator.stop());
  if (message === 'leave')
    end(async (emulator) => {
      await tell(await emulator.leave());
    });
});

const [options] = (await once(process, 'message')) as [PlainOptions];
try {
  const emulator = await serve(options);
  await tell({ port: emulator.port, keys: emulator.host.keys, instances: new Map(), schedules: new Map() });
  starting.resolve(emulator);
} catch (error) {
  fail(error);
}

async function tell(what: FromApp): Promise<void> {
  await new Promise<void>((resolve) => {
    process.send!(what, () => {
      resolve();
    });
  });
}
