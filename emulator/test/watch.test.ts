/** `emulator start --watch`: an app changes, and its instances continue. */
import { appendFile, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { watchAppFiles } from '../src/watch/app-files.js';
import { account } from './support/azurite.js';
import { runCli, startCli } from './support/cli.js';
import { eventually } from './support/eventually.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'watch-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, maxRetries: 5 });
});

/** Only its first version waits for the given time. */
const program = (greeting: string): string => `
const { app } = require('@azure/functions');
const df = require('durable-functions');
df.app.activity('Slow', { handler: async (ms) => { await new Promise((resolve) => { setTimeout(resolve, '${greeting}' === 'one' ? ms : 0); }); return '${greeting}'; } });
df.app.orchestration('Waits', function* (context) {
  const slow = yield context.df.callActivity('Slow', context.df.getInput());
  const event = yield context.df.waitForExternalEvent('Go');
  return { slow, event };
});
app.http('Greet', { handler: () => ({ body: '${greeting}' }) });
app.http('Start', { methods: ['POST'], extraInputs: [df.input.durableClient()], handler: async (request, context) => {
  const client = df.getClient(context);
  return client.createCheckStatusResponse(request, await client.startNew('Waits', { input: await request.json() }));
} });
`;

async function writeApp(greeting: string): Promise<void> {
  await mkdir(path.join(directory, 'dist'), { recursive: true });
  await writeFile(path.join(directory, 'dist/index.js'), program(greeting));
}

describe.each(['memory', 'Azure Storage'])('with instances in %s', (where) => {
  test('a changed app is loaded again at the same URL, and its instances continue', async () => {
    await writeFile(path.join(directory, 'host.json'), '{ "version": "2.0" }');
    await writeFile(path.join(directory, 'package.json'), '{ "main": "dist/*.js" }');
    await symlink(
      path.join(import.meta.dirname, '../../node_modules'),
      path.join(directory, 'node_modules'),
      'junction',
    );
    await writeApp('one');
    const storage = where === 'memory' ? where : await account();
    const emulator = await startCli([
      'start',
      '--app',
      directory,
      '--port',
      '0',
      '--storage',
      storage,
      '--enforce-keys',
      '--watch',
      '--clock',
      'skip',
    ]);
    const skipped = `${emulator.url}/_emulator/clock`;
    const ahead = async (): Promise<number> =>
      ((await (await fetch(skipped)).json()) as { ahead: number }).ahead;
    const greets = async (greeting: string): Promise<void> =>
      eventually(async () => {
        expect(await (await fetch(`${emulator.url}/api/Greet`)).text()).toBe(greeting);
      });
    const start = async (
      milliseconds: number,
    ): Promise<{ statusQueryGetUri: string; sendEventPostUri: string }> =>
      (
        await fetch(`${emulator.url}/api/Start`, { method: 'POST', body: String(milliseconds) })
      ).json() as Promise<{ statusQueryGetUri: string; sendEventPostUri: string }>;
    await greets('one');
    const day = { method: 'POST', body: '{"days":1}', headers: { 'content-type': 'application/json' } };
    expect((await fetch(skipped, day)).status).toBe(200);
    const waiting = await start(0);
    const working = await start(600_000);
    const status = async ({
      statusQueryGetUri,
    }: {
      statusQueryGetUri: string;
    }): Promise<{ runtimeStatus: string; output: unknown }> =>
      (await fetch(statusQueryGetUri)).json() as Promise<{ runtimeStatus: string; output: unknown }>;
    await eventually(async () => {
      expect(await status(working)).toMatchObject({ runtimeStatus: 'Running' });
    });

    await writeApp('two');
    await greets('two');
    expect(emulator.output()).toContain(
      `${path.join('dist', 'index.js')} has changed. The emulator loads the app again.`,
    );
    expect(await status(waiting)).toMatchObject({ runtimeStatus: 'Running' });

    await appendFile(path.join(directory, 'dist/index.js'), '\nthis is no JavaScript');
    await eventually(() => {
      expect(emulator.output()).toMatch(
        /^The app threw while it was loaded: SyntaxError: .*\nThe app does not run\. The emulator starts it again when a file of the app changes\.$/m,
      );
    });

    await writeApp('three');
    await greets('three');
    for (const { sendEventPostUri } of [waiting, working]) {
      const response = await fetch(sendEventPostUri.replace('{eventName}', 'Go'), {
        method: 'POST',
        body: '"now"',
        headers: { 'content-type': 'application/json' },
      });
      expect(response.status).toBe(202);
    }
    await eventually(async () => {
      expect(await status(waiting)).toMatchObject({
        runtimeStatus: 'Completed',
        output: { slow: 'one', event: 'now' },
      });
    });
    await eventually(async () => {
      expect(await status(working)).toMatchObject({
        runtimeStatus: 'Completed',
        output: { slow: 'two', event: 'now' },
      });
    });
    // Its time stays ahead, too.
    expect(await ahead()).toBeGreaterThan(86_000_000);
    expect(await emulator.stop()).toBe(0);
  });
});

test('an app that cannot start the first time ends it, with one line', async () => {
  await writeFile(path.join(directory, 'host.json'), '{ "version": "2.0" }');
  const { code, output } = await runCli([
    'start',
    '--app',
    directory,
    '--port',
    '0',
    '--storage',
    'memory',
    '--watch',
  ]);
  expect(code).toBe(1);
  expect(output).toMatch(/^There is no package\.json in .*\n$/);
});

describe('the files of an app are watched:', () => {
  const seen: string[] = [];
  let stop: () => void;
  beforeEach(() => {
    seen.length = 0;
    stop = watchAppFiles(directory, (file) => {
      seen.push(path.relative(directory, file).replaceAll(path.sep, '/'));
    });
  });
  afterEach(() => {
    stop();
  });

  test('its settings, and code in folders that are made later', async () => {
    const step = async (change: Promise<unknown>, file: string): Promise<void> => {
      const before = seen.length;
      await change;
      await eventually(() => {
        expect(seen.slice(before)).toContain(file);
      });
    };
    await step(writeFile(path.join(directory, 'host.json'), '{}'), 'host.json');
    await mkdir(path.join(directory, 'dist/deep'), { recursive: true });
    await step(writeFile(path.join(directory, 'dist/deep/a.mjs'), ''), 'dist/deep/a.mjs');
    await step(writeFile(path.join(directory, 'dist/deep/a.mjs'), 'changed'), 'dist/deep/a.mjs');
    await step(rename(path.join(directory, 'dist'), path.join(directory, 'build')), 'build/deep/a.mjs');
    await step(writeFile(path.join(directory, 'build/deep/b.cjs'), ''), 'build/deep/b.cjs');
  });

  test('but not its sources, its data, its packages, and hidden folders', async () => {
    for (const folder of ['.storage', 'node_modules']) await mkdir(path.join(directory, folder));
    for (const file of ['index.ts', '__azurite_db_queue__.json', '.storage/a.js', 'node_modules/a.js'])
      await writeFile(path.join(directory, file), '');
    // A change that is not reported now will not be: a change is reported after a quarter of a second without
    // another.
    await new Promise((resolve) => {
      setTimeout(resolve, 600);
    });
    await writeFile(path.join(directory, 'index.js'), '');
    await eventually(() => {
      expect(seen).not.toEqual([]);
    });
    expect(seen).toEqual(['index.js']);
  });
});
