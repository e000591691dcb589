/**
 * The emulator's `TestApp`, which runs the app in this process, on a clock that skips, as in an app's tests. The
 * argument `once` turns `verifyReplay` off, which the other test runners do not have.
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const root = process.env.REPOSITORY;

export async function start(replays) {
  const { TestApp } = await import(pathToFileURL(path.join(root, 'emulator/dist/testing.js')).href);
  const app = await TestApp.start({
    directory: path.join(root, 'bench/app'),
    verifyReplay: replays !== 'once',
  });
  const run = async (name, input) => {
    const { runtimeStatus } = await app.finished(await app.start(name, input));
    if (runtimeStatus !== 'Completed') throw new Error(`It ended ${runtimeStatus}.`);
  };
  return {
    chain: () => run('chain'),
    fanOut: (width) => run('fanOut', width),
    steps: (count) => run('longChain', count),
    waiting: async (count) => {
      for (let number = 0; number < count; number++) await app.start('waiter');
      await app.quiet();
    },
    reminders: () => run('reminders'),
    stop: () => app.stop(),
  };
}
