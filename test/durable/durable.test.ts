import type { DurableClient, OrchestrationContext } from 'durable-functions';
import { describe, expect, it, onTestFinished } from 'vitest';
import { TestApp } from '../../emulator/src/testing.js';
import { sinceVersion } from '../../src/durable/version.js';

async function startApp(): Promise<TestApp> {
  const app = await TestApp.start({ app: () => import('./orchestrators.js'), time: '2030-01-01T00:00:00Z' });
  onTestFinished(() => app.stop());
  return app;
}

/** Raises the event from within an activity, where waiting until nothing runs would never end. */
async function knockWhileBusy(app: TestApp, id: string): Promise<void> {
  const response = await app.post(
    `/runtime/webhooks/durabletask/instances/${id}/raiseEvent/Knock`,
    JSON.stringify('kim'),
    { 'Content-Type': 'application/json' },
  );
  expect(response.status).toBe(202);
}

/** Does something with the durable client of the app's own functions. @returns its result, as JSON has it */
async function useClient(app: TestApp, use: (client: DurableClient) => Promise<unknown>): Promise<unknown> {
  const { willUse } = await import('./orchestrators.js');
  willUse(use);
  const response = await app.post('/use-client');
  expect(response.status).toBe(200);
  return ((await response.json()) as { result: unknown }).result;
}

describe('activities', () => {
  it('run together, and give their results in order', async () => {
    const app = await startApp();
    expect(await app.finished(await app.start('Pair', 21))).toMatchObject({ output: [42, 'b'] });
  });

  it('are not waited for when there are none', async () => {
    const app = await startApp();
    expect(await app.finished(await app.start('None'))).toMatchObject({
      runtimeStatus: 'Completed',
      output: [],
    });
  });

  it('are tried again as the named policy says', async () => {
    const app = await startApp();
    app.replace('Flaky', () => {
      if (app.calls('Flaky').length < 3) throw new Error('not yet');
      return 'done';
    });
    expect(await app.finished(await app.start('Retried'))).toMatchObject({ output: 'done' });
    expect(app.calls('Flaky').map(({ at }) => at.toISOString().slice(14, 19))).toEqual([
      '00:00',
      '00:10',
      '00:30',
    ]);
  });

  it('are tried again together as the policy says', async () => {
    const app = await startApp();
    app.replace('Flaky', () => {
      if (app.calls('Flaky').length < 3) throw new Error('not yet');
      return 'done';
    });
    expect(await app.finished(await app.start('RetriedTogether'))).toMatchObject({ output: [42, 'done'] });
    for (const name of ['Double', 'Flaky']) {
      expect(app.calls(name).map(({ at }) => at.toISOString().slice(14, 19))).toEqual([
        '00:00',
        '00:10',
        '00:30',
      ]);
    }
  });

  it('fail together when all the attempts have failed', async () => {
    const app = await startApp();
    app.replace('Flaky', () => {
      throw new Error('never');
    });
    expect(await app.finished(await app.start('RetriedTogether'))).toMatchObject({
      runtimeStatus: 'Failed',
      output: expect.stringMatching(/never/) as string,
    });
    expect(app.calls('Flaky')).toHaveLength(3);
  });
});

describe('an orchestrator', () => {
  it('runs as a part of another, under the id it is given', async () => {
    const app = await startApp();
    await app.start('Parent', 4, 'a');
    expect(await app.finished('a')).toMatchObject({ output: [8, 'b'] });
    expect(await app.instance('a-child')).toMatchObject({ name: 'Pair', runtimeStatus: 'Completed' });
  });

  it('that is started without an input gets null, where the bare SDK hands over an empty text', async () => {
    const app = await startApp();
    const { ensureRunning } = await import('../../src/durable/index.js');
    const { withoutInput } = await import('./orchestrators.js');
    await useClient(app, async (client) => {
      await ensureRunning(client, withoutInput, { instanceId: 'a', input: null });
      await client.startNew('BareInput', { instanceId: 'b' });
    });
    await app.quiet();
    expect(await app.instance('a')).toMatchObject({ output: { input: null } });
    expect(await app.instance('b')).toMatchObject({ output: { input: '' } });
  });
});

describe('the version of an instance', () => {
  it.each([
    ['2.0', true],
    ['2.1', true],
    ['10.0', true],
    ['2.0.1', true],
    ['1.9', false],
    ['1.10', false],
    [undefined, false],
    [null, false],
  ])('%s is 2.0 or later: %s', (version, expected) => {
    const context = { df: { version } } as OrchestrationContext;
    expect(sinceVersion(context, '2.0')).toBe(expected);
  });
});

describe('making sure that a workflow runs', () => {
  async function ensure(app: TestApp, wake: boolean): Promise<unknown> {
    const { ensureRunning } = await import('../../src/durable/index.js');
    const { rung, ring } = await import('./orchestrators.js');
    const result = await useClient(app, (client) =>
      ensureRunning(client, rung, { instanceId: 'a', input: null, wake: wake ? ring : undefined }),
    );
    await app.quiet();
    return result;
  }

  it('starts one that is missing, wakes one that runs, and starts one again that has finished', async () => {
    const app = await startApp();
    expect(await ensure(app, true)).toBe('started');
    expect(await ensure(app, false)).toBe('running');
    expect(await app.instance('a')).toMatchObject({ runtimeStatus: 'Running' });
    expect(await ensure(app, true)).toBe('woken');
    expect(await app.instance('a')).toMatchObject({ runtimeStatus: 'Completed', output: { ring: null } });
    expect(await ensure(app, true)).toBe('started');
    await app.terminate('a');
    expect(await ensure(app, true)).toBe('started');
    expect(await app.instance('a')).toMatchObject({ runtimeStatus: 'Running' });
    await app.suspend('a');
    expect(await ensure(app, false)).toBe('running');
  });

  it('succeeds for each of many callers at once, where the bare SDK fails for some', async () => {
    const app = await startApp();
    const { ensureRunning } = await import('../../src/durable/index.js');
    const { rung } = await import('./orchestrators.js');
    const many = <Result>(act: () => Promise<Result>): Promise<PromiseSettledResult<Result>[]> =>
      Promise.allSettled(Array.from({ length: 20 }, act));
    const ensured = (await useClient(app, (client) =>
      many(() => ensureRunning(client, rung, { instanceId: 'a', input: null })),
    )) as PromiseSettledResult<string>[];
    expect(ensured.filter(({ status }) => status === 'rejected')).toEqual([]);
    await app.quiet();
    // The SDK alone, once it runs:
    const bare = await useClient(app, (client) =>
      client.startNew('Rung', { instanceId: 'a', input: null }).then(
        () => 'started',
        (error: unknown) => (error as Error).message,
      ),
    );
    expect(bare).toContain('unexpected status code: 409');
  });

  it('reaches a workflow that has finished, where an event of the bare SDK is lost without an error', async () => {
    const app = await startApp();
    await ensure(app, false);
    await app.terminate('a');
    await useClient(app, (client) => client.raiseEvent('a', 'Ring', null));
    await app.quiet();
    expect(await app.instance('a')).toMatchObject({ runtimeStatus: 'Terminated' });
    expect(await ensure(app, true)).toBe('started');
  });

  it('passes other errors on', async () => {
    const app = await startApp();
    const { ensureRunning } = await import('../../src/durable/index.js');
    const { rung } = await import('./orchestrators.js');
    const failing = {
      getStatus: () => Promise.reject(new Error('unexpected status code: 500')),
    } as unknown as DurableClient;
    await expect(ensureRunning(failing, rung, { instanceId: 'a', input: null })).rejects.toThrow('500');
    await app.quiet();
  });
});

describe('the bare SDK', () => {
  it('fails when it waits for no tasks at all', async () => {
    const app = await startApp();
    expect(await app.finished(await app.start('BareNone'))).toMatchObject({ runtimeStatus: 'Failed' });
  });

  it('loses an event to a wait that a deadline has ended', async () => {
    const app = await startApp();
    const id = await app.start('BareDoor');
    app.replace('Pause', async () => {
      await knockWhileBusy(app, id);
      return 'busy';
    });
    await app.skip({ hours: 1 });
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Running' });
    await app.raise(id, 'Knock', 'lee');
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Completed', output: 'lee' });
  });
});

describe('a timer', () => {
  it('that lost a race can be cancelled, and then holds nothing up', async () => {
    const app = await startApp();
    expect(await app.finished(await app.start('First'))).toMatchObject({
      output: { soon: true, at: '2030-01-01T00:01:00.000Z' },
    });
    expect(app.now.toISOString()).toBe('2030-01-01T00:01:00.000Z');
  });
});

describe('an event with a deadline', () => {
  it('that comes in time ends the wait, and the instance does not wait for the timer', async () => {
    const app = await startApp();
    const id = await app.start('Door');
    await app.skip({ minutes: 59 });
    await app.raise(id, 'Knock', 'kim');
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Completed', output: 'kim' });
  });

  it('that came before the wait ends it at once', async () => {
    const app = await startApp();
    const id = await app.start('Door');
    await app.raise(id, 'Knock', 'kim');
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Completed', output: 'kim' });
  });

  it('is given up when time is up', async () => {
    const app = await startApp();
    expect(await app.finished(await app.start('Door'))).toMatchObject({ output: 'nobody' });
    expect(app.now.toISOString()).toBe('2030-01-01T01:00:00.000Z');
  });

  it('is not lost to a wait that the deadline has ended, nor are the next ones', async () => {
    const app = await startApp();
    const id = await app.start('BusyDoor', 3);
    app.replace('Pause', async () => {
      await knockWhileBusy(app, id);
      return 'busy';
    });
    await app.skip({ hours: 1 });
    await app.raise(id, 'Knock', 'lee');
    await app.raise(id, 'Knock', 'ana');
    expect(await app.instance(id)).toMatchObject({
      runtimeStatus: 'Completed',
      output: ['kim', 'lee', 'ana'],
    });
  });

  it('is not lost to a later wait without a deadline either', async () => {
    const app = await startApp();
    const id = await app.start('PatientDoor');
    app.replace('Pause', async () => {
      await knockWhileBusy(app, id);
      return 'busy';
    });
    await app.skip({ hours: 1 });
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Completed', output: 'kim' });
  });
});

describe('entities', () => {
  it('answer those who call, and are left as they were by what they refuse', async () => {
    const app = await startApp();
    expect(await app.finished(await app.start('Tallied', 'a'))).toMatchObject({
      output: [
        { refused: false, count: 3 },
        { refused: true, count: 3 },
      ],
    });
    expect(await app.entity({ name: 'Tally', key: 'a' })).toEqual({ count: 3 });
  });

  it('are read and signalled from outside, also before they were ever called', async () => {
    const app = await startApp();
    const state = async (): Promise<unknown> => {
      const answer = await app.post('/tally/a');
      await app.quiet();
      return answer.json();
    };
    expect([await state(), await state()]).toEqual([{ count: 0 }, { count: 5 }]);
  });

  it('have their first state after an operation that changed nothing', async () => {
    const app = await startApp();
    await app.signal({ name: 'Tally', key: 'a' }, 'add', { by: -1 });
    expect(await (await app.post('/tally/a')).json()).toEqual({ count: 0 });
  });

  it('do nothing that they have no operation for', async () => {
    const app = await startApp();
    await app.signal({ name: 'Tally', key: 'a' }, 'toString');
    expect(await app.entity({ name: 'Tally', key: 'a' })).toBeUndefined();
  });
});
