/** The folder that `npm run package` makes: it is the whole app, wherever it is copied to. */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startCli } from '../emulator/test/support/cli.js';
import { type Contents, hostJson, makePackage } from '../tools/package.js';
import { sourcesOf } from '../tools/trace.js';
import { account } from './support/azurite.js';
import { eventually } from '../emulator/test/support/eventually.js';

let folder = '';
let maps = '';
let contents: Contents;
let files: string[] = [];

beforeAll(async () => {
  // Outside the repository, so that Node cannot find the repository's node_modules.
  folder = await mkdtemp(path.join(tmpdir(), 'package-'));
  maps = `${folder}-maps`;
  contents = await makePackage(folder, 'storage', maps);
  files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'));
});
afterAll(async () => {
  for (const made of [folder, maps]) await rm(made, { recursive: true, force: true, maxRetries: 5 });
});

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

  test('has the functions of the app that is not bundled, each with its trigger', async () => {
    const functions = async (app: string): Promise<string> => {
      const emulator = await startCli(['start', '--app', app, '--port', '0', '--storage', 'memory'], {
        env: { AppStorage: await account(), AzureWebJobsStorage: '' },
      });
      onTestFinished(() => emulator.kill());
      const list = /Functions:\n([^]*?)\nServing on/.exec(emulator.output())![1]!;
      expect(await emulator.stop()).toBe(0);
      // A bundle runs its modules in another order than Node runs files.
      return list
        .replaceAll(/localhost:\d+/g, 'localhost')
        .split(/\n\s*/)
        .filter((line) => line !== '')
        .toSorted()
        .join('\n');
    };
    const root = path.join(import.meta.dirname, '..');
    const [bundled, unbundled] = [await functions(folder), await functions(root)];
    expect(bundled).toContain('ApprovalOrchestrator: orchestrationTrigger');
    expect(bundled).toBe(unbundled);
  });

  test('lists the packages in it, with their licences', () => {
    const text = readFileSync(path.join(folder, 'THIRD-PARTY-LICENCES.txt'), 'utf8');
    for (const { name, version, license } of contents.packages.filter((each) => each.name !== ''))
      expect(text).toContain(`${name} ${version}: ${license}\n`);
    expect(text).toContain('durable-functions 3.');
    expect(text).toContain('Permission is hereby granted, free of charge');
    // What a package may not have without the consent of a lawyer.
    expect(contents.packages.filter(({ license }) => /GPL|see below/.test(license))).toEqual([]);
  });

  test('has the host.json of the chosen backend', () => {
    const read = JSON.parse(readFileSync(path.join(folder, 'host.json'), 'utf8')) as unknown;
    expect(read).toEqual(hostJson('storage'));
    expect(hostJson('scheduler')).toMatchObject({
      extensionBundle: { id: 'Microsoft.Azure.Functions.ExtensionBundle' },
      extensions: { durableTask: { storageProvider: { type: 'azureManaged' } } },
    });
    expect(() => hostJson('sql')).toThrow('DURABLE_BACKEND is "sql"');
  });

  test('leaves source maps outside, with which a stack trace names the sources', () => {
    const lines = readFileSync(path.join(folder, 'dist/app/index.js'), 'utf8').split('\n');
    const line = lines.findIndex((text) => text.includes('Problem = class')) + 1;
    const trace = `Error: no\n    at new Problem (file:///home/site/wwwroot/dist/app/index.js:${line}:1)\n    at node:internal:1:1`;
    expect(sourcesOf(trace, maps)).toMatch(
      /^Error: no\n {4}at new Problem \(src\/http\/problem\.ts:\d+:\d+\)\n {4}at node:internal:1:1$/,
    );
  });

  test('has nothing else at its root, and of the app what was bundled', () => {
    expect(new Set(files.map((file) => file.split('/')[0]))).toEqual(
      new Set(['THIRD-PARTY-LICENCES.txt', 'dist', 'host.json', 'package.json']),
    );
    const ours = files.filter((file) => file.startsWith('dist/') && !file.startsWith('dist/web/'));
    expect(ours.filter((file) => !file.endsWith('.js'))).toEqual([]);
    expect(ours).toContain('dist/app/index.js');
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
