import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { account } from './azurite.js';

const root = path.resolve(import.meta.dirname, '../..');

/**
 * The address of the app under test: `E2E_BASE_URL`, or the built app on the emulator, started for the tests
 * of a file.
 *
 * @returns a function that gives the origin; call it inside a test
 */
export function useBaseUrl(): () => string {
  let origin = process.env['E2E_BASE_URL']?.replace(/\/+$/, '') ?? '';
  if (origin !== '') return () => origin;

  let stop = async (): Promise<void> => {};
  beforeAll(async () => {
    const { WEBSITE_HOSTNAME: _, ...env } = process.env;
    const child = fork(
      path.join(root, 'emulator/dist/cli.js'),
      ['start', '--app', root, '--port', '0', '--storage', 'memory'],
      {
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
        execArgv: [],
        env: { ...env, NODE_OPTIONS: '', AppStorage: await account() },
      },
    );
    const ended = once(child, 'exit');
    stop = async () => {
      child.kill();
      await ended;
    };
    let said = '';
    origin = await new Promise((resolve, reject) => {
      for (const stream of [child.stdout!, child.stderr!]) {
        stream.setEncoding('utf8').on('data', (text: string) => {
          said += text;
          const found = /Serving on (\S+)/.exec(said)?.[1];
          if (found !== undefined) resolve(found);
        });
      }
      void ended.then(() => {
        reject(new Error(`The app did not start: ${said}`));
      });
    });
  });
  afterAll(() => stop());
  return () => origin;
}
