/** The folder that `npm run package` makes: it is the whole app, wherever it is copied to. */
import { execSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startCli } from '../emulator/test/support/cli.js';
import { makePackage } from '../tools/package.js';
import { account } from './support/azurite.js';
import { eventually } from '../emulator/test/support/eventually.js';

let folder = '';
let files: string[] = [];

beforeAll(async () => {
  // Outside the repository, so that Node cannot find the repository's node_modules.
  folder = await mkdtemp(path.join(tmpdir(), 'package-'));
  makePackage(folder);
  files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'));
});
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

describe('The deployment package', () => {
  test('runs the app from a folder of its own: the starter answers, its workflow gets to work, the pages are there', async () => {
    const env = { AppStorage: await account(), AzureWebJobsStorage: '' };
    const emulator = await startCli(['start', '--app', folder, '--port', '0', '--storage', 'memory'], {
      env,
    });
    onTestFinished(() => emulator.kill());
    const started = await fetch(`${emulator.url}/api/orchestrators/ReminderOrchestrator`, {
      method: 'POST',
      body: JSON.stringify({ to: 'pat', message: 'Hello' }),
    });
    expect(started.status).toBe(202);
    const { statusQueryGetUri } = (await started.json()) as { statusQueryGetUri: string };
    await eventually(async () => {
      expect(await (await fetch(statusQueryGetUri)).json()).toMatchObject({
        name: 'ReminderOrchestrator',
        runtimeStatus: 'Running',
      });
      expect(emulator.output()).toContain('To pat:');
    });
    const page = await fetch(`${emulator.url}/`);
    expect(page.status).toBe(200);
    const script = /src="(\/assets\/[^"]+\.js)"/.exec(await page.text())?.[1];
    expect((await fetch(`${emulator.url}${script}`)).status).toBe(200);
    expect(await emulator.stop()).toBe(0);
  });

  test('has the production dependencies, all of them and no other', () => {
    // npm compares package.json with node_modules. It fails on a package that is missing, has another
    // version, or is extra.
    const { problems, dependencies } = JSON.parse(
      execSync('npm ls --all --json', { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
    ) as {
      problems?: string[];
      dependencies: Record<string, unknown>;
    };
    expect(problems).toBeUndefined();
    const { dependencies: wanted } = JSON.parse(
      readFileSync(path.join(import.meta.dirname, '../package.json'), 'utf8'),
    ) as { dependencies: Record<string, string> };
    expect(new Set(Object.keys(dependencies))).toEqual(new Set(Object.keys(wanted)));
  });

  test('has nothing else at its root, and of the app what was built', () => {
    expect(new Set(files.map((file) => file.split('/')[0]))).toEqual(
      new Set(['dist', 'host.json', 'node_modules', 'package.json']),
    );
    const ours = files.filter((file) => file.startsWith('dist/') && !file.startsWith('dist/web/'));
    expect(ours.filter((file) => !file.endsWith('.js'))).toEqual([]);
    expect(ours).toContain('dist/index.js');
    expect(JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))).not.toHaveProperty(
      'devDependencies',
    );
  });

  test('has no sources, no source maps and no local settings', () => {
    expect(
      files.filter((file) => /\.(?:[cm]?ts|tsx|map)$|local\.settings\.json$|(?:^|\/)\.env/.test(file)),
    ).toEqual([]);
  });
});
