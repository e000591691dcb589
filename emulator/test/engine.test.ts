import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { InstanceExistsError, missingFunction } from '../src/durable/client.js';
import { SkippingClock } from '../src/durable/clock.js';
import { Engine, type EngineOptions } from '../src/durable/engine/engine.js';
import { MemoryHub } from '../src/durable/memory/memory-hub.js';
import { SdkV3 } from '../src/durable/protocol/sdk-v3.js';
import type { Commit, InstanceQuery, Message } from '../src/durable/task-hub.js';
import { TestApp, type TestAppOptions } from '../src/testing.js';
import { loadApp } from '../src/worker/app-loader.js';
import { FunctionsWorker, type WorkerOptions } from '../src/worker/worker.js';
import type { Log } from '../src/log.js';
import { account } from './support/azurite.js';
import { eventually } from './support/eventually.js';

const directory = path.join(import.meta.dirname, 'fixtures/engine-app');

async function start(options: TestAppOptions = {}): Promise<TestApp> {
  const app = await TestApp.start({ directory, time: '2026-03-01T08:00:00Z', ...options });
  onTestFinished(() => app.stop());
  return app;
}

async function types(app: TestApp, id: string): Promise<string[]> {
  return (await app.history(id))
    .map(({ EventType }) => EventType)
    .filter((type) => !type.startsWith('Orchestrator'));
}

async function functions(options: Partial<WorkerOptions> = {}): Promise<FunctionsWorker> {
  return new FunctionsWorker({ registrations: await loadApp({ directory }), log: () => {}, ...options });
}

async function engine(options: Partial<EngineOptions>): Promise<Engine> {
  const made = new Engine({
    hub: new MemoryHub({ name: 'Hub' }),
    clock: new SkippingClock(Date.UTC(2026, 2, 1)),
    sdk: new SdkV3(await functions()),
    log: () => {},
    ...options,
  });
  onTestFinished(() => made.stop());
  await made.start();
  return made;
}

async function statuses(of: Engine, ids: readonly string[]): Promise<(string | undefined)[]> {
  return Promise.all(ids.map(async (id) => (await of.getRecord(id))?.runtimeStatus));
}

describe('External events', () => {
  test('that come before they are waited for are kept in their order', async () => {
    const app = await start();
    const id = await app.start('threeEvents');
    for (const number of [1, 2, 3]) await app.raise(id, 'E', number);
    expect((await app.finished(id)).output).toEqual([1, 2, 3]);

    const late = await app.start('late');
    await app.raise(late, 'E', 'early');
    expect((await app.finished(late)).output).toBe('early');
  });

  test('reach the last of several waits first, as in the SDK', async () => {
    const app = await start();
    const id = await app.start('twoWaiters');
    await app.raise(id, 'E', 'a');
    await app.raise(id, 'E', 'b');
    expect((await app.finished(id)).output).toEqual({ one: 'b', two: 'a' });
  });

  test('whose names differ by case are accepted, and end no wait', async () => {
    const app = await start();
    const id = await app.start('waits');
    await app.raise(id, 'e', 1);
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Running' });
  });

  test('raised in a burst are all there after continue-as-new', async () => {
    const app = await start({ verifyReplay: false });
    const id = await app.start('countsEvents');
    await app.quiet();
    await Promise.all(Array.from({ length: 5 }, () => app.raise(id, 'E')));
    expect((await app.finished(id)).output).toBe(5);
  });
});

describe('Timers', () => {
  test('that are cancelled never fire, and do not keep the instance Running', async () => {
    const app = await start();
    const id = await app.start('race');
    await app.raise(id, 'E');
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Completed', output: 'event' });
    await app.skip('idle');
    expect(app.now.toISOString()).toBe('2026-03-01T08:00:00.000Z');
    expect(await types(app, id)).toEqual([
      'ExecutionStarted',
      'TimerCreated',
      'EventRaised',
      'ExecutionCompleted',
    ]);
  });

  test('that are not cancelled keep the instance Running until they fire, as in production', async () => {
    const app = await start();
    const id = await app.start('race', { leaveTimer: true });
    await app.raise(id, 'E');
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Running' });
    await app.skip({ hours: 1 });
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Completed', output: 'event' });
  });

  test('of weeks can be cancelled between two hops', async () => {
    const app = await start();
    const id = await app.start('longRace');
    await app.skip({ days: 4 });
    await app.raise(id, 'E');
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Completed', output: 'event' });
    expect(
      (await app.history(id)).flatMap((event) => (event.EventType === 'TimerCreated' ? event.FireAt : [])),
    ).toEqual(['2026-03-04T08:00:00Z', '2026-03-07T08:00:00Z']);
    await app.skip('idle');
    expect(app.now.toISOString()).toBe('2026-03-05T08:00:00.000Z');
  });

  test('of ten days are made in hops of three, and end to the millisecond', async () => {
    const app = await start();
    const id = await app.start('longTimer');
    expect((await app.finished(id)).output).toBe('2026-03-11T08:00:00.000Z');
    expect(
      (await app.history(id)).filter((event) => event.EventType === 'TimerFired').map(({ FireAt }) => FireAt),
    ).toEqual(['2026-03-04T08:00:00Z', '2026-03-07T08:00:00Z', '2026-03-11T08:00:00Z']);
  });
});

describe('Activities', () => {
  test('that lost a race are waited for before the instance completes', async () => {
    const app = await start({ verifyReplay: false });
    const id = await app.start('anyOfTwo');
    expect((await app.finished(id)).output).toBe('quick');
    expect((await types(app, id)).filter((type) => type === 'TaskCompleted')).toHaveLength(2);
  });

  test('are retried after growing delays, and a last timer follows the last failure', async () => {
    const app = await start();
    const id = await app.start('retries');
    const { runtimeStatus, output } = await app.finished(id);
    expect(runtimeStatus).toBe('Failed');
    expect(output).toMatch(
      /^Orchestrator function 'retries' failed: Activity function 'fails' failed: never \n \{"\$type":"System\.Exception/,
    );
    expect(app.calls('fails').map(({ at }) => at.toISOString().slice(17, 19))).toEqual(['00', '01', '03']);
    expect(
      (await app.history(id))
        .filter((event) => event.EventType === 'TimerCreated')
        .map(({ EventId, FireAt }) => [EventId, FireAt]),
    ).toEqual([
      [1, '2026-03-01T08:00:01Z'],
      [3, '2026-03-01T08:00:03Z'],
      [5, '2026-03-01T08:00:03Z'],
    ]);
  });

  test("return a number that JSON does not have as .NET's text of it", async () => {
    const app = await start();
    expect((await app.finished(await app.start('countsBadly'))).output).toBe('NaN');
  });

  test('that a changed app no longer has make its orchestrator non-deterministic', async () => {
    const hub = new MemoryHub({ name: 'Hub' });
    const id = await (await engine({ hub })).startInstance({ name: 'hangsOn', input: null });
    await eventually(async () => {
      expect((await hub.load(id)).history.some(({ EventType }) => EventType === 'TaskScheduled')).toBe(true);
    });
    const worker = await functions();
    const without = {
      functions: worker.functions,
      invoke: worker.invoke.bind(worker),
      find: (name: string) => (name === 'hangs' ? undefined : worker.find(name)),
    };
    const next = await engine({ hub, sdk: new SdkV3(without) });
    await next.raiseEvent(id, 'wakes it', null);
    await next.whenQuiet();
    expect(await next.getRecord(id)).toMatchObject({
      runtimeStatus: 'Failed',
      output: expect.stringContaining(
        "scheduled an activity task with sequence ID 0 and name 'hangs' (version ''), but the current replay execution hasn't",
      ) as string,
    });
  });

  test.each(['event', 'timer'])(
    'after one that failed in a Task.all begin when the %s in it has come, and the log says so',
    async (other) => {
      const lines: string[] = [];
      const app = await start({ log: (_level, _category, message) => lines.push(message) });
      const id = await app.start('failsFast', { other });
      await app.quiet();
      expect(app.calls('echo')).toEqual([]);
      expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Running' });
      expect(lines).toContainEqual(expect.stringContaining('A task of a Task.all has failed, and the orch'));
      if (other === 'event') await app.raise(id, 'E');
      else await app.skip({ minutes: 1 });
      expect(await app.finished(id)).toMatchObject({ runtimeStatus: 'Completed', output: 'undone' });
      expect((await types(app, id)).slice(-4)).toEqual([
        other === 'event' ? 'EventRaised' : 'TimerFired',
        'TaskScheduled',
        'TaskCompleted',
        'ExecutionCompleted',
      ]);
    },
  );

  test('that fail a Task.all leave the instance Running until the event in it has come', async () => {
    const app = await start();
    const id = await app.start('failsFast', { other: 'event', uncaught: true });
    await app.quiet();
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Running' });
    await app.raise(id, 'E');
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Failed' });
  });

  test('may be a thousand at once', async () => {
    const app = await start({ verifyReplay: false });
    expect((await app.finished(await app.start('wide'))).output).toBe(499_500);
  });
});

describe('Sub-orchestrations', () => {
  test('have an id from the parent’s execution and the number of the call, or the given id', async () => {
    const app = await start();
    const id = await app.start('parent', { child: 'replays' });
    const given = await app.start('parent', { child: 'replays', id: 'given-id' });
    expect((await app.finished(id)).output).toEqual({ result: [true, false] });
    expect((await app.finished(given)).output).toEqual({ result: [true, false] });
    const ids = (await app.instances())
      .filter(({ name }) => name === 'replays')
      .map(({ instanceId }) => instanceId);
    expect(ids).toEqual([expect.stringMatching(/^[0-9a-f-]{36}:0$/), 'given-id']);
    expect(await app.instance('given-id')).toMatchObject({ input: 'from parent' });
  });

  test('that fail make the call fail with their output and their error', async () => {
    const app = await start();
    expect((await app.finished(await app.start('parent', { child: 'throws' }))).output).toEqual({
      caught: "Orchestrator function 'throws' failed: on purpose \n Message: on purpose, StackTrace: ",
    });
  });

  test('go on when their parent is terminated', async () => {
    const app = await start();
    const id = await app.start('parent', { child: 'waits', id: 'child' });
    await app.quiet();
    await app.terminate(id, 'enough');
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Terminated', output: 'enough' });
    expect(await app.instance('child')).toMatchObject({ runtimeStatus: 'Running' });
  });

  test('take the place of an instance that runs under their id, as in the provider’s tables', async () => {
    const app = await start({ strict: false });
    await app.start('waits', 'from a client', 'busy');
    await app.quiet();
    const id = await app.start('parent', { child: 'waits', id: 'busy' });
    await app.quiet();
    expect(await app.instance('busy')).toMatchObject({ runtimeStatus: 'Running', input: 'from parent' });
    await app.raise('busy', 'E', 'done');
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Completed', output: { result: 'done' } });
  });

  test('show the output of the instance that had their id before, until they have their own', async () => {
    const app = await start();
    await app.start('waits', 'from a client', 'again');
    await app.raise('again', 'E', 'old');
    const id = await app.start('parent', { child: 'waits', id: 'again' });
    await app.quiet();
    expect(await app.instance('again')).toMatchObject({
      runtimeStatus: 'Running',
      input: 'from parent',
      output: '"old"',
    });
    await app.raise('again', 'E');
    expect(await app.instance('again')).toMatchObject({ runtimeStatus: 'Completed', output: 'old' });
    expect((await app.finished(id)).output).toEqual({ result: null });
    await app.start('waits', undefined, 'again');
    await app.quiet();
    expect(await app.instance('again')).toMatchObject({ runtimeStatus: 'Running', output: null });
  });

  test('give their parent nothing when they return nothing, whatever their status shows', async () => {
    const app = await start();
    const id = await app.start('parent', { child: 'waits', id: 'held' });
    await app.quiet();
    await app.suspend('held', 'hold on');
    await app.resume('held', 'go on');
    await app.raise('held', 'E');
    expect(await app.instance('held')).toMatchObject({ runtimeStatus: 'Completed', output: 'go on' });
    expect((await app.finished(id)).output).toEqual({ result: null });
  });

  test('that are terminated make their parent fail with the text of the SDK', async () => {
    const app = await start();
    const id = await app.start('parent', { child: 'waits', id: 'child' });
    await app.quiet();
    await app.terminate('child');
    expect((await app.finished(id)).output).toContain('could not parse its exception data');
  });
});

describe('A long history', () => {
  /** Counts how often the code of orchestrators began. */
  function begins(): { log: Log; count: number } {
    const counting = {
      count: 0,
      log: (_level: string, _category: string, message: string) => {
        if (message === 'begins') counting.count++;
      },
    };
    return counting;
  }

  test('is replayed in full up to 256 events, and then when it has doubled', async () => {
    const counting = begins();
    const app = await start({ verifyReplay: false, log: counting.log });
    const id = await app.start('steps', { steps: 140 });
    expect((await app.finished(id)).output).toBe(140);
    expect(app.calls('echo').map(({ input }) => input)).toEqual(
      Array.from({ length: 140 }, (_, step) => step),
    );
    // Each episode adds four events, and its own events are two. Two replays: at 258 and at 518 events.
    expect(counting.count).toBe(64 + 2);
  });

  test('is replayed when the app’s process was lost, and goes on where it was', async () => {
    const app = await start({ verifyReplay: false });
    const id = await app.start('steps', { steps: 120, waitsAt: 90 });
    await app.quiet();
    await app.crashWorker();
    await app.raise(id, 'Go');
    expect((await app.finished(id)).output).toBe(120);
    expect(app.calls('echo')).toHaveLength(120);
  });

  test('ends as Failed when the process of the app dies in the middle of an episode', async () => {
    const app = await start();
    const id = await app.start('steps', { steps: 120, waitsAt: 90 });
    await app.quiet();
    await app.crashWorker({ during: 'steps' });
    await app.raise(id, 'Go');
    expect((await app.finished(id)).runtimeStatus).toBe('Failed');
    expect(app.calls('echo')).toHaveLength(90);
  });

  test('is replayed when others need the memory', async () => {
    const counting = begins();
    const sdk = new SdkV3(await functions({ log: counting.log, sessions: { events: 300, idle: 1e6 } }));
    const host = await engine({ sdk });
    const input = JSON.stringify({ steps: 100 });
    const ids = await Promise.all([1, 2].map(() => host.startInstance({ name: 'steps', input })));
    await host.whenQuiet();
    expect(await statuses(host, ids)).toEqual(['Completed', 'Completed']);
    expect(counting.count).toBeGreaterThan(2 * 80);
  });

  test.for([0, Infinity])('is logged as production logs it, kept from %d events on', async (inFullUpTo) => {
    const messages: string[] = [];
    const log: Log = (_level, _category, message) => messages.push(message);
    const host = await engine({ sdk: new SdkV3(await functions({ log })), replays: { inFullUpTo } });
    const id = await host.startInstance({ name: 'awaitsLater', input: null });
    // After the third Z it is replayed, and not again before D: the history has not doubled.
    for (const name of ['Z', 'Z', 'Z', 'A', 'B', 'C', 'D']) {
      await host.whenQuiet();
      await host.raiseEvent(id, name, null);
    }
    await host.whenQuiet();
    expect(await statuses(host, [id])).toEqual(['Completed']);
    expect(messages).toEqual(['has C']);
  });

  test('shows at its next replay that the code depends on isReplaying', async () => {
    const app = await start({ verifyReplay: false });
    const { runtimeStatus, output } = await app.finished(
      await app.start('steps', { steps: 140, reads: 'isReplaying' }),
    );
    expect(runtimeStatus).toBe('Failed');
    expect(output).toContain("with sequence number 100 named 'echo'");
  });

  test('shows at its end at the latest that the code reads the clock, and the failure names the step', async () => {
    const app = await start();
    const { output } = await app.finished(await app.start('steps', { steps: 102, reads: 'time' }));
    expect(output).toMatch(/is not deterministic: .* step 101\n {2}before: .*2026-03-01/s);
  });
});

describe('A mistake of the emulator', () => {
  /** An engine with its log, on a hub that throws for each commit of which `isBroken` says so. */
  async function broken(
    isBroken: (commit: Commit) => boolean,
  ): Promise<{ faulty: Engine; errors: string[] }> {
    const errors: string[] = [];
    const hub = new (class extends MemoryHub {
      override async commit(commit: Commit): Promise<number> {
        if (isBroken(commit)) throw new TypeError('a mistake');
        return super.commit(commit);
      }
    })({ name: 'Hub' });
    const faulty = await engine({
      hub,
      log: (level, _category, message) => {
        if (level === 'error') errors.push(message);
      },
    });
    return { faulty, errors };
  }

  test('ends the instance as Failed, and the log has its stack', async () => {
    const { faulty, errors } = await broken(({ append }) =>
      append.some(({ EventType }) => EventType === 'TimerCreated'),
    );
    await faulty.startInstance({ name: 'race', input: null, instanceId: 'one' });
    await faulty.whenQuiet();
    expect(await faulty.getRecord('one')).toMatchObject({
      runtimeStatus: 'Failed',
      output: "Orchestrator function 'race' failed: The emulator failed: a mistake",
    });
    expect(errors[0]).toMatch(/^one: The emulator failed.*TypeError: a mistake\n +at .*engine\.test\.ts/s);
  });

  test('in sending what follows from an episode ends the instance, too', async () => {
    const hub = new (class extends MemoryHub {
      override async post(instanceId: string, message: Message): Promise<void> {
        if (instanceId === 'child') throw new TypeError('a mistake');
        return super.post(instanceId, message);
      }
    })({ name: 'Hub' });
    const faulty = await engine({ hub });
    await faulty.startInstance({
      name: 'parent',
      input: '{"child":"waits","id":"child"}',
      instanceId: 'parent',
    });
    await faulty.whenQuiet();
    expect(await statuses(faulty, ['parent'])).toEqual(['Failed']);
  });

  test('that also keeps the instance from being failed leaves it as it is, which is logged', async () => {
    const { faulty, errors } = await broken(() => true);
    await faulty.startInstance({ name: 'race', input: null, instanceId: 'one' });
    await faulty.whenQuiet();
    expect(errors.at(-1)).toMatch(
      /^one: The emulator could not end it as Failed .*TypeError: a mistake\n +at /s,
    );
  });
});

describe('An orchestrator that continues as new for ever', () => {
  test('is listed as Pending, and no listing waits for it', async () => {
    const busy = await engine({});
    for (const [instanceId, name] of [
      ['a', 'race'],
      ['b', 'spins'],
      ['c', 'race'],
    ] as const)
      await busy.startInstance({ name, input: null, instanceId });
    const listed = async (query: Partial<InstanceQuery>): Promise<unknown> => {
      const { records, next } = await busy.query({ top: 10, ...query });
      return [...records.map(({ instanceId, runtimeStatus }) => `${instanceId} ${runtimeStatus}`), next];
    };
    expect(await listed({})).toEqual(['a Running', 'b Pending', 'c Running', undefined]);
    expect(await listed({ top: 2 })).toEqual(['a Running', 'b Pending', 'c']);
    expect(await listed({ top: 1, from: 'b' })).toEqual(['b Pending', 'c']);
    expect(await listed({ runtimeStatus: ['Running'] })).toEqual(['a Running', 'c Running', undefined]);
    await busy.terminate('b', 'enough');
    await busy.whenQuiet();
    expect(await listed({ runtimeStatus: ['Terminated'] })).toEqual(['b Terminated', undefined]);
  });

  test('lets others run where one orchestrator may run at a time', async () => {
    const busy = await engine({ settings: { maxConcurrentOrchestrators: 1 } });
    await busy.startInstance({ name: 'spins', input: null, instanceId: 'a' });
    await busy.startInstance({ name: 'race', input: null, instanceId: 'b' });
    await eventually(async () => expect(await statuses(busy, ['b'])).toEqual(['Running']));
    await busy.terminate('a', null);
    await busy.whenQuiet();
  });
});

describe('Starts of one id at the same moment', () => {
  test('that are equal make one instance, and all get its id', async () => {
    const made = await engine({});
    const request = { name: 'status', input: '1', instanceId: 'one' };
    expect(await Promise.all([made.startInstance(request), made.startInstance(request)])).toEqual([
      'one',
      'one',
    ]);
  });

  test.each([
    ['input', { name: 'status', input: '2' }],
    ['name', { name: 'race', input: '1' }],
    ['version', { name: 'status', input: '1', version: '2' }],
  ])(
    'of which one has another %s: the later one gets an error, because the id is in use',
    async (_what, other) => {
      const made = await engine({});
      const [first, second] = await Promise.allSettled([
        made.startInstance({ name: 'status', input: '1', instanceId: 'one' }),
        made.startInstance({ ...other, instanceId: 'one' }),
      ]);
      expect(first).toMatchObject({ status: 'fulfilled', value: 'one' });
      expect(second).toMatchObject({
        status: 'rejected',
        reason: expect.any(InstanceExistsError) as unknown,
      });
      await made.whenQuiet();
      expect(await made.getRecord('one')).toMatchObject({ name: 'status', input: '1' });
    },
  );
});

describe('An instance', () => {
  test('that continues as new without waiting can be terminated', async () => {
    const app = await start({ verifyReplay: false });
    const id = await app.start('spins');
    await app.terminate(id, 'enough');
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Terminated', output: 'enough' });
  });

  test('shows its custom status until it is cleared', async () => {
    const app = await start();
    const id = await app.start('status');
    await app.quiet();
    expect((await app.instance(id))?.customStatus).toEqual({ step: 1 });
    await app.raise(id, 'E');
    expect((await app.instance(id))?.customStatus).toBeNull();
  });

  test('shows the custom status of the execution before until it has continued as new and gets an event', async () => {
    const app = await start();
    const id = await app.start('statusOfOld');
    await app.quiet();
    expect(await app.instance(id)).toMatchObject({ input: 1, customStatus: 'first' });
    await app.raise(id, 'E');
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Running', customStatus: null });
    await app.raise(id, 'E');
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Completed', customStatus: null });
  });

  test('gets the same GUIDs at every replay, and no GUID twice', async () => {
    const app = await start();
    const { output } = await app.finished(await app.start('guids'));
    const { before, after } = output as { before: string[]; after: string };
    expect(new Set([...before, after]).size).toBe(3);
    expect(app.calls('echo')[0]?.input).toEqual(before);
  });

  test('continues its code while it is suspended, but what it schedules begins when it is resumed', async () => {
    const app = await start();
    const id = await app.start('suspendable');
    await app.quiet();
    await app.suspend(id, 'hold on');
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Suspended', output: 'hold on' });
    await app.raise(id, 'E', 7);
    expect(app.calls('echo')).toEqual([]);
    await app.resume(id);
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Completed', output: 7 });
    expect(await types(app, id)).toEqual([
      'ExecutionStarted',
      'ExecutionSuspended',
      'EventRaised',
      'ExecutionResumed',
      'TaskScheduled',
      'TaskCompleted',
      'ExecutionCompleted',
    ]);
  });

  test('shows the reason for its suspension, and later that for its resumption, as its output', async () => {
    const app = await start();
    const id = await app.start('sleepsThenActs');
    await app.quiet();
    await app.suspend(id, 'hold on');
    await app.resume(id, 'go on');
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Running', output: 'go on' });
    await app.suspend(id);
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Suspended', output: 'go on' });
    await app.terminate(id);
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Terminated', output: 'go on' });
    await app.start('sleepsThenActs', undefined, id);
    await app.quiet();
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Running', output: null });
  });

  test('has timers that fire while it is suspended, and what follows happens when it is resumed', async () => {
    const app = await start();
    const id = await app.start('sleepsThenActs');
    await app.quiet();
    await app.suspend(id);
    await app.skip({ minutes: 2 });
    expect(app.calls('echo')).toEqual([]);
    await app.resume(id);
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Completed', output: 'awake' });
  });

  test('can be terminated while it is suspended, which ends its timer', async () => {
    const app = await start();
    const id = await app.start('sleepsThenActs');
    await app.quiet();
    await app.suspend(id);
    await app.terminate(id, 'enough');
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Terminated', output: 'enough' });
    await app.skip('idle');
    expect(app.now.toISOString()).toBe('2026-03-01T08:00:00.000Z');
  });

  test('that fails keeps its custom status', async () => {
    const app = await start();
    expect(await app.finished(await app.start('failsHalfway', undefined, 'it'))).toMatchObject({
      runtimeStatus: 'Failed',
      output: "Orchestrator function 'failsHalfway' failed: it failed",
      customStatus: 'halfway',
    });
  });

  test('leaves memory when there are many, and is loaded by its timer, by an event, and for a status', async () => {
    const clock = new SkippingClock(Date.UTC(2026, 2, 1));
    const few = await engine({ clock, maxIdle: 2 });
    const [sleepers, waiters] = ['sleepsThenActs', 'waits'].map((name) =>
      Array.from({ length: 20 }, (_, index) => `${name}-${index}`),
    ) as [string[], string[]];
    const all = [...sleepers, ...waiters];
    for (const instanceId of all)
      await few.startInstance({ name: instanceId.split('-')[0]!, instanceId, input: null });
    await few.whenQuiet();
    expect(await statuses(few, all)).toEqual(all.map(() => 'Running'));
    await few.whenQuiet();
    clock.moveTo(clock.now() + 60_000);
    while (clock.wakeOne());
    await Promise.all(waiters.map((id) => few.raiseEvent(id, 'E', '1')));
    await few.whenQuiet();
    expect(await statuses(few, all)).toEqual(all.map(() => 'Completed'));
  });

  test('that runs keeps its id; the id of one that has ended can be used again', async () => {
    const app = await start();
    await app.start('waits', undefined, 'one');
    await expect(app.start('waits', undefined, 'one')).rejects.toThrow(InstanceExistsError);
    await app.raise('one', 'E', 'first');
    await app.start('waits', undefined, 'one');
    await app.quiet();
    expect(await app.instance('one')).toMatchObject({ runtimeStatus: 'Running', output: null });
    await app.raise('one', 'E', 'second');
    expect(await app.instance('one')).toMatchObject({ runtimeStatus: 'Completed', output: 'second' });
  });

  test.each(['memory', 'Azure Storage'])(
    'of one id runs once in %s, however often it is started at the same moment',
    async (hub) => {
      const app = await start({ storage: hub === 'memory' ? hub : await account() });
      const starts = await Promise.all(Array.from({ length: 25 }, () => app.start('acts', undefined, 'one')));
      expect(new Set(starts)).toEqual(new Set(['one']));
      expect(await app.finished('one')).toMatchObject({ runtimeStatus: 'Completed', output: 'done' });
      expect(app.calls('echo')).toHaveLength(1);
    },
  );

  test.for([[], ['Running'], ['Completed', 'Running'], ['Completed']] as const)(
    'that runs survives a purge by time of %o, and the log says what production would do',
    async (runtimeStatus) => {
      const said: string[] = [];
      const some = await engine({
        log: (level, _category, message) => {
          if (level === 'warning') said.push(message);
        },
      });
      for (const instanceId of ['ended', 'live'])
        await some.startInstance({ name: 'waits', instanceId, input: null });
      await some.raiseEvent('ended', 'E', '1');
      await some.whenQuiet();
      expect(await some.purgeBy({ createdTimeFrom: 0, runtimeStatus })).toBe(1);
      expect(await statuses(some, ['ended', 'live'])).toEqual([undefined, 'Running']);
      expect(said).toEqual(
        runtimeStatus.some((status) => status === 'Completed')
          ? []
          : [expect.stringContaining('left 1 live instance alone')],
      );
    },
  );

  test('of an unknown orchestrator fails, and the text names those that are known', async () => {
    const app = await start();
    const { runtimeStatus, output } = await app.finished(await app.start('nobody'));
    expect(runtimeStatus).toBe('Failed');
    expect(output).toMatch(
      /^Orchestrator function 'nobody' failed: The function 'nobody' doesn't exist, .* known orchestrator functions: 'threeEvents', /,
    );
  });

  test('gets the text of an app without functions only where the app has no orchestrators, also for entities', () => {
    expect(missingFunction('orchestrator', 'a', [], 0)).toBe(
      "The function 'a' doesn't exist, is disabled, or is not an orchestrator function. Additional info: No orchestrator functions are currently registered!",
    );
    expect(missingFunction('entity', 'e', [], 0)).toMatch(/: No entity functions are currently registered!$/);
    expect(missingFunction('entity', 'e', [], 2)).toMatch(
      /: The following are the known entity functions: ''\.$/,
    );
  });

  test('that throws undefined waits for ever, and the log says so', async () => {
    const said: string[] = [];
    const app = await start({
      strict: false,
      log: (level, _category, message) => {
        if (level === 'error') said.push(message);
      },
    });
    const id = await app.start('throwsNothing');
    await app.quiet();
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Running' });
    expect(said).toEqual([expect.stringContaining('it will wait for ever')]);
  });

  test('that yields a task again fails in strict mode, and the text says what production does', async () => {
    const app = await start({ verifyReplay: false });
    const id = await app.start('reuses');
    await app.raise(id, 'E');
    const { runtimeStatus, output } = await app.finished(id);
    expect(runtimeStatus).toBe('Failed');
    expect(output).toContain('A task was yielded a second time');
  });
});
