import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { SkippingClock } from '../src/durable/clock.js';
import { Engine } from '../src/durable/engine/engine.js';
import { entityState } from '../src/durable/entities/entity.js';
import type { EntityAnswer, EntityRun } from '../src/durable/protocol/functions.js';
import { MemoryHub, type StoredInstance } from '../src/durable/memory/memory-hub.js';
import { SdkV3 } from '../src/durable/protocol/sdk-v3.js';
import { StorageFailure, type Commit, type Hint, type Message } from '../src/durable/task-hub.js';
import { TestApp, type TestAppOptions } from '../src/testing.js';
import { loadApp } from '../src/worker/app-loader.js';
import type { InvocationOutcome, InvocationRequest } from '../src/worker/types.js';
import { FunctionsWorker } from '../src/worker/worker.js';
import { account } from './support/azurite.js';
import { eventually } from './support/eventually.js';

const directory = path.join(import.meta.dirname, 'fixtures/entity-app');

type Step = { do: string } & Record<string, unknown>;

async function start(options: TestAppOptions = {}): Promise<TestApp> {
  const app = await TestApp.start({ directory, time: '2026-03-01T08:00:00Z', ...options });
  onTestFinished(() => app.stop());
  return app;
}

/** Runs an orchestration with these steps, see the fixture. */
async function script(app: TestApp, ...steps: Step[]): Promise<unknown> {
  return (await app.finished(await app.start('script', { steps }))).output;
}

const counter = (key: string): { name: string; key: string } => ({ name: 'counter', key });

describe.each([{ hub: 'memory' }, { hub: 'Azurite' }])('Entities ($hub)', ({ hub }) => {
  const begin = async (options: TestAppOptions = {}): Promise<TestApp> =>
    start({ ...options, storage: hub === 'memory' ? hub : await account() });

  test('are called and signalled by orchestrations, in the order of the calls', async () => {
    const app = await begin();
    expect(
      await script(
        app,
        { do: 'signal', on: '@counter@a', op: 'add', input: 5 },
        { do: 'call', on: '@counter@a', op: 'add', input: 10 },
        { do: 'call', on: '@counter@a', op: 'get' },
      ),
    ).toEqual([15, 15]);
    expect(await app.entity(counter('a'))).toBe(15);
  });

  test('are signalled and read by clients', async () => {
    const app = await begin();
    expect((await app.post('/api/signal/counter/a/add', 7)).status).toBe(202);
    await app.quiet();
    expect(await (await app.get('/api/state/counter/a')).json()).toEqual({
      entityExists: true,
      entityState: 7,
    });
    expect(await (await app.get('/api/state/counter/b')).json()).toEqual({ entityExists: false });
    await app.signal(counter('a'), 'add', -7);
    expect(await app.entity(counter('a'))).toBe(0);
  });

  test('signal other entities', async () => {
    const app = await begin();
    await app.signal(counter('from'), 'pass', { to: 'to', amount: 3 });
    await app.signal(counter('from'), 'pass', { to: 'from', amount: 4 });
    expect([await app.entity(counter('to')), await app.entity(counter('from'))]).toEqual([3, 4]);
  });

  test('get the messages of one sender in their order, however many there are', async () => {
    const app = await begin();
    const numbers = Array.from({ length: hub === 'memory' ? 100 : 30 }, (_, number) => number);
    await script(app, ...numbers.map((input) => ({ do: 'signal', on: '@journal@j', op: 'write', input })));
    await app.quiet();
    expect(await app.entity({ name: 'journal', key: 'j' })).toEqual(numbers);
  });

  test('keep a state that was set before they threw, and the caller does not get the error, as in production', async () => {
    const app = await begin();
    expect(
      await script(
        app,
        { do: 'call', on: '@counter@a', op: 'keepAndThrow', input: 6 },
        { do: 'call', on: '@counter@a', op: 'throwText' },
        { do: 'call', on: '@counter@a', op: 'get' },
      ),
    ).toEqual([{ caught: '[object Object]' }, { caught: 'a text' }, 6]);
  });

  test('do not exist after they have deleted themselves, and can be made again', async () => {
    const app = await begin();
    expect(
      await script(
        app,
        { do: 'call', on: '@counter@a', op: 'add', input: 6 },
        { do: 'call', on: '@counter@a', op: 'delete' },
      ),
    ).toEqual([6, null]);
    expect(await app.entity(counter('a'))).toBeUndefined();
    expect(await script(app, { do: 'call', on: '@counter@a', op: 'describe', input: 'x' })).toEqual([
      { name: 'counter', key: 'a', isNew: true, input: 'x' },
    ]);
    expect(await app.instance('@counter@a')).toMatchObject({
      runtimeStatus: 'Running',
      name: '@counter@a',
      customStatus: { entityExists: true },
    });
  });

  test('are called by many orchestrations at once, and each gets its own result', async () => {
    const app = await begin({ verifyReplay: false });
    const callers = hub === 'memory' ? 40 : 12;
    const outputs = await Promise.all(
      Array.from({ length: callers }, () =>
        script(app, { do: 'call', on: '@counter@busy', op: 'add', input: 1 }),
      ),
    );
    expect(outputs.map((output) => (output as number[])[0]).toSorted((a, b) => a! - b!)).toEqual(
      Array.from({ length: callers }, (_, index) => index + 1),
    );
  });

  describe('Locks', () => {
    const held = { do: 'lock', on: ['@counter@b', '@counter@a'] };

    test('keep others waiting until they are released, while the holder continues', async () => {
      const app = await begin();
      const id = await app.start('script', {
        steps: [
          held,
          { do: 'isLocked' },
          { do: 'call', on: '@counter@a', op: 'add', input: 1 },
          { do: 'event', name: 'Go' },
          { do: 'call', on: '@counter@a', op: 'get' },
          { do: 'release' },
          { do: 'isLocked' },
          { do: 'event', name: 'End' },
        ],
      });
      await app.quiet();
      await app.signal(counter('a'), 'add', 10);
      await app.signal(counter('b'), 'add', 10);
      expect([await app.entity(counter('a')), await app.entity(counter('b'))]).toEqual([1, undefined]);
      expect(await app.instance('@counter@a')).toMatchObject({
        customStatus: { entityExists: true, queueSize: 1, lockedBy: id },
      });
      await app.raise(id, 'Go');
      expect([await app.entity(counter('a')), await app.entity(counter('b'))]).toEqual([11, 10]);
      expect(await app.instance('@counter@a')).toMatchObject({ customStatus: { entityExists: true } });
      await app.raise(id, 'End');
      expect(await app.instance(id)).toMatchObject({
        runtimeStatus: 'Completed',
        output: [
          { isLocked: true, ownedLocks: [counter('a'), counter('b')] },
          1,
          null,
          1,
          { isLocked: false, ownedLocks: [] },
          null,
        ],
      });
    });

    test('that orchestrations want in opposite orders are given to all, one after the other', async () => {
      const app = await begin({ verifyReplay: false });
      const orders = [
        ['@counter@a', '@counter@b', '@counter@c'],
        ['@counter@c', '@counter@a'],
        ['@counter@b', '@counter@c'],
        ['@counter@c', '@counter@b', '@counter@a'],
      ];
      const ids = await Promise.all(
        Array.from({ length: 6 }, (_, index) => orders[index % 4]!).map((on) =>
          app.start('script', {
            steps: [
              { do: 'lock', on },
              { do: 'callAll', on, op: 'add', input: 1 },
              { do: 'callAll', on, op: 'slowly', input: -1 },
              { do: 'callAll', on, op: 'get' },
              { do: 'release' },
            ],
          }),
        ),
      );
      // The holder sees only its own changes.
      for (const id of ids) {
        const { runtimeStatus, output } = await app.finished(id);
        expect([runtimeStatus, new Set((output as unknown[]).flat())]).toEqual([
          'Completed',
          new Set([1, null, 0]),
        ]);
      }
    });

    test.for([
      { end: 'completes', last: [] as Step[], status: 'Completed' },
      { end: 'fails', last: [{ do: 'fail' }], status: 'Failed' },
      { end: 'continues as new', last: [{ do: 'again', steps: [] }], status: 'Completed' },
    ])('end when their holder $end', async ({ last, status }) => {
      const app = await begin();
      const id = await app.start('script', { steps: [held, { do: 'event', name: 'Go' }, ...last] });
      await app.quiet();
      await app.signal(counter('a'), 'add', 1);
      await app.signal(counter('b'), 'add', 1);
      expect(await app.entity(counter('a'))).toBeUndefined();
      await app.raise(id, 'Go');
      expect((await app.finished(id)).runtimeStatus).toBe(status);
      expect([await app.entity(counter('a')), await app.entity(counter('b'))]).toEqual([1, 1]);
    });

    test('end when their holder is terminated, and when an orchestration that waits for them is terminated', async () => {
      const app = await begin();
      const holder = await app.start('script', {
        steps: [
          { do: 'lock', on: ['@counter@b'] },
          { do: 'event', name: 'Go' },
        ],
      });
      await app.quiet();
      // It holds a, and waits for b.
      const waiting = await app.start('script', { steps: [held, { do: 'event', name: 'Go' }] });
      await app.quiet();
      await app.signal(counter('a'), 'add', 1);
      await app.signal(counter('b'), 'add', 1);
      expect([await app.entity(counter('a')), await app.entity(counter('b'))]).toEqual([
        undefined,
        undefined,
      ]);
      await app.terminate(waiting);
      expect([await app.entity(counter('a')), await app.entity(counter('b'))]).toEqual([1, undefined]);
      await app.terminate(holder);
      expect([await app.entity(counter('a')), await app.entity(counter('b'))]).toEqual([1, 1]);
      expect(await app.instance('@counter@b')).toMatchObject({ customStatus: { entityExists: true } });
    });

    test('that are given to an orchestration that has ended end at once', async () => {
      const app = await begin({ strict: false });
      const holder = await app.start('script', {
        steps: [
          { do: 'lock', on: ['@counter@a'] },
          { do: 'event', name: 'Go' },
        ],
      });
      await app.quiet();
      const impatient = await app.start('script', {
        steps: [{ do: 'lockOrEvent', on: ['@counter@a'], name: 'Never' }],
      });
      await app.raise(impatient, 'Never');
      expect(await app.instance(impatient)).toMatchObject({ runtimeStatus: 'Completed' });
      await app.raise(holder, 'Go');
      await app.signal(counter('a'), 'add', 1);
      expect(await app.entity(counter('a'))).toBe(1);
    });

    test('of an earlier instance with the same id are not taken for its own', async () => {
      const app = await begin();
      const holder = await app.start('script', {
        steps: [
          { do: 'lock', on: ['@counter@b'] },
          { do: 'event', name: 'Go' },
        ],
      });
      await app.quiet();
      // It holds a, and waits for b. The message that ends this comes to b through a.
      const again = {
        steps: [
          { do: 'lock', on: ['@counter@b'] },
          { do: 'event', name: 'Go' },
        ],
      };
      const id = await app.start('script', { steps: [held, { do: 'event', name: 'Go' }] });
      await app.quiet();
      await app.terminate(id);
      await app.start('script', again, id);
      await app.quiet();
      await app.terminate(holder);
      await app.signal(counter('b'), 'add', 1);
      expect([await app.entity(counter('b')), (await app.instance('@counter@b'))!.customStatus]).toEqual([
        undefined,
        { queueSize: 1, lockedBy: id },
      ]);
      await app.raise(id, 'Go');
      expect(await app.entity(counter('b'))).toBe(1);
    });

    test('are named in the error about an orchestration that waits for them', async () => {
      const app = await begin();
      await app.start('script', { steps: [held, { do: 'event', name: 'Never' }] });
      await app.quiet();
      await expect(
        app.finished(await app.start('script', { steps: [{ do: 'lock', on: ['@counter@a'] }] })),
      ).rejects.toThrow("it waits for the entity '@counter@a', and nothing is due");
    });

    test('limit an orchestration to the calls that the SDK allows', async () => {
      const app = await begin();
      expect(
        await script(
          app,
          held,
          held,
          { do: 'call', on: '@counter@c', op: 'get' },
          { do: 'signal', on: '@counter@a', op: 'add', input: 1 },
          { do: 'release' },
          { do: 'call', on: '@counter@c', op: 'get' },
        ),
      ).toEqual([
        { caught: expect.stringContaining('lock') as string },
        { caught: expect.stringContaining('lock') as string },
        { caught: expect.stringContaining('lock') as string },
        0,
      ]);
    });
  });
});

test('Entities and their locks continue where another host has left them', async () => {
  const storage = await account();
  const first = await start({ storage });
  await first.signal(counter('a'), 'add', 5);
  const id = await first.start('script', {
    steps: [
      { do: 'lock', on: ['@counter@a'] },
      { do: 'event', name: 'Go' },
      { do: 'call', on: '@counter@a', op: 'add', input: 1 },
    ],
  });
  await first.quiet();
  await first.signal(counter('a'), 'add', 100);
  await first.stop();

  const second = await start({ storage });
  expect(await second.entity(counter('a'))).toBe(5);
  await second.raise(id, 'Go');
  expect((await second.finished(id)).output).toEqual([null, 6]);
  await second.quiet();
  expect(await second.entity(counter('a'))).toBe(106);
});

test('Messages of an orchestration that ends are sent by the next host, when this one stops before', async () => {
  const instances = new Map<string, StoredInstance>();
  const hub = new (class extends MemoryHub {
    override async post(instanceId: string, message: Message): Promise<void> {
      if (instanceId.startsWith('@')) throw new StorageFailure('It cannot be reached.');
      return super.post(instanceId, message);
    }
  })({ name: 'Hub', instances });
  const sdk = new SdkV3(new FunctionsWorker({ registrations: await loadApp({ directory }), log: () => {} }));
  const options = { clock: new SkippingClock(0), sdk, log: (): void => {} };
  const first = new Engine({ ...options, hub });
  await first.start();
  const id = await first.startInstance({
    name: 'script',
    input: JSON.stringify({ steps: [{ do: 'signal', on: '@counter@a', op: 'add', input: 1 }] }),
  });
  await eventually(async () => {
    expect((await first.getRecord(id))?.runtimeStatus).toBe('Completed');
  });
  await first.stop();

  const second = new Engine({ ...options, hub: new MemoryHub({ name: 'Hub', instances }) });
  onTestFinished(() => second.stop());
  await second.start();
  await second.whenQuiet();
  expect(entityState(await second.getRecord('@counter@a'))).toEqual({ state: '1' });
});

describe('An entity', () => {
  /** An engine on the hub in memory, whose entity functions give what `invoke` makes of their result. */
  async function engineOn(invoke: (result: InvocationOutcome) => InvocationOutcome): Promise<{
    engine: Engine;
    errors: string[];
  }> {
    const errors: string[] = [];
    const worker = new (class extends FunctionsWorker {
      override async invoke(request: InvocationRequest): Promise<InvocationOutcome> {
        const outcome = await super.invoke(request);
        return request.functionName === 'Counter' ? invoke(outcome) : outcome;
      }
    })({ registrations: await loadApp({ directory }), log: () => {} });
    const engine = new Engine({
      hub: new MemoryHub({ name: 'Hub' }),
      clock: new SkippingClock(0),
      sdk: new SdkV3(worker),
      log: (level, _category, message) => {
        if (level === 'error') errors.push(message);
      },
    });
    onTestFinished(() => engine.stop());
    await engine.start();
    return { engine, errors };
  }
  const entity = { name: 'counter', key: 'a' };
  const call = JSON.stringify({ steps: [{ do: 'call', on: '@counter@a', op: 'add', input: 1 }] });
  const outputOf = async (engine: Engine): Promise<unknown> => {
    const id = await engine.startInstance({ name: 'script', input: call });
    await engine.whenQuiet();
    return JSON.parse((await engine.getRecord(id))?.output ?? 'null');
  };

  test('whose function returns nonsense answers with an error, which is logged', async () => {
    const { engine, errors } = await engineOn((outcome) => ({ ...outcome, result: 'nonsense' }));
    await engine.signalEntity(entity, 'add', '1');
    await engine.whenQuiet();
    const text =
      "The entity function 'Counter' returned no answer of the SDK: register it with df.app.entity.";
    expect(errors[0]).toBe(`@counter@a: ${text}`);
    expect(await outputOf(engine)).toEqual([{ caught: expect.stringContaining(text) as unknown }]);
  });

  test('whose batch meets a mistake of the emulator is Failed until its next batch, and its callers get an error', async () => {
    let isBroken = true;
    const { engine, errors } = await engineOn((outcome) => {
      if (isBroken) throw new TypeError('a mistake');
      return outcome;
    });
    await engine.signalEntity(entity, 'add', '1');
    await engine.whenQuiet();
    expect(await engine.getRecord('@counter@a')).toMatchObject({
      runtimeStatus: 'Failed',
      output: 'The emulator failed: a mistake',
    });
    expect(errors).toEqual([
      expect.stringMatching(
        /^@counter@a: The emulator failed.*TypeError: a mistake\n +at .*entities\.test\.ts/s,
      ),
    ]);
    expect(await outputOf(engine)).toEqual([
      { caught: expect.stringContaining('The emulator failed: a mistake') as unknown },
    ]);
    isBroken = false;
    expect(await outputOf(engine)).toEqual([1]);
    expect(await engine.getRecord('@counter@a')).toMatchObject({ runtimeStatus: 'Running', output: null });
  });
});

test.for(['before its batch is committed', 'after that'])(
  'A signal whose acknowledgement was lost, and which is sent again and arrives %s, runs once',
  async (when) => {
    const [committed, again] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let posts = 0;
    let conflicts = 0;
    const hub = new (class extends MemoryHub {
      override async post(instanceId: string, message: Message): Promise<void> {
        if (!instanceId.startsWith('@')) return super.post(instanceId, message);
        if (++posts === 2 && when === 'after that') await committed.promise;
        await super.post(instanceId, message);
        if (posts === 1) throw new StorageFailure('The answer was lost.');
        setImmediate(again.resolve);
      }

      override async commit(commit: Commit): Promise<number> {
        const token = await super.commit(commit).catch((error: unknown) => {
          conflicts++;
          throw error;
        });
        if (commit.instanceId.startsWith('@')) committed.resolve();
        return token;
      }
    })({ name: 'Hub' });
    const sdk = new (class extends SdkV3 {
      override async runEntity(run: EntityRun): Promise<EntityAnswer> {
        if (when !== 'after that') await again.promise;
        return super.runEntity(run);
      }
    })(new FunctionsWorker({ registrations: await loadApp({ directory }), log: () => {} }));
    const engine = new Engine({ hub, sdk, clock: new SkippingClock(0), log: () => {} });
    onTestFinished(() => engine.stop());
    await engine.start();
    await engine.startInstance({
      name: 'script',
      input: JSON.stringify({ steps: [{ do: 'signal', on: '@counter@a', op: 'add', input: 1 }] }),
    });
    await engine.whenQuiet();
    expect({ posts, conflicts }).toEqual({ posts: 2, conflicts: 0 });
    expect(entityState(await engine.getRecord('@counter@a'))).toEqual({ state: '1' });
    expect((await hub.load('@counter@a')).inbox).toEqual([]);
  },
);

test('A hint whose acknowledgement was lost is removed', async () => {
  const clock = new SkippingClock(0);
  const left = new Set<string>();
  let lost = 2;
  const hub = new (class extends MemoryHub {
    override async hint({ add, remove }: { add?: Hint; remove?: Hint }): Promise<void> {
      if (remove !== undefined) left.delete(`${remove.instanceId} ${remove.due}`);
      if (add !== undefined) left.add(`${add.instanceId} ${add.due}`);
      clock.moveTo(clock.now() + 1);
      if (lost-- > 0) throw new StorageFailure('The answer was lost.');
    }
  })({ name: 'Hub' });
  const sdk = new SdkV3(new FunctionsWorker({ registrations: await loadApp({ directory }), log: () => {} }));
  const engine = new Engine({ hub, sdk, clock, log: () => {} });
  onTestFinished(() => engine.stop());
  await engine.start();
  await expect(engine.signalEntity(counter('a'), 'add', '1')).rejects.toThrow('The answer was lost.');
  while (
    await engine.signalEntity(counter('a'), 'add', '1').then(
      () => false,
      () => true,
    )
  );
  await engine.whenQuiet();
  expect(entityState(await engine.getRecord('@counter@a'))).toEqual({ state: '1' });
  expect([...left]).toEqual([]);
});

test('A large state is kept', async () => {
  const storage = await account();
  const first = await start({ storage });
  const line = 'x'.repeat(40_000);
  for (let times = 0; times < 3; times++) await first.signal({ name: 'journal', key: 'j' }, 'write', line);
  await first.stop();
  const second = await start({ storage });
  expect(await second.entity({ name: 'journal', key: 'j' })).toEqual([line, line, line]);
  await second.signal(counter('a'), 'add', 1);
  const listed = (await (
    await second.get('/runtime/webhooks/durabletask/entities?fetchState=true')
  ).json()) as { state: unknown }[];
  expect(listed.map(({ state }) => state)).toEqual([1, [line, line, line]]);
});

describe('As in production', () => {
  const heard = async (options: TestAppOptions = {}): Promise<{ app: TestApp; lines: string[] }> => {
    const lines: string[] = [];
    return {
      lines,
      app: await start({
        ...options,
        log: (level, _category, message) => {
          if (level === 'error' || level === 'warning') lines.push(message);
        },
      }),
    };
  };

  test('an operation that returns twice gives its result to those after it in its batch, and the log says so', async () => {
    const { app, lines } = await heard();
    expect(
      await script(
        app,
        { do: 'signal', on: '@counter@a', op: 'twice' },
        { do: 'call', on: '@counter@a', op: 'get' },
      ),
    ).toEqual(['second']);
    expect(lines).toEqual([expect.stringContaining('An operation called return twice.')]);
  });

  test('results are not lost when the orchestrator continues as new, as events would be', async () => {
    const { app, lines } = await heard();
    expect(
      await script(
        app,
        { do: 'call', on: '@counter@a', op: 'get' },
        { do: 'again', steps: [{ do: 'call', on: '@counter@a', op: 'get' }] },
      ),
    ).toEqual([0]);
    expect(lines).toEqual([]);
  });

  test('a call of an unknown entity waits for ever, and the log says so once', async () => {
    const { app, lines } = await heard({ strict: false });
    const id = await app.start('script', { steps: [{ do: 'call', on: '@nobody@a', op: 'get' }] });
    await app.skip('idle');
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Running' });
    expect(lines).toEqual([
      expect.stringMatching(
        /The function 'nobody' doesn't exist, .* known entity functions: 'Counter', 'journal'\. The orchestrator calls it all the same: .* for ever/,
      ),
    ]);
  });

  test('a signal to an unknown entity fails the orchestration', async () => {
    const { app } = await heard({ strict: false });
    const { runtimeStatus, output } = await app.finished(
      await app.start('script', { steps: [{ do: 'signal', on: '@nobody@a', op: 'get' }] }),
    );
    expect([runtimeStatus, output]).toEqual([
      'Failed',
      "Orchestrator function 'script' failed: The function 'nobody' doesn't exist, is disabled, or is not an entity function. " +
        "Additional info: The following are the known entity functions: 'Counter', 'journal'.",
    ]);
    await expect(app.signal({ name: 'Nobody', key: 'a' }, 'get')).rejects.toThrow(
      "The function 'nobody' doesn't exist",
    );
    // The SDK's text for a 400.
    expect(await (await app.post('/api/signal/nobody/a/get')).text()).toMatch(
      /unexpected status code: 400.*The function 'nobody' doesn't exist/,
    );
  });

  test('an orchestration that has returned does not wait for results', async () => {
    const app = await start();
    const holder = await app.start('script', {
      steps: [
        { do: 'lock', on: ['@counter@a'] },
        { do: 'event', name: 'Go' },
      ],
    });
    await app.quiet();
    const id = await app.start('script', {
      steps: [{ do: 'orEvent', on: '@counter@a', op: 'add', input: 1, name: 'Enough' }],
    });
    await app.raise(id, 'Enough');
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Completed', output: ['event'] });
    // The call runs all the same.
    await app.raise(holder, 'Go');
    expect(await app.entity(counter('a'))).toBe(1);
  });

  test('names ignore case, and keys do not', async () => {
    const app = await start();
    await app.signal({ name: 'COUNTER', key: 'Key' }, 'add', 1);
    await app.signal({ name: 'counter', key: 'key' }, 'add', 2);
    expect(
      await script(
        app,
        { do: 'call', on: '@CoUnTeR@Key', op: 'get' },
        { do: 'call', on: '@counter@key', op: 'get' },
      ),
    ).toEqual([1, 2]);
    expect(
      (await app.instances()).map(({ instanceId }) => instanceId).filter((id) => id.startsWith('@')),
    ).toEqual(['@counter@Key', '@counter@key']);
  });
});

describe('host.json', () => {
  const setting = (name: string, value: number): Record<string, string> => ({
    [`AzureFunctionsJobHost__extensions__durableTask__${name}`]: String(value),
  });
  const answered = (batch: unknown[]): object => ({
    results: batch.map(() => ({ isError: false, duration: 0, startTime: 0 })),
    signals: [],
    entityExists: true,
  });

  test.for([
    { limit: undefined, sizes: [7] },
    { limit: 3, sizes: [3, 3, 1] },
  ])('says how many operations one invocation is given: $limit', async ({ limit, sizes }) => {
    const app = await start(
      limit === undefined ? {} : { settings: setting('maxEntityOperationBatchSize', limit) },
    );
    const given: number[] = [];
    app.replace('journal', ({ batch }: { batch: unknown[] }) => {
      given.push(batch.length);
      return answered(batch);
    });
    await script(app, ...Array.from({ length: 7 }, () => ({ do: 'signal', on: '@journal@j', op: 'write' })));
    await app.quiet();
    expect(given).toEqual(sizes);
  });

  test.for([
    { limit: undefined, most: 4 },
    { limit: 1, most: 1 },
  ])('says how many entities run at once: $limit', async ({ limit, most }) => {
    const app = await start(
      limit === undefined ? {} : { settings: setting('maxConcurrentEntityFunctions', limit) },
    );
    let running = 0;
    let highest = 0;
    app.replace('journal', async ({ batch }: { batch: unknown[] }) => {
      highest = Math.max(highest, ++running);
      await new Promise((resolve) => {
        setTimeout(resolve, 20);
      });
      running--;
      return answered(batch);
    });
    await script(
      app,
      ...Array.from({ length: 4 }, (_, key) => ({ do: 'signal', on: `@journal@${key}`, op: 'write' })),
    );
    await app.quiet();
    expect(highest).toBe(most);
  });
});

describe('The management API', () => {
  const API = '/runtime/webhooks/durabletask/entities';
  const json = { 'content-type': 'application/json' };

  test('lists entities that exist, by name and time, in pages', async () => {
    const app = await start();
    for (const key of ['a', 'b', 'c']) {
      await app.signal(counter(key), 'add', 1);
      await app.skip({ hours: 1 });
    }
    await app.signal({ name: 'journal', key: '' }, 'write', { line: 1 });
    await app.signal(counter('b'), 'delete');
    const list = async (query = ''): Promise<{ keys: string[]; next: string | null }> => {
      const response = await app.get(`${API}${query}`);
      const entities = (await response.json()) as { entityId: { name: string; key: string } }[];
      return {
        keys: entities.map(({ entityId: { name, key } }) => `${name} ${key}`),
        next: response.headers.get('x-ms-continuation-token'),
      };
    };
    expect(await list()).toEqual({ keys: ['counter a', 'counter c', 'journal '], next: null });
    expect(await list('/Counter')).toEqual({ keys: ['counter a', 'counter c'], next: null });
    expect(await list('/nobody')).toEqual({ keys: [], next: null });
    expect(
      await list('?lastOperationTimeFrom=2026-03-01T09:30:00Z&lastOperationTimeTo=2026-03-01T10:30:00Z'),
    ).toEqual({ keys: ['counter c'], next: null });
    const page = await list('/counter?top=2');
    // The page counts the deleted one, and does not show it.
    expect(page).toEqual({ keys: ['counter a'], next: expect.any(String) as string });
    const rest = await app.get(`${API}/counter?top=2&fetchState=true`, {
      'x-ms-continuation-token': page.next!,
    });
    expect(await rest.json()).toEqual([
      { entityId: counter('c'), lastOperationTime: '2026-03-01T10:00:00Z', state: 1 },
    ]);
    expect(await (await app.get(`${API}/journal?fetchState=true`)).json()).toMatchObject([
      { state: [{ line: 1 }] },
    ]);
  });

  test('reads a state, also that of an empty key', async () => {
    const app = await start();
    await app.signal({ name: 'journal', key: '' }, 'write', 'x');
    expect(await (await app.get(`${API}/journal/$`)).json()).toEqual(['x']);
    expect((await app.get(`${API}/journal/k`)).status).toBe(404);
  });

  test.for([
    { what: 'JSON', request: { method: 'POST', headers: json, body: '{"a" : [1]}' }, input: { a: [1] } },
    { what: 'a JSON null', request: { method: 'POST', headers: json, body: 'null' }, input: null },
    {
      what: 'text',
      request: { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{"a":1}' },
      input: '{"a":1}',
    },
    { what: 'nothing', request: { method: 'POST' }, input: undefined },
    { what: 'a DELETE', request: { method: 'DELETE' }, input: '' },
  ])('signals an entity with $what as the input', async ({ request, input }) => {
    const app = await start();
    // It keeps its input, whatever the operation is.
    expect((await fetch(`${app.url}${API}/journal/j?op=write`, request)).status).toBe(202);
    await app.quiet();
    expect(await app.entity({ name: 'journal', key: 'j' })).toEqual([input ?? null]);
  });

  test('refuses text that is not JSON, and unknown names', async () => {
    const app = await start();
    const bad = await app.post(`${API}/journal/j?op=write`, '{', json);
    expect([bad.status, await bad.json()]).toEqual([
      400,
      { Message: expect.stringMatching(/^Could not parse JSON content: /) as string },
    ]);
    for (const where of ['/nobody/k', '/nobody'])
      expect((await app.post(`${API}${where}`, '1', json)).status).toBe(400);
    expect((await app.post(API)).status).toBe(400);
    expect(await app.instances()).toEqual([]);
  });
});
