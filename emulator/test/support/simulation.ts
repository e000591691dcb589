/**
 * A world in which a seed decides the order of everything that may happen in more than one order: requests
 * reach storage, responses come back or get lost, activities end, timers fire, clients raise events and
 * suspend, the host dies. One seed is one history of the world.
 */
import { vi } from 'vitest';
import { SkippingClock } from '../../src/durable/clock.js';
import { Engine } from '../../src/durable/engine/engine.js';
import type { EngineOptions } from '../../src/durable/engine/engine.js';
import { isEntity } from '../../src/durable/entities/entity-messages.js';
import { entityState } from '../../src/durable/entities/entity.js';
import type { EventRaised, HistoryEvent, TaskScheduled } from '../../src/durable/history.js';
import { isFinished } from '../../src/durable/history.js';
import { MemoryHub } from '../../src/durable/memory/memory-hub.js';
import type { ActivityResult } from '../../src/durable/protocol/functions.js';
import { SdkV3 } from '../../src/durable/protocol/sdk-v3.js';
import {
  StorageFailure,
  type Commit,
  type CommitToken,
  type Hint,
  type InstancePage,
  type InstanceQuery,
  type InstanceRecord,
  type LoadedInstance,
  type Message,
  type TaskHub,
} from '../../src/durable/task-hub.js';
import type { Worker } from '../../src/worker/types.js';

/** What else may happen in a world. */
export interface Circumstances {
  seed: number;
  /** How often the host dies and another takes over. */
  kills: number;
  /** How many storage requests fail: before they are carried out, or by the loss of their response. */
  faults: number;
  /** How often an instance is suspended; it is resumed some time later. */
  suspensions: number;
  engine: Pick<EngineOptions, 'oneEventAnEpisode' | 'maxIdle' | 'settings' | 'replay' | 'replays'>;
}

/** The input of activities in a world. */
export interface ActivityInput {
  /** The id of a call; its attempts share it. */
  call: string;
  /**
   * The number of the attempt, from 1. A run that repeats because its end was not recorded is the same
   * attempt.
   */
  attempt?: number;
}

/** The end of an instance in a world, and mistakes that the end may not show. */
export interface Ending {
  record: InstanceRecord;
  /** What was lost, ran twice, or was logged by mistake. */
  wrong: string[];
  /** The states of entities. */
  entities: Record<string, unknown>;
  /** The histories that orchestrations have left. */
  histories: HistoryEvent[][];
  /** What happened, in its order. */
  steps: string[];
}

/** More turns than any world needs. */
const MAX_TURNS = 20_000;
/** How often, of ten times, a request or a response is delivered before anything else happens. */
const STORAGE_FIRST = 7;

/**
 * The log may have: failures of storage, intended failures, unneeded events, and races with timers that are
 * not cancelled.
 */
const EXPECTED =
  /A task of a Task\.all has failed|^Storage (failed|answers again)|failed with an error|Error in operation 'refuse'|that it has not (waited for are lost|cancelled keeps)/;

/** How many unneeded events are raised. */
const UNCALLED_EVENTS = 5;

/** Pseudo-random numbers from a seed (mulberry32). */
class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  below(count: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % count;
  }

  /** Removes a random item from a list. */
  draw<T>(from: T[]): T {
    return from.splice(this.below(from.length), 1)[0]!;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }
}

/**
 * The store that survives every host: a hub with its hints. It checks every commit against what was recorded
 * before.
 */
class Store extends MemoryHub {
  readonly wrong: string[] = [];
  /** Recorded ends of tasks by {@link taskKey}. */
  readonly recorded = new Set<string>();
  /** Inputs of raised events that are recorded, or that came after the end of their instance. */
  readonly raised = new Set<string>();
  readonly #hints = new Map<string, Hint>();
  readonly #posted = new Map<string, Message>();
  readonly #instances = new Set<string>();

  override async post(instanceId: string, message: Message): Promise<void> {
    this.#posted.set(message.id, message);
    return super.post(instanceId, message);
  }

  override async commit(commit: Commit): Promise<number> {
    const before = await this.getRecord(commit.instanceId);
    const token = await super.commit(commit);
    this.#instances.add(commit.instanceId);
    for (const event of commit.append) {
      const id =
        'TaskScheduledId' in event
          ? event.TaskScheduledId
          : event.EventType === 'TimerFired'
            ? event.TimerId
            : undefined;
      if (id !== undefined)
        this.#note(this.recorded, taskKey(commit.instanceId, commit.record.executionId, id));
      if (event.EventType === 'EventRaised' && isRaised(event)) this.#note(this.raised, event.Input!);
    }
    for (const id of commit.consumed) {
      const { event } = this.#posted.get(id)!;
      if (
        event.EventType !== 'EventRaised' ||
        !isRaised(event) ||
        commit.append.some(
          (appended) => appended.EventType === 'EventRaised' && appended.Input === event.Input,
        )
      )
        continue;
      // The history of an execution is gone when the event has ended it, or came after its end.
      if (commit.replace || (before !== undefined && isFinished(before.runtimeStatus)))
        this.#note(this.raised, event.Input!);
      else this.wrong.push(`The event ${event.Input} was dropped.`);
    }
    return token;
  }

  override async hint({ add, remove }: { add?: Hint; remove?: Hint }): Promise<void> {
    if (remove !== undefined) this.#hints.delete(`${remove.due} ${remove.instanceId}`);
    if (add !== undefined) this.#hints.set(`${add.due} ${add.instanceId}`, add);
  }

  async allHints(): Promise<Hint[]> {
    return [...this.#hints.values()].toSorted((a, b) => a.due - b.due);
  }

  /** In the order of their first commits, because ids differ each time. */
  async all(): Promise<InstanceRecord[]> {
    return Promise.all([...this.#instances].map(async (instanceId) => (await this.getRecord(instanceId))!));
  }

  #note(what: Set<string>, key: string): void {
    if (what.has(key)) this.wrong.push(`${key} was recorded twice.`);
    what.add(key);
  }
}

/** Raised events have a number as their input; messages of entities have objects. */
function isRaised({ Input }: EventRaised): boolean {
  return /^\d+$/.test(Input!);
}

function taskKey(instanceId: string, executionId: string, taskId: number): string {
  return `${instanceId} ${executionId} ${taskId}`;
}

/** A request to storage, or its response, before it is delivered. */
interface Parcel {
  what: string;
  /** Delivers it; `fails` loses it. */
  deliver(fails: boolean): void;
  /** A request can be carried out after its sender has died. */
  request?: () => unknown;
}

/** The work of one host: it ends with it. */
class Life {
  readonly parcels: Parcel[] = [];
  readonly activities: (() => void)[] = [];
  readonly clock: SkippingClock;
  readonly engine: Engine;

  constructor(
    readonly store: Store,
    worker: Worker,
    now: number,
    { engine }: Circumstances,
    onRun: (key: string, task: TaskScheduled) => number,
    log: EngineOptions['log'],
  ) {
    this.clock = new SkippingClock(now);
    const held = this.activities;
    const sdk = new (class extends SdkV3 {
      override async runActivity(task: TaskScheduled, instanceId: string): Promise<ActivityResult> {
        const { executionId } = (await store.getRecord(instanceId))!;
        const attempt = onRun(taskKey(instanceId, executionId, task.EventId), task);
        await new Promise<void>((resolve) => {
          held.push(resolve);
        });
        return super.runActivity(
          { ...task, Input: JSON.stringify({ ...(JSON.parse(task.Input!) as object), attempt }) },
          instanceId,
        );
      }
    })(worker);
    this.engine = new Engine({
      hub: new RemoteHub(store, this.parcels),
      clock: this.clock,
      sdk,
      log,
      strict: true,
      ...engine,
    });
  }
}

/** The network to the store. Requests and responses are delivered one by one, in any order. */
class RemoteHub implements TaskHub {
  readonly name = 'Simulated';
  readonly #store: Store;
  readonly #parcels: Parcel[];

  constructor(store: Store, parcels: Parcel[]) {
    this.#store = store;
    this.#parcels = parcels;
  }

  #send<T>(what: string, request: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const answer = (deliver: () => void): void => {
        this.#parcels.push({
          what: `answer to ${what}`,
          deliver: (fails) => {
            if (fails) reject(new StorageFailure('The answer was lost.'));
            else deliver();
          },
        });
      };
      this.#parcels.push({
        what,
        request,
        deliver: (fails) => {
          if (fails)
            answer(() => {
              reject(new StorageFailure('Storage is busy.'));
            });
          else
            request().then(
              (value) => {
                answer(() => {
                  resolve(value);
                });
              },
              (error: Error) => {
                answer(() => {
                  reject(error);
                });
              },
            );
        },
      });
    });
  }

  async open(): Promise<void> {}
  async close(): Promise<void> {}
  fresh(): LoadedInstance {
    return this.#store.fresh();
  }
  load(instanceId: string): Promise<LoadedInstance> {
    return this.#send('load', () => this.#store.load(instanceId));
  }
  post(instanceId: string, message: Message): Promise<void> {
    return this.#send(`post ${message.event.EventType}`, () => this.#store.post(instanceId, message));
  }
  commit(commit: Commit): Promise<CommitToken> {
    return this.#send(`commit ${commit.append.map(({ EventType }) => EventType).join()}`, () =>
      this.#store.commit(commit),
    );
  }
  project(): Promise<void> {
    return this.#send('project', () => this.#store.project());
  }
  getRecord(instanceId: string): Promise<InstanceRecord | undefined> {
    return this.#send('getRecord', () => this.#store.getRecord(instanceId));
  }
  query(query: InstanceQuery): Promise<InstancePage> {
    return this.#send('query', () => this.#store.query(query));
  }
  purge(instanceId: string): Promise<void> {
    return this.#send('purge', () => this.#store.purge(instanceId));
  }
  hint(change: { add?: Hint; remove?: Hint }): Promise<void> {
    return this.#send('hint', () => this.#store.hint(change));
  }
  async *hints(): AsyncIterable<Hint[]> {
    yield await this.#send('hints', () => this.#store.allHints());
  }
}

/**
 * Runs one instance, and all that it starts, to the end. Vitest's timers have to be faked, because engines
 * wait with them before a retry.
 */
export async function simulate(
  worker: Worker,
  start: { name: string; input: string },
  circumstances: Circumstances,
): Promise<Ending> {
  const dice = new Dice(circumstances.seed);
  const store = new Store({ name: 'Simulated' });
  const wrong: string[] = [];
  const runs = new Map<string, number>();
  const steps: string[] = [];
  let { kills, faults, suspensions } = circumstances;
  let accepted = false;
  const acknowledged: string[] = [];
  let events = 0;
  let uncalled = UNCALLED_EVENTS;
  let lives = 0;

  const attempts = new Map<string, string[]>();
  const onRun = (key: string, { Input }: TaskScheduled): number => {
    const count = (runs.get(key) ?? 0) + 1;
    runs.set(key, count);
    if (count > lives) wrong.push(`${key} ran ${count} times in the lives of ${lives} hosts.`);
    if (store.recorded.has(key)) wrong.push(`${key} ran although its end was recorded.`);
    const { call } = JSON.parse(Input!) as ActivityInput;
    const tasks = attempts.get(call) ?? [];
    attempts.set(call, tasks);
    if (!tasks.includes(key)) tasks.push(key);
    return tasks.indexOf(key) + 1;
  };
  const live = (now: number): Life => {
    lives++;
    const life = new Life(store, worker, now, circumstances, onRun, (_level, _category, message) => {
      if (!EXPECTED.test(message)) wrong.push(message);
    });
    void life.engine
      .start()
      .then(async () => {
        if (accepted) return;
        // A caller that gets no response starts again, unless the instance exists. Otherwise an ended
        // instance would run again.
        if ((await life.engine.getRecord('root')) === undefined)
          await life.engine.startInstance({ instanceId: 'root', ...start });
        accepted = true;
      })
      .catch(() => {
        restart = true;
      });
    return life;
  };
  let restart = false;
  let life = live(Date.UTC(2026, 0, 1));

  const kill = (): void => {
    steps.push('kill');
    kills--;
    // Messages may still arrive.
    while (life.parcels.length > 0) {
      const { request } = dice.draw(life.parcels);
      if (request !== undefined && dice.below(2) === 0) request();
    }
    vi.clearAllTimers();
    life = live(life.clock.now());
  };
  const someone = async (): Promise<InstanceRecord | undefined> => {
    const alive = (await store.all()).filter(
      ({ instanceId, runtimeStatus }) => !isFinished(runtimeStatus) && !isEntity(instanceId),
    );
    return alive.length === 0 ? undefined : dice.pick(alive);
  };
  const raise = async (): Promise<boolean> => {
    const instance = await someone();
    if (instance === undefined) return false;
    const input = String(events++);
    steps.push(`raise ${input}`);
    life.engine.raiseEvent(instance.instanceId, dice.pick(['A', 'B']), input).then(
      (outcome) => {
        if (outcome === 'accepted') acknowledged.push(input);
      },
      () => {},
    );
    return true;
  };
  const resume = async (): Promise<boolean> => {
    const suspended = (await store.all()).filter(({ runtimeStatus }) => runtimeStatus === 'Suspended');
    if (suspended.length > 0) steps.push(`resume ${suspended.length}`);
    for (const { instanceId } of suspended) life.engine.resume(instanceId, 'enough').catch(() => {});
    return suspended.length > 0;
  };
  const tick = (): boolean => {
    if (life.clock.next === undefined) return false;
    steps.push(`tick to ${life.clock.next}`);
    life.clock.moveTo(life.clock.next);
    return life.clock.wakeOne();
  };

  for (let turn = 0; ; turn++) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
    if (turn === MAX_TURNS)
      throw new Error(
        `Nothing comes of it: the instance waits for ${life.engine.waitsFor('root').join(', ')}. ${wrong.join('\n')}`,
      );
    if (restart) {
      restart = false;
      kill();
      continue;
    }
    const { parcels, activities } = life;
    if (parcels.length > 0 && dice.below(10) < STORAGE_FIRST) {
      const parcel = dice.draw(parcels);
      const fails = faults > 0 && dice.below(10) === 0;
      if (fails) faults--;
      steps.push(`${fails ? 'lose' : 'carry'} ${parcel.what}`);
      parcel.deliver(fails);
      continue;
    }
    const chance = dice.below(100);
    if (chance < 2 && kills > 0) {
      kill();
    } else if (chance < 6 && uncalled > 0) {
      uncalled--;
      await raise();
    } else if (chance < 8 && suspensions > 0) {
      const instance = await someone();
      if (instance !== undefined) {
        suspensions--;
        steps.push('suspend');
        life.engine.suspend(instance.instanceId, 'a moment').catch(() => {});
      }
    } else if (chance < 10) {
      await resume();
    } else if (activities.length > 0 && chance < 60) {
      steps.push('end an activity');
      dice.draw(activities)();
    } else if (chance < 70) {
      tick();
    } else if (parcels.length === 0 && activities.length === 0) {
      const root = await store.getRecord('root');
      if (
        root !== undefined &&
        isFinished(root.runtimeStatus) &&
        vi.getTimerCount() === 0 &&
        !life.engine.isBusy
      )
        break;
      if (vi.getTimerCount() > 0) vi.runOnlyPendingTimers();
      else if (!tick() && !(await resume())) await raise();
    }
  }

  const entities: Ending['entities'] = {};
  const histories: HistoryEvent[][] = [];
  for (const record of await store.all()) {
    const { instanceId, runtimeStatus } = record;
    if (isEntity(instanceId)) {
      entities[instanceId] = JSON.parse(entityState(record)?.state ?? 'null');
      if (/queueSize|lockedBy/.test(record.customStatus!))
        wrong.push(`'${instanceId}' is not at rest: ${record.customStatus}.`);
    } else if (!isFinished(runtimeStatus)) wrong.push(`'${instanceId}' is left ${runtimeStatus}.`);
    const { inbox, history } = await store.load(instanceId);
    if (!isEntity(instanceId)) histories.push(history);
    if (inbox.length > 0) wrong.push(`For '${instanceId}' is left: ${inbox.map(({ id }) => id).join(', ')}.`);
  }
  for (const input of acknowledged) if (!store.raised.has(input)) wrong.push(`The event ${input} was lost.`);
  await life.engine.stop();
  return {
    record: (await store.getRecord('root'))!,
    wrong: [...wrong, ...store.wrong],
    entities,
    histories,
    steps,
  };
}
