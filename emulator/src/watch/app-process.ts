/**
 * The process of `emulator start --watch` that runs the app. It obeys its parent's messages, and ends when
 * the parent ends.
 */
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
// Ctrl-C reaches every process of a terminal. The parent decides when this one ends.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('disconnect', () => {
  end((emulator) => emulator.stop());
});
process.on('message', (message: ToApp) => {
  if (message === 'stop') end((emulator) => emulator.stop());
  if (message === 'leave')
    end(async (emulator) => {
      await send(await emulator.leave());
    });
});

const [options] = (await once(process, 'message')) as [PlainOptions];
try {
  const emulator = await serve(options);
  await send({
    port: emulator.port,
    keys: emulator.host.keys,
    instances: new Map(),
    schedules: new Map(),
    ahead: 0,
  });
  starting.resolve(emulator);
} catch (error) {
  fail(error);
}

async function send(what: FromApp): Promise<void> {
  await new Promise<void>((resolve) => {
    process.send!(what, () => {
      resolve();
    });
  });
}
