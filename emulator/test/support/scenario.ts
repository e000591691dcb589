/**
 * A scenario that has everything in it: all calls of an orchestrator, and all calls of clients meanwhile. It
 * can be played while its host dies or its storage fails, and always ends in the same way.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DurableLock, EntityId, Task } from 'durable-functions';
import { InstanceExistsError, InvalidStateError } from '../../src/durable/client.js';
import type { RequestResult } from '../../src/durable/client.js';
import { WallClock } from '../../src/durable/clock.js';
import { Engine } from '../../src/durable/engine/engine.js';
import { isFinished } from '../../src/durable/history.js';
import type { Log } from '../../src/log.js';
import { AzureStorageHub } from '../../src/durable/azure-storage/hub.js';
import { SdkV3 } from '../../src/durable/protocol/sdk-v3.js';
import type { InstanceRecord } from '../../src/durable/task-hub.js';
import type { Worker } from '../../src/worker/types.js';
import { loadFunctions } from './functions.js';

/** Too large for a table's column: it is stored in a blob. */
const LARGE = 'x'.repeat(40_000);
/** Too many for one transaction. */
const WIDE = 105;

/** How often each activity ran, by the name of its call. */
const runs = new Map<string, number>();

interface Call {
  /** The id of this call. */
  key: string;
  /** The run in which it succeeds. */
  succeeds?: number;
  text?: string;
}
/** A step whose end an orchestrator has seen, and the number of the run that ended it. */
type Seen = [key: string, run: number];
interface Ended {
  seen: Seen;
  text?: string;
}

export async function loadScenario(): Promise<Worker> {
  return loadFunctions(async () => {
    const df = await import('durable-functions');
    df.app.activity('step', {
      handler: ({ key, succeeds = 1, text }: Call): Ended => {
        const run = (runs.get(key) ?? 0) + 1;
        runs.set(key, run);
        if (run < succeeds) throw new Error('Not yet.');
        return { seen: [key, run], ...(text !== undefined && { text }) };
      },
    });
    df.app.activity('fails', {
      handler: () => {
        throw new Error('On purpose.');
      },
    });

    df.app.orchestration('mixed', function* (context): Generator<Task, unknown, never> {
      const { text } = context.df.getInput<{ text: string }>();
      const seen: Seen[] = [];
      const step = (name: string, more: Partial<Call> = {}): Task =>
        context.df.callActivity('step', { key: `${context.df.instanceId}/${name}`, ...more });
      const ended = ({ seen: one }: Ended): void => {
        seen.push(one);
      };
      const later = (milliseconds: number): Date =>
        new Date(context.df.currentUtcDateTime.getTime() + milliseconds);
      context.df.setCustomStatus('begun');
      ended(yield step('first'));
      const three: Ended[] = yield context.df.Task.all([
        step('a'),
        step('b'),
        step('large', { text: LARGE }),
      ]);
      three.forEach(ended);
      yield context.df.createTimer(later(20));
      ended(
        yield context.df.callActivityWithRetry('step', new df.RetryOptions(10, 5), {
          key: `${context.df.instanceId}/retried`,
          succeeds: 3,
        }),
      );
      try {
        yield context.df.callActivity('fails');
      } catch {
        context.df.setCustomStatus('it failed');
      }
      const [derived, given]: [Seen[], Seen[]] = yield context.df.Task.all([
        context.df.callSubOrchestrator('child', {
          scenario: context.df.instanceId,
          name: 'derived',
          rounds: 2,
          seen: [],
        }),
        context.df.callSubOrchestrator(
          'child',
          { scenario: context.df.instanceId, name: 'given', rounds: 1, seen: [] },
          `${context.df.instanceId}-given`,
        ),
      ]);
      seen.push(...derived, ...given);
      // A caller that gets no response raises an event again.
      const numbers = new Set<number>();
      while (numbers.size < 2) numbers.add(yield context.df.waitForExternalEvent('Number'));
      const timeout = context.df.createTimer(later(3_600_000));
      const winner: Task = yield context.df.Task.any([timeout, step('raced')]);
      timeout.cancel();
      ended(winner.result as Ended);
      return { seen, numbers: [...numbers].toSorted((a, b) => a - b), text: text.length };
    });
    df.app.orchestration('child', function* (context): Generator<Task, unknown, never> {
      const { scenario, name, rounds, seen } = context.df.getInput<{
        scenario: string;
        name: string;
        rounds: number;
        seen: Seen[];
      }>();
      const ended: Ended = yield context.df.callActivity('step', { key: `${scenario}/${name}-${rounds}` });
      seen.push(ended.seen);
      yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + 10));
      if (rounds === 0) return seen;
      context.df.continueAsNew({ scenario, name, rounds: rounds - 1, seen });
      return undefined;
    });
    df.app.orchestration('wide', function* (context): Generator<Task, unknown, never> {
      const calls = Array.from({ length: WIDE }, (_, number) =>
        context.df.callActivity('step', { key: `${context.df.instanceId}/${number}` }),
      );
      const ended: Ended[] = yield context.df.Task.all(calls);
      return ended.map(({ seen }) => seen);
    });
    df.app.orchestration('waits', function* (context): Generator<Task, unknown, never> {
      return yield context.df.waitForExternalEvent('Never');
    });
    df.app.entity<string[] | string>('tally', ({ df: entity }) => {
      const lines = entity.getState(() => []) as string[];
      switch (entity.operationName) {
        case 'write': {
          const written = [...lines, entity.getInput<string>()!];
          entity.setState(written);
          entity.return(written.length);
          break;
        }
        case 'pass':
          entity.signalEntity(new df.EntityId('tally', entity.getInput<string>()!), 'write', 'teller passed');
          break;
        default:
          entity.setState(entity.getInput<string>()!);
      }
    });
    df.app.orchestration('teller', function* (context): Generator<Task, unknown, never> {
      const { scenario, round } = context.df.getInput<{ scenario: string; round: number }>();
      const [a, b, c] = ['a', 'b', 'c'].map((key) => new df.EntityId('tally', `${scenario}-${key}`)) as [
        EntityId,
        EntityId,
        EntityId,
      ];
      const write = (to: EntityId, text: string): Task =>
        context.df.callEntity(to, 'write', `teller ${text} ${round}`);
      context.df.signalEntity(a, 'write', `teller signal ${round}`);
      yield write(a, 'call');
      const lock: DurableLock = yield context.df.lock(b, a);
      yield write(b, 'locked');
      if (round === 1) return 'and holds its locks to the end';
      lock.release();
      context.df.signalEntity(a, 'pass', c.key);
      context.df.continueAsNew({ scenario, round: round + 1 });
      return undefined;
    });
    df.app.orchestration('rival', function* (context): Generator<Task, unknown, never> {
      const { scenario } = context.df.getInput<{ scenario: string }>();
      yield context.df.lock(['b', 'a'].map((key) => new df.EntityId('tally', `${scenario}-${key}`)));
      yield context.df.callEntity(new df.EntityId('tally', `${scenario}-b`), 'write', 'rival locked');
      return yield context.df.waitForExternalEvent('Never');
    });
    df.app.orchestration('echo', function* (context): Generator<Task, unknown, never> {
      return yield context.df.callActivity('step', {
        key: `${context.df.instanceId}/${context.df.getInput<string>()}`,
      });
    });
  });
}

/** The Durable extension of a host, on a hub in storage. It can die. */
export class Life {
  readonly hub: AzureStorageHub;
  readonly engine: Engine;
  /** Resolves when it owns the hub; rejects when it does not get it. */
  readonly started: Promise<void>;
  readonly #died = Promise.withResolvers<undefined>();
  #alive = true;

  constructor(connection: string, worker: Worker, listener: Log) {
    const log: Log = (...line) => {
      if (this.#alive) listener(...line);
    };
    this.hub = new AzureStorageHub({ connection, name: 'Hub', log });
    // A dead host does nothing.
    const invoke: Worker['invoke'] = async (request) =>
      this.#alive ? worker.invoke(request) : new Promise(() => {});
    this.engine = new Engine({
      hub: this.hub,
      clock: new WallClock(),
      log,
      strict: true,
      sdk: new SdkV3({ functions: worker.functions, find: worker.find.bind(worker), invoke }),
    });
    this.started = this.engine.start();
    // A caller that needs the result reads it.
    this.started.catch(() => {});
  }

  /** Resolves when it dies. */
  get died(): Promise<undefined> {
    return this.#died.promise;
  }

  /** From now on it does nothing that can be noticed, when it cannot reach storage. */
  die(): void {
    this.#alive = false;
    this.#died.resolve(undefined);
    void this.engine.stop();
  }
}

/**
 * Plays the scenario under names that begin with `name`, until all instances have ended and the host has
 * nothing left to do.
 */
export async function play(name: string, life: () => Life): Promise<void> {
  /** Repeats a call until it gets a response. */
  const insist = async <T>(ask: (engine: Engine) => Promise<T>): Promise<T> => {
    for (;;) {
      const asked = life();
      const answer = asked.started
        .then(() => ask(asked.engine))
        .then(
          (value) => ({ value }),
          () => undefined,
        );
      // A dead host may never answer.
      const given = await Promise.race([answer, asked.died]);
      if (given !== undefined) return given.value;
      await sleep(5);
    }
  };
  const start = (instanceId: string, orchestrator: string, input: unknown): Promise<unknown> =>
    insist((engine) =>
      engine
        .startInstance({ instanceId, name: orchestrator, input: JSON.stringify(input) })
        .catch(unless(InstanceExistsError)),
    );
  const accepted = (ask: (engine: Engine) => Promise<RequestResult>): Promise<void> =>
    insist(async (engine) => {
      if ((await ask(engine)) === 'notFound') throw new Error('What was started is gone.');
    });
  const ended = async (instanceId: string): Promise<void> => {
    while (!isFinished((await insist((engine) => engine.getRecord(instanceId)))?.runtimeStatus ?? 'Running'))
      await sleep(20);
  };
  const [mixed, wide, waits, again, teller, rival] = [
    'mixed',
    'wide',
    'waits',
    'again',
    'teller',
    'rival',
  ].map((part) => `${name}-${part}`) as [string, string, string, string, string, string];

  await Promise.all([
    (async () => {
      await start(mixed, 'mixed', { text: LARGE });
      await accepted((engine) => engine.raiseEvent(mixed, 'Number', '1'));
      await accepted(async (engine) =>
        engine.suspend(mixed, 'a moment').catch((error: unknown) => {
          if (!(error instanceof InvalidStateError)) throw error;
          return 'accepted';
        }),
      );
      await accepted((engine) => engine.raiseEvent(mixed, 'Number', '2'));
      await accepted((engine) => engine.resume(mixed, 'enough'));
      await ended(mixed);
    })(),
    (async () => {
      await start(wide, 'wide', null);
      await ended(wide);
    })(),
    (async () => {
      await start(waits, 'waits', null);
      await accepted((engine) => engine.terminate(waits, 'enough'));
      await ended(waits);
      await insist((engine) => engine.purge(waits));
    })(),
    (async () => {
      await start(again, 'echo', 'first');
      await ended(again);
      await start(again, 'echo', 'second');
      await ended(again);
    })(),
    (async () => {
      await start(rival, 'rival', { scenario: name });
      await start(teller, 'teller', { scenario: name, round: 0 });
      // A caller that gets no response signals again. Twice has to have the same effect as once.
      await insist((engine) =>
        engine.signalEntity({ name: 'tally', key: `${name}-set` }, 'set', '"once or twice"'),
      );
      // Before it asks for its locks, while it waits for them, or when it holds them.
      await accepted((engine) => engine.terminate(rival, 'enough'));
      await Promise.all([rival, teller].map(ended));
    })(),
  ]);
  await insist((engine) => engine.whenQuiet());
}

function unless(known: new (...args: never[]) => Error): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof known)) throw error;
  };
}

/** The end of a scenario: everything that is the same each time. */
export interface Ending {
  instances: { id: string }[];
  /** Mistakes. */
  wrong: string[];
}

/** Reads the end from a quiet hub. */
export async function ending(name: string, { hub }: Life): Promise<Ending> {
  const wrong: string[] = [];
  const { records } = await hub.query({ top: 1000 });
  const instances = await Promise.all(
    records.map(async ({ instanceId }) => {
      const { record, inbox, stale } = await hub.load(instanceId);
      if (inbox.length > 0)
        wrong.push(`For '${instanceId}' is left: ${inbox.map(({ id }) => id).join(', ')}.`);
      if (stale) wrong.push(`What '${instanceId}' shows is not what it is.`);
      return summary(name, record!, wrong);
    }),
  );
  instances.sort((a, b) => (a.id < b.id ? -1 : 1));
  for await (const page of hub.hints())
    for (const { instanceId } of page) wrong.push(`A hint to '${instanceId}' is left.`);
  return { instances, wrong };
}

function summary(
  name: string,
  record: InstanceRecord,
  wrong: string[],
): { id: string } & Record<string, unknown> {
  const { instanceId, name: orchestrator, runtimeStatus, customStatus, output } = record;
  if (instanceId.startsWith('@')) {
    const { state, queue, lockedBy } = JSON.parse(record.input!) as {
      state: string;
      queue?: unknown[];
      lockedBy?: string;
    };
    if (queue !== undefined || lockedBy !== undefined)
      wrong.push(`'${instanceId}' is left locked by ${lockedBy}, with ${queue?.length ?? 0} that wait.`);
    const value = JSON.parse(state) as string[] | string;
    // Whether the rival wrote its line before it was terminated is chance.
    return {
      id: instanceId.replace(name, ''),
      value: Array.isArray(value) ? value.filter((line) => line.startsWith('teller')) : value,
    };
  }
  const value: unknown = JSON.parse(runtimeStatus === 'Completed' ? output! : 'null', (_, part: unknown) => {
    if (
      !Array.isArray(part) ||
      part.length !== 2 ||
      typeof part[0] !== 'string' ||
      typeof part[1] !== 'number'
    )
      return part;
    const [key, run] = part as Seen;
    // The recorded run is the last one: a recorded step does not run again.
    if (runs.get(key) !== run) wrong.push(`The recorded run of ${key} is number ${run} of ${runs.get(key)}.`);
    return key.slice(name.length);
  });
  // A child that was given no id has one of its parent's execution and the call's number, which the number of
  // retries shifts.
  const id = instanceId.startsWith(name) ? instanceId.slice(name.length) : 'derived';
  return { id, orchestrator, runtimeStatus, customStatus, value };
}
