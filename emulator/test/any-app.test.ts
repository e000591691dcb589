/** An app as it is: how it is loaded, and what the host reads of its files. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../src/config/config.js';
import { functionsToRun } from '../src/functions-to-run.js';
import { startupRemarks } from '../src/startup-remarks.js';
import { TestApp } from '../src/testing.js';
import type { FunctionDefinition } from '../src/worker/types.js';

const directory = path.join(import.meta.dirname, 'fixtures/any-app');
const lines: string[] = [];
let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start({
    directory: path.relative(process.cwd(), directory),
    time: '2026-07-01T00:00:00Z',
    log: (level, _category, message) => {
      lines.push(`${level}: ${message}`);
    },
  });
});
afterAll(() => app.stop());

test('settings are in process.env before the first line of the app runs', async () => {
  expect(await app.finished(await app.start('hello'))).toMatchObject({ output: 'hello' });
});

test('the working directory is the app’s own, and stays so for the next environment', async () => {
  expect(await (await app.get('/api/prices')).json()).toEqual({ apple: 1 });
  expect(process.cwd()).toBe(directory);
  await using another = await TestApp.start({ directory: 'emulator/test/fixtures/any-app' });
  expect((await another.get('/api/prices')).status).toBe(200);
});

test('an app has the variables that Core Tools set, and its own values as text', async () => {
  const names = [
    'AZURE_FUNCTIONS_ENVIRONMENT',
    'AzureWebJobsScriptRoot',
    'COUNT',
    'FUNCTIONS_CORETOOLS_ENVIRONMENT',
    'FUNCTIONS_WORKER_RUNTIME',
    'NOTHING',
  ];
  expect(await (await app.get(`/api/environment?names=${names.join(',')}`)).json()).toEqual({
    AZURE_FUNCTIONS_ENVIRONMENT: 'Development',
    AzureWebJobsScriptRoot: directory,
    COUNT: '5',
    FUNCTIONS_CORETOOLS_ENVIRONMENT: 'true',
    FUNCTIONS_WORKER_RUNTIME: 'node',
  });
});

test('responses have the custom headers that they do not have themselves', async () => {
  const header = async (url: string): Promise<string | null> =>
    (await app.get(url)).headers.get('x-content-type-options');
  expect(await header('/api/prices')).toBe('nosniff');
  expect(await header('/api/own')).toBe('mine');
  expect(await header('/api/nowhere')).toBe('nosniff');
  expect(await header('/runtime/webhooks/durabletask/instances')).toBe('nosniff');
  expect(await header('/')).toBe('nosniff');
  expect(await header('/admin/host/status')).toBe('nosniff');
});

test('only the functions on the list run, and only those with a name that the host accepts', async () => {
  expect((await app.get('/api/unwanted')).status).toBe(404);
  expect((await app.get('/api/invalid')).status).toBe(404);
  expect(lines).toContainEqual(expect.stringContaining('lists the functions that run: 1 other does not.'));
  expect(lines).toContainEqual(
    expect.stringMatching(
      /^error: The 'not valid' function is in error: 'not valid' is not a valid function/,
    ),
  );
});

test('names of functions that differ only by case are refused, because the real host does not start then', () => {
  const named = (...names: string[]): FunctionDefinition[] =>
    names.map((name) => ({
      name,
      bindings: {},
      trigger: { type: 'httpTrigger', direction: 'in', name: 'request' },
    }));
  expect(() => functionsToRun(named('ok', 'other', 'OK'), { only: undefined }, () => {})).toThrow(
    "The names of the functions 'ok' and 'OK' differ only by case",
  );
});

test('the body limit is a setting', async () => {
  expect(await (await app.post('/api/upload', 'x'.repeat(1000))).text()).toBe('1000');
  expect((await app.post('/api/upload', 'x'.repeat(1001))).status).toBe(413);
});

test('the time zone may have its Windows name', async () => {
  lines.splice(0);
  await app.skip({ minutes: 59 });
  expect(lines.filter((line) => line.endsWith(': ran'))).toHaveLength(0);
  await app.skip({ minutes: 2 });
  // At 3:00 in Berlin, in summer.
  expect(lines.filter((line) => line.endsWith(': ran'))).toHaveLength(1);
});

test('the log names the settings of host.json that are ignored', async () => {
  const seen: string[] = [];
  const other = await TestApp.start({
    directory,
    log: (_level, _category, message) => {
      seen.push(message);
    },
  });
  await other.stop();
  expect(seen).toContain(
    'These settings of host.json are ignored here: aggregator, extensions.http.dynamicThrottlesEnabled.',
  );
  expect(seen).toContain(
    "The storage provider 'mssql' (SQL Server) of host.json is not here: the emulator's own hub takes its place.",
  );
});

test('an SDK that needs an older Node is named at the start', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'old-sdk-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const remarks = async (version: string): Promise<string[]> => {
    await mkdir(path.join(folder, 'node_modules/durable-functions'), { recursive: true });
    await writeFile(
      path.join(folder, 'node_modules/durable-functions/package.json'),
      JSON.stringify({ name: 'durable-functions', version }),
    );
    await writeFile(path.join(folder, 'host.json'), '{ "version": "2.0" }');
    const config = readConfig(folder, {});
    return [...startupRemarks([], { problem: () => undefined }, config)].map(({ line }) => line);
  };
  expect(await remarks('3.3.1')).toEqual([
    expect.stringMatching(
      /^durable-functions 3\.3\.1 does not run on Node 24.*createTimer.*Update it to 3\.4/,
    ),
  ]);
  expect(await remarks('3.4.0')).toEqual([]);
});
