import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { TestApp, type TestAppOptions } from '../src/testing.js';
import { account } from './support/azurite.js';

const directory = path.join(import.meta.dirname, 'fixtures/entity-app');

type Step = { do: string } & Record<string, unknown>;

async function start(options: TestAppOptions = {}): Promise<TestApp> {
  const app = await TestApp.start({ directory, time: '2026-03-01T08:00:00Z', ...options });
  onTestFinished(() => app.stop());
  return app;
}

/** Runs steps, see the fixture. */
async function script(app: TestApp, ...steps: Step[]): Promise<unknown> {
  return (await app.finished(await app.start('script', { steps }))).output;
}

const counter = (key: string): { name: string; key: string } => ({ name: 'counter', key });

describe.each([{ hub: 'memory' }, { hub: 'Azurite' }])('Entities ($hub)', ({ hub }) => {
  const begin = async (options: TestAppOptions = {}): Promise<TestApp> => start({ ...options, storage: hub === 'memory' ? hub : await account() });

  test('are called and signalled by orchestrations, in the order in which they ask', async () => {
    const app = await begin();
    expect(await script(app,
      { do: 'signal', on: '@counter@a', op: 'add', input: 5 }, { do: 'call', on: '@counter@a', op: 'add', input: 10 }, { do: 'call', on: '@counter@a', op: 'get' },
    )).toEqual([15, 15]);
    expect(await app.entity(counter('a'))).toBe(15);
  });

  test('are signalled and read by clients', async () => {
    const app = await begin();
    expect((await app.post('/api/signal/counter/a/add', 7)).status).toBe(202);
    await app.quiet();
    expect(await (await app.get('/api/state/counter/a')).json()).toEqual({ entityExists: true, entityState: 7 });
    expect(await (await app.get('/api/state/counter/b')).json()).toEqual({ entityExists: false });
  });
});
