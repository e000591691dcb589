/** Which instances an app may run, by their version and host.json. */
import path from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { DEFAULT_SETTINGS } from '../src/durable/settings.js';
import { compareVersions, complies } from '../src/durable/engine/versions.js';
import { TestApp, type TestAppOptions } from '../src/testing.js';

const PREFIX = 'AzureFunctionsJobHost__extensions__durableTask__';

async function start(durable: Record<string, string>, options: TestAppOptions = {}): Promise<TestApp> {
  const settings = Object.fromEntries(Object.entries(durable).map(([name, value]) => [PREFIX + name, value]));
  const app = await TestApp.start({
    directory: path.join(import.meta.dirname, 'fixtures/engine-app'),
    settings,
    ...options,
  });
  onTestFinished(() => app.stop());
  return app;
}

const startOf = (app: TestApp, name: string, version?: string): Promise<string> =>
  app
    .post(
      `/runtime/webhooks/durabletask/orchestrators/${name}/of-${version ?? 'none'}${version === undefined ? '' : `?version=${version}`}`,
      {},
    )
    .then(async (response) => ((await response.json()) as { id: string }).id);

describe('Versions', () => {
  test.each<[string | null, string | null, number]>([
    [null, '', 0],
    [null, '1.0', -1],
    ['1.0', null, 1],
    ['  ', null, 0],
    ['1.9', '1.10', -1],
    ['1.0', '1.0.0', -1],
    ['2.0', '1.9.9.9', 1],
    ['1', '2', -1],
    ['10', '9', -1],
    ['v1', 'V1', 0],
    ['2026-01-01', '2025-12-31', 1],
    ['1.2.3.4.5', '1.2', 1],
    [' 1 . 2 ', '1.2', 0],
  ])('%o against %o is %i', (a, b, expected) => {
    expect(compareVersions(a, b)).toBe(expected);
  });

  test('have the same order in both directions', () => {
    const version = fc.oneof(
      fc.constant(null),
      fc.string({ maxLength: 4 }),
      fc.array(fc.nat(20), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.')),
    );
    fc.assert(
      fc.property(version, version, (a, b) => {
        expect(compareVersions(a, b)).toBe(0 - compareVersions(b, a));
      }),
    );
  });

  test.each([
    ['None', true, true],
    ['Strict', false, false],
    ['CurrentOrOlder', true, false],
  ] as const)('match by %s', (versionMatch, older, newer) => {
    const settings = { ...DEFAULT_SETTINGS, defaultVersion: '2.0', versionMatch };
    expect([complies('1.0', settings), complies('2.0', settings), complies('3.0', settings)]).toEqual([
      older,
      true,
      newer,
    ]);
  });
});

describe('An instance', () => {
  test('has the default version, and gives it to its sub-orchestrations, unless another is named', async () => {
    const app = await start({ defaultVersion: '2.0' });
    expect(await app.finished(await startOf(app, 'tellsVersion'))).toMatchObject({
      output: ['2.0', '2.0', '1.5', ''],
    });
    expect(await app.finished(await startOf(app, 'tellsVersion', '1.0'))).toMatchObject({
      output: ['1.0', '2.0', '1.5', ''],
    });
  });

  test('shows its version and its parent in its status', async () => {
    const app = await start({ defaultVersion: '2.0' });
    await app.finished(await startOf(app, 'tellsVersion', '1.0'));
    const listed = await app.get('/runtime/webhooks/durabletask/instances');
    const statuses = (await listed.json()) as Record<string, unknown>[];
    expect(statuses.find(({ instanceId }) => instanceId === 'of-1.0')).toMatchObject({ version: '1.0' });
    expect(statuses.find(({ parentInstanceId }) => parentInstanceId === 'of-1.0')).toMatchObject({
      version: expect.stringMatching(/^(2\.0|1\.5)$/) as unknown,
    });
  });

  test('has no version when none is named', async () => {
    const app = await start({});
    expect(await app.finished(await app.start('childVersion'))).toMatchObject({ output: null });
  });

  test('keeps its version when it continues as new', async () => {
    const app = await start({ defaultVersion: '2.0' });
    expect(await app.finished(await startOf(app, 'continuesVersion', '1.0'))).toMatchObject({
      output: '1.0',
    });
  });

  test('of a later version stays as it is, and the log says so once', async () => {
    const said: string[] = [];
    const app = await start(
      { defaultVersion: '2.0' },
      {
        strict: false,
        log: (level, _category, message) => {
          if (level === 'error') said.push(message);
        },
      },
    );
    const id = await startOf(app, 'waits', '3.0');
    await app.quiet();
    await app.raise(id, 'E', 1);
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Pending', output: null });
    expect(said).toEqual([
      "of-3.0: The instance has the version '3.0', and this app runs those of the version '2.0' or older (host.json: defaultVersion, " +
        'versionMatchStrategy). It stays Pending until an app of its version takes the hub.',
    ]);
  });

  test('of a later version fails in strict mode, with the reason', async () => {
    const app = await start({ defaultVersion: '2.0', versionMatchStrategy: 'Strict' });
    expect(await app.finished(await startOf(app, 'waits', '1.0'))).toMatchObject({
      runtimeStatus: 'Failed',
      output:
        "Orchestrator function 'waits' failed: The instance has the version '1.0', and this app runs those of the version '2.0' " +
        '(host.json: defaultVersion, versionMatchStrategy). Production would leave it as it is.',
    });
  });

  test('of a later version fails when host.json says so', async () => {
    const app = await start({ defaultVersion: '2.0', versionFailureStrategy: 'Fail' }, { strict: false });
    expect(await app.finished(await startOf(app, 'waits', '3.0'))).toMatchObject({
      runtimeStatus: 'Failed',
      output: 'VersionMismatch: Orchestration version did not comply with Worker Versioning',
    });
  });
});

describe('The id of a live instance', () => {
  test('can be used when host.json says so: the new instance replaces the live one', async () => {
    const app = await start({ overridableExistingInstanceStates: 'AnyState' });
    await app.start('waits', 'first', 'one');
    await app.start('waits', 'second', 'one');
    await app.quiet();
    expect(await app.instance('one')).toMatchObject({ runtimeStatus: 'Running', input: 'second' });
    await app.suspend('one');
    await app.start('waits', 'third', 'one');
    await app.raise('one', 'E', 'done');
    expect(await app.instance('one')).toMatchObject({
      runtimeStatus: 'Completed',
      input: 'third',
      output: 'done',
    });
  });

  test('is refused by a restart with that id, and a new one is made by default', async () => {
    const app = await start({});
    await app.start('waits', 'in', 'one');
    await app.quiet();
    const restart = (query: string): Promise<Response> =>
      app.post(`/runtime/webhooks/durabletask/instances/one/restart${query}`);
    const refused = await restart('?restartWithNewInstanceId=false');
    expect([refused.status, await refused.json()]).toEqual([
      409,
      expect.objectContaining({ Message: 'A non-terminal instance with this instance ID already exists.' }),
    ]);
    const { id } = (await (await restart('')).json()) as { id: string };
    await app.quiet();
    expect(await app.instance(id)).toMatchObject({ name: 'waits', input: 'in', runtimeStatus: 'Running' });
    expect(id).not.toBe('one');
  });

  test('counts how often it was started', async () => {
    const app = await start({});
    for (let generation = 0; generation < 3; generation++) {
      await app.start('childVersion', undefined, 'one');
      await app.finished('one');
      expect(
        (await app.history('one')).find(({ EventType }) => EventType === 'ExecutionStarted'),
      ).toMatchObject({ Generation: generation });
    }
  });
});
