import type { DurableClient } from 'durable-functions';
import { describe, expect, it, onTestFinished } from 'vitest';
import { TestApp } from '../../emulator/src/testing.js';

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

  it('that is started without an input gets null, not the text that the SDK would send', async () => {
    await startApp();
    const { start } = await import('../../src/durable/index.js');
    const { withoutInput } = await import('./orchestrators.js');
    const started: unknown[] = [];
    const client = {
      startNew: (...call: unknown[]) => {
        started.push(call);
        return Promise.resolve('a');
      },
    } as unknown as DurableClient;
    expect(await start(client, withoutInput, { instanceId: 'a', input: null })).toBe('a');
    expect(started).toEqual([['WithoutInput', { instanceId: 'a', input: null }]]);
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
