/**
 * Requests to storage whose responses are lost, one at a time: what was carried out counts once, and is not
 * forgotten.
 */
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { SkippingClock } from '../src/durable/clock.js';
import { Engine } from '../src/durable/engine/engine.js';
import { entityState } from '../src/durable/entities/entity.js';
import { MemoryHub } from '../src/durable/memory/memory-hub.js';
import { SdkV3 } from '../src/durable/protocol/sdk-v3.js';
import { StorageFailure, type Commit, type Hint, type Message } from '../src/durable/task-hub.js';
import type { Worker } from '../src/worker/types.js';
import { loadFunctions } from './support/functions.js';
import { eventually } from './support/eventually.js';

/** A hub that loses some requests, or their responses. */
class ForgetfulHub extends MemoryHub {
  /** Whether the answer to a request is lost, or the request itself. */
  loses: (
    request: { post: Message } | { commit: Commit } | { hint: Hint | undefined },
  ) => 'answer' | 'request' | undefined = () => undefined;
  /** What a request waits for before it is carried out. */
  holds: (request: Parameters<ForgetfulHub['loses']>[0]) => Promise<void> | undefined = () => undefined;
  /** Lets the purge go on that has come. */
  purging: (() => void) | undefined;
  readonly hintsHeld = new Set<string>();

  async #carry<T>(request: Parameters<ForgetfulHub['loses']>[0], task: () => Promise<T>): Promise<T> {
    await this.holds(request);
    const lost = this.loses(request);
    if (lost !== undefined) this.loses = () => undefined;
    const answer = lost === 'request' ? undefined : await task();
    if (lost !== undefined) throw new StorageFailure('socket hang up');
    return answer!;
  }

  override post(instanceId: string, message: Message): Promise<void> {
    return this.#carry({ post: message }, () => super.post(instanceId, message));
  }

  override commit(commit: Commit): Promise<number> {
    return this.#carry({ commit }, () => super.commit(commit));
  }

  override async purge(instanceId: string): Promise<void> {
    await new Promise<void>((resolve) => {
      this.purging = resolve;
    });
    return super.purge(instanceId);
  }

  override hint(change: { add?: Hint; remove?: Hint }): Promise<void> {
    return this.#carry({ hint: change.add }, async () => {
      if (change.remove !== undefined)
        this.hintsHeld.delete(`${change.remove.instanceId} ${change.remove.due}`);
      if (change.add !== undefined) this.hintsHeld.add(`${change.add.instanceId} ${change.add.due}`);
    });
  }
}

const runs: unknown[] = [];
let worker: Worker;
let hub: ForgetfulHub;

beforeAll(async () => {
  worker = await loadFunctions(async () => {
    const df = await import('durable-functions');
    df.app.activity('run', {
      handler: (input: unknown) => {
        runs.push(input);
      },
    });
    df.app.orchestration('waits', function* (context) {
      return (yield context.df.waitForExternalEvent('E')) as unknown;
    });
    df.app.orchestration('sleeps', function* (context) {
      yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + 60_000));
    });
    df.app.entity<number>('counter', ({ df: entity }) => {
      entity.setState(entity.getState(() => 0)! + 1);
    });
    df.app.orchestration('signals', function* (context) {
      context.df.signalEntity(new df.EntityId('counter', 'one'), 'add');
      yield context.df.waitForExternalEvent('E');
    });
    df.app.orchestration('parent', function* (context) {
      return (yield context.df.callSubOrchestrator('child', 2)) as unknown;
    });
    df.app.orchestration('child', function* (context) {
      const left = context.df.getInput<number>();
      yield context.df.callActivity('run', left);
      if (left === 0) return 'done';
      context.df.continueAsNew(left - 1);
      return undefined;
    });
  });
});

async function started(): Promise<Engine> {
  runs.length = 0;
  hub = new ForgetfulHub({ name: 'Hub' });
  const engine = new Engine({
    hub,
    clock: new SkippingClock(Date.UTC(2026, 0, 1)),
    sdk: new SdkV3(worker),
    log: (_level, _category, text) => {
      expect.fail(text);
    },
    strict: true,
  });
  onTestFinished(() => engine.stop());
  await engine.start();
  // Before it has read all hints, it treats every instance as one that a crash has interrupted.
  await engine.whenQuiet();
  return engine;
}

test('an event whose acknowledgement was lost is taken once', async () => {
  const engine = await started();
  const id = await engine.startInstance({ name: 'waits', input: null });
  await engine.whenQuiet();
  hub.loses = (request) => ('post' in request ? 'answer' : undefined);
  await expect(engine.raiseEvent(id, 'E', '1')).rejects.toThrow('socket hang up');
  await engine.whenQuiet();
  expect(await engine.getRecord(id)).toMatchObject({ runtimeStatus: 'Completed', output: '1' });
  expect((await hub.load(id)).inbox).toEqual([]);
});

test('an instance whose start was not acknowledged runs', async () => {
  const engine = await started();
  hub.loses = (request) => ('post' in request ? 'answer' : undefined);
  await expect(engine.startInstance({ name: 'waits', input: null, instanceId: 'one' })).rejects.toThrow(
    'socket hang up',
  );
  await engine.whenQuiet();
  expect(await engine.getRecord('one')).toMatchObject({ runtimeStatus: 'Running' });
});

test.each(['answer', 'request'] as const)(
  'a child that continued as new is started once, although its parent loses the %s of a commit and asks again',
  async (lost) => {
    const engine = await started();
    hub.loses = (request) =>
      'commit' in request && request.commit.consumed.some((id) => id.startsWith('end-')) ? lost : undefined;
    const id = await engine.startInstance({ name: 'parent', input: null });
    await eventually(async () => {
      await engine.whenQuiet();
      expect(await engine.getRecord(id)).toMatchObject({ runtimeStatus: 'Completed', output: '"done"' });
    });
    expect(runs).toEqual([2, 1, 0]);
    for (const { instanceId } of (await engine.query({ top: 10 })).records)
      expect((await hub.load(instanceId)).inbox).toEqual([]);
  },
);

test('a signal is taken once, although its sender is loaded again meanwhile and sends it again', async () => {
  const engine = await started();
  const [sent, arrives, taken] = [
    Promise.withResolvers<void>(),
    Promise.withResolvers<void>(),
    Promise.withResolvers<void>(),
  ];
  hub.holds = (request) => {
    if (
      !('post' in request) ||
      request.post.event.EventType !== 'EventRaised' ||
      request.post.event.Name !== 'op'
    )
      return undefined;
    sent.resolve();
    return arrives.promise;
  };
  const id = await engine.startInstance({ name: 'signals', input: null });
  await sent.promise;
  hub.loses = (request) => ('post' in request ? 'answer' : undefined);
  await expect(engine.raiseEvent(id, 'E', null)).rejects.toThrow('socket hang up');
  hub.loses = (request) => ('commit' in request && request.commit.instanceId === id ? 'request' : undefined);
  hub.holds = (request) =>
    'commit' in request && request.commit.instanceId === id ? taken.promise : undefined;
  // Only after the sender was loaded.
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  arrives.resolve();
  await eventually(async () => {
    expect(await hub.getRecord('@counter@one')).toBeDefined();
  });
  taken.resolve();
  await engine.whenQuiet();
  expect(await engine.getRecord(id)).toMatchObject({ runtimeStatus: 'Completed' });
  expect(entityState(await engine.getRecord('@counter@one'))).toEqual({ state: '1' });
});

test.each(['answer', 'request'] as const)(
  'the hint of an instance outside memory exists, although the %s that placed it was lost',
  async (lost) => {
    const engine = await started();
    hub.loses = (request) =>
      'hint' in request && request.hint !== undefined && request.hint.due > Date.UTC(2026, 0, 1)
        ? lost
        : undefined;
    const id = await engine.startInstance({ name: 'sleeps', input: null });
    await engine.whenQuiet();
    expect([...hub.hintsHeld]).toEqual([`${id} ${Date.UTC(2026, 0, 1, 0, 1)}`]);
  },
);

test('an instance that is started while its id is purged exists afterwards', async () => {
  const engine = await started();
  await engine.startInstance({ name: 'waits', input: null, instanceId: 'one' });
  await engine.raiseEvent('one', 'E', '1');
  await engine.whenQuiet();
  const purged = engine.purge('one');
  await eventually(() => {
    expect(hub.purging).toBeDefined();
  });
  const again = engine.startInstance({ name: 'waits', input: null, instanceId: 'one' });
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  hub.purging!();
  await again;
  await engine.whenQuiet();
  expect(await purged).toBe('purged');
  expect(await engine.getRecord('one')).toMatchObject({ runtimeStatus: 'Running' });
  expect(await hub.load('one')).toMatchObject({ record: { runtimeStatus: 'Running' }, inbox: [] });
});
