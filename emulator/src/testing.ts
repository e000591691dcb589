/** Tests of whole apps: their HTTP functions, orchestrations and activities, on a clock that skips. */
import path from 'node:path';
import { Readable } from 'node:stream';
import type { HostConfig } from './config.js';
import { readConfig, withStorage } from './config.js';
import { SkippingClock } from './durable/clock.js';
import { entityInstanceId, type EntityId } from './durable/entities/entity-messages.js';
import { entityState } from './durable/entities/entity.js';
import type { HistoryEvent, RuntimeStatus } from './durable/history.js';
import { isFinished } from './durable/history.js';
import { HTTP_ACTIVITY } from './durable/http/http-call.js';
import type { HttpAnswer, HttpCall } from './durable/http/http-call.js';
import { sendHttp } from './durable/http/http-client.js';
import { MemoryHub } from './durable/memory/memory-hub.js';
import type { Answer } from './durable/episode/actions.js';
import type { RecordedHistory } from './durable/replay/recorded-history.js';
import type { ReplayOptions } from './durable/replay/replay.js';
import { replayHistory } from './durable/replay/replay.js';
import type { InstanceRecord, TaskHub } from './durable/task-hub.js';
import { Host } from './host.js';
import type { Log } from './log.js';
import { BlobScheduleStatuses, hostId } from './triggers/schedule-statuses.js';
import { difference } from './virtual/replay-check.js';
import type { Scope } from './virtual/scope.js';
import { currentScope, installScopes, runInScope } from './virtual/scope.js';
import type { AppSource } from './worker/app-loader.js';
import { loadApp } from './worker/app-loader.js';
import type { Handler } from './worker/core-api.js';

export type { HistoryEvent } from './durable/history.js';
export {
  UnreadableHistoryError,
  type HistoryRow,
  type RecordedHistory,
  type ShownEvent,
  type ShownHistory,
} from './durable/replay/recorded-history.js';
export { HistoryMismatchError } from './durable/replay/replay.js';
export type { HttpAnswer, HttpCall } from './durable/http/http-call.js';

export interface TestAppOptions {
  /** Imports the app's entry file: `() => import('../src/index.js')`. Once a process; all environments share what it registers. */
  app?: () => Promise<unknown>;
  /** The folder of host.json, local.settings.json and, without `app`, of the built app. Default: the current one. */
  directory?: string;
  /**
   * App settings, over those of local.settings.json and the process's environment; `AzureFunctionsJobHost__extensions__...`
   * is read over host.json, as ever.
   */
  settings?: Record<string, string>;
  /** Where instances live: in memory, or in a storage account given by its connection string. Default: `memory`. */
  storage?: string;
  /** The time at which the clock stands at first. Default: now. */
  time?: Date | string;
  /**
   * Delivers events one an episode and replays each episode a second time at another time of day; an orchestrator whose
   * answers differ fails, and the failure names the step. Default: true. Turn it off for wide fan-outs.
   */
  verifyReplay?: boolean;
  /** Ends instances as Failed where production would leave them hanging. Default: true. */
  strict?: boolean;
  /** Asks callers for keys, as Azure does. Default: false. */
  enforceKeys?: boolean;
  /** Where log records go. Default: nowhere. */
  log?: Log;
}

export interface RequestOptions {
  headers?: Record<string, string>;
  /** Text and bytes are sent as they are, everything else as JSON. */
  body?: unknown;
}

/** An instance as an onlooker sees it, decoded. */
export interface InstanceState {
  name: string;
  instanceId: string;
  runtimeStatus: RuntimeStatus;
  input: unknown;
  output: unknown;
  customStatus: unknown;
  createdTime: Date;
  lastUpdatedTime: Date;
}

/** One call of an activity. */
export interface ActivityCall {
  input: unknown;
  instanceId: string;
  at: Date;
}

/** A span of time; the fields add up. */
export interface Duration {
  days?: number;
  hours?: number;
  minutes?: number;
  seconds?: number;
  milliseconds?: number;
}

/** What will never happen was waited for. The message says what the instance waits for. */
export class NeverFinishesError extends Error {
  override name = 'NeverFinishesError';
}

/** Jumps after which `skip('idle')` and `finished` give up: an orchestration that polls for ever never gets idle. */
const MAX_JUMPS = 100_000;
/** Runs of timer functions after which `finished` gives up when nothing else is due. */
const MAX_TIMER_RUNS = 100;

/**
 * An app with its own clock, task hub, settings and replaced activities. The clock stands still but for {@link skip} and
 * {@link finished}; `new Date()` and `process.env` in the app's functions answer from here. `setTimeout` is real.
 *
 * ```ts
 * const app = await TestApp.start({ app: () => import('../src/index.js') });
 * const id = await app.start('Reminders', { to: 'pat' });
 * await app.skip({ days: 45 });
 * expect(app.calls('SendReminder')).toHaveLength(10);
 * await app.stop();
 * ```
 */
export class TestApp implements AsyncDisposable {
  readonly #host: Host;
  readonly #clock: SkippingClock;
  readonly #replaced: Map<string, Handler>;
  readonly #calls: Map<string, ActivityCall[]>;
  readonly #port: number;
  readonly #verifyReplay: ReplayOptions['replay'];
  /** How many functions had run when the queues were last seen to be empty. */
  #drained = -1;

  private constructor(
    host: Host,
    clock: SkippingClock,
    replaced: Map<string, Handler>,
    calls: Map<string, ActivityCall[]>,
    port: number,
    verifyReplay: ReplayOptions['replay'],
  ) {
    this.#host = host;
    this.#clock = clock;
    this.#replaced = replaced;
    this.#calls = calls;
    this.#port = port;
    this.#verifyReplay = verifyReplay;
  }

  /** Starts an environment. @throws AppLoadError, ConfigError, HubUnavailableError */
  static async start(options: TestAppOptions = {}): Promise<TestApp> {
    installScopes();
    const directory = path.resolve(options.directory ?? '.');
    const source: AppSource = options.app === undefined ? { directory } : { app: options.app };
    const registrations = await loadApp(source);
    const read = readConfig(directory, { ...process.env, ...options.settings });
    const config = isStored(options) ? withStorage(read, options.storage) : read;
    const clock = new SkippingClock(
      options.time === undefined ? Math.floor(Date.now() / 1000) * 1000 : new Date(options.time).getTime(),
    );
    const replaced = new Map<string, Handler>();
    const calls = new Map<string, ActivityCall[]>();

    const env: Record<string, string | undefined> = { ...config.settings, ...options.settings };
    const scope: Scope = { now: () => clock.now(), env };
    // Far enough that the date, the hour and the minute all differ.
    const elsewhen: Scope = {
      now: () => clock.now() + 37 * 86_400_000 + 5 * 3_600_000 + 7 * 60_000 + 11,
      env,
    };
    const verifyReplay =
      options.verifyReplay === false
        ? undefined
        : async (instanceId: string, run: () => Promise<Answer>): Promise<Answer> => {
            const answer = await run();
            const differs = difference(answer, await runInScope(elsewhen, run));
            if (differs === undefined) return answer;
            throw new Error(
              `'${instanceId}' is not deterministic: the same history, replayed at another time, came out differently at ${differs}\n` +
                'Take the time from context.df.currentUtcDateTime, ids from context.df.newGuid, and everything else from activities.',
            );
          };

    const host = new Host({
      registrations,
      config,
      clock,
      hub: await openHub(options, config),
      log: options.log ?? (() => {}),
      enforceKeys: options.enforceKeys === true,
      ...(isStored(options) && {
        schedules: new BlobScheduleStatuses({
          connection: { connectionString: options.storage },
          hostId: hostId(directory, config.setting),
          timeZone: config.timeZone,
        }),
      }),
      worker: {
        replace: (name) => replaced.get(name),
        around: async (_name, run) => (currentScope() === elsewhen ? run() : runInScope(scope, run)),
      },
      engine: {
        sendHttp: async (call, instanceId) => {
          note(calls, HTTP_ACTIVITY, { input: call, instanceId, at: new Date(clock.now()) });
          const handler = replaced.get(HTTP_ACTIVITY) as
            | ((call: HttpCall) => HttpAnswer | Promise<HttpAnswer>)
            | undefined;
          return runInScope(scope, async () => (handler === undefined ? sendHttp(call) : handler(call)));
        },
        strict: options.strict !== false,
        oneEventAnEpisode: verifyReplay !== undefined,
        ...(verifyReplay !== undefined && { replay: verifyReplay }),
      },
    });
    recordCalls(host, calls, clock);
    const port = await host.start(0);
    env['WEBSITE_HOSTNAME'] = `localhost:${port}`;
    return new TestApp(host, clock, replaced, calls, port, verifyReplay);
  }

  /** The time as the app sees it. */
  get now(): Date {
    return new Date(this.#clock.now());
  }

  /** Where the app is served over real HTTP, for browsers and other programs. */
  get url(): string {
    return `http://localhost:${this.#port}`;
  }

  /** The keys that open it, with `enforceKeys`. */
  get keys(): { master: string; host: string } {
    return this.#host.keys;
  }

  /** Its HTTP functions: name, methods, address. */
  get httpFunctions(): { name: string; methods: string[]; url: string }[] {
    return this.#host.httpFunctions;
  }

  // ---- HTTP -------------------------------------------------------------------------------------------------------

  /** Calls one of the app's HTTP functions, or the management API, by path or whole URL. */
  async request(
    method: string,
    pathOrUrl: string,
    { headers = {}, body }: RequestOptions = {},
  ): Promise<Response> {
    const url = new URL(pathOrUrl, this.url);
    const sent: Record<string, string> = { host: url.host };
    for (const [name, value] of Object.entries(headers)) sent[name.toLowerCase()] = value;
    const raw = body === undefined || typeof body === 'string' || body instanceof Uint8Array;
    if (!raw) sent['content-type'] ??= 'application/json';
    // As everybody sends it over HTTP.
    else if (body === undefined && method === 'POST') sent['content-length'] = '0';
    const bytes =
      body === undefined
        ? undefined
        : body instanceof Uint8Array
          ? body
          : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    const answer = await this.#host.handle({
      method,
      url: url.href,
      headers: sent,
      ...(bytes !== undefined && { body: bytes }),
    });
    const content =
      answer.body instanceof Uint8Array
        ? answer.body.length === 0
          ? null
          : new Uint8Array(answer.body)
        : (Readable.toWeb(answer.body) as ReadableStream);
    return new Response(content, { status: answer.status, headers: answer.headers });
  }

  async get(pathOrUrl: string, headers?: Record<string, string>): Promise<Response> {
    return this.request('GET', pathOrUrl, { ...(headers !== undefined && { headers }) });
  }

  /** `body`: see {@link RequestOptions.body}. */
  async post(pathOrUrl: string, body?: unknown, headers?: Record<string, string>): Promise<Response> {
    return this.request('POST', pathOrUrl, { body, ...(headers !== undefined && { headers }) });
  }

  async delete(pathOrUrl: string, headers?: Record<string, string>): Promise<Response> {
    return this.request('DELETE', pathOrUrl, { ...(headers !== undefined && { headers }) });
  }

  // ---- instances --------------------------------------------------------------------------------------------------

  /** Starts an orchestration. @returns its instance id. */
  async start(name: string, input?: unknown, instanceId?: string): Promise<string> {
    // As the SDK's client has it: without input the orchestrator sees an empty text.
    return this.#host.engine.startInstance({
      name,
      input: JSON.stringify(input ?? ''),
      ...(instanceId !== undefined && { instanceId }),
    });
  }

  /** An instance as it is now, or undefined when there is none of that id. */
  async instance(instanceId: string): Promise<InstanceState | undefined> {
    const record = await this.#host.engine.getRecord(instanceId);
    return record === undefined ? undefined : state(record);
  }

  /** All instances, ordered by id. */
  async instances(): Promise<InstanceState[]> {
    const states: InstanceState[] = [];
    for (let from: string | undefined; ;) {
      const page = await this.#host.engine.query({ top: 1000, ...(from !== undefined && { from }) });
      states.push(...page.records.map(state));
      if (page.next === undefined) return states;
      from = page.next;
    }
  }

  /** What happened to an instance, event by event. */
  async history(instanceId: string): Promise<readonly HistoryEvent[]> {
    return (await this.#host.engine.getHistory(instanceId)) ?? [];
  }

  /**
   * Replays a recorded history on the app's code as it is now; only the orchestrator function runs. Resolves when instances with
   * such a history would go on after a deployment of this code: it asks for what the history says was asked for, for nothing more,
   * and ends as it ended. Inputs and outputs may have become others.
   * @throws HistoryMismatchError that names the step
   * @throws UnreadableHistoryError
   */
  async replay(history: RecordedHistory): Promise<void> {
    await replayHistory(history, {
      sdk: this.#host.sdk,
      ...(this.#verifyReplay !== undefined && { replay: this.#verifyReplay }),
    });
  }

  /** Raises an external event and waits until nothing runs. */
  async raise(instanceId: string, name: string, data: unknown = null): Promise<void> {
    const outcome = await this.#host.engine.raiseEvent(instanceId, name, JSON.stringify(data));
    if (outcome !== 'accepted')
      throw new Error(
        outcome === 'gone'
          ? `'${instanceId}' has finished already.`
          : `There is no instance '${instanceId}'.`,
      );
    await this.quiet();
  }

  async terminate(instanceId: string, reason: string | null = null): Promise<void> {
    await this.#host.engine.terminate(instanceId, reason);
    await this.quiet();
  }

  async suspend(instanceId: string, reason: string | null = null): Promise<void> {
    await this.#host.engine.suspend(instanceId, reason);
    await this.quiet();
  }

  async resume(instanceId: string, reason: string | null = null): Promise<void> {
    await this.#host.engine.resume(instanceId, reason);
    await this.quiet();
  }

  /** Lets an instance that has failed try again what failed. */
  async rewind(instanceId: string, reason: string | null = null): Promise<void> {
    const outcome = await this.#host.engine.rewind(instanceId, reason);
    if (outcome !== 'accepted')
      throw new Error(
        outcome === 'gone' ? `'${instanceId}' has not failed.` : `There is no instance '${instanceId}'.`,
      );
    await this.quiet();
  }

  // ---- entities ---------------------------------------------------------------------------------------------------

  /** Signals an entity and waits until nothing runs. @throws UnknownFunctionError when the app has no entity function of that name. */
  async signal(entity: EntityId, operation: string, input?: unknown): Promise<void> {
    await this.#host.engine.signalEntity(
      entity,
      operation,
      input === undefined ? null : JSON.stringify(input),
    );
    await this.quiet();
  }

  /** An entity's state as it is now, decoded; undefined when there is no such entity, or no longer. */
  async entity(entity: EntityId): Promise<unknown> {
    const found = entityState(await this.#host.engine.getRecord(entityInstanceId(entity)));
    return found && decoded(found.state);
  }

  /**
   * Runs a timer or queue function now, whatever its trigger waits for, and waits until nothing runs. Retries wait for time to be skipped.
   * @param message for a queue function: text is sent as it is, everything else as JSON
   * @throws Error when it fails, with what it threw as the cause
   */
  async run(name: string, message?: unknown): Promise<void> {
    const running = this.#host.run(
      name,
      typeof message === 'string' ? message : (JSON.stringify(message) ?? ''),
    );
    if (running === undefined) throw new Error(`The app has no timer or queue function named '${name}'.`);
    await this.quiet();
    const outcome = await Promise.race([running, Promise.resolve()]);
    if (outcome?.ok === false)
      throw new Error(`'${name}' failed: ${outcome.message}`, { cause: outcome.error });
  }

  // ---- time -------------------------------------------------------------------------------------------------------

  /** Resolves when nothing runs, no function and no episode, and no message waits in the queues that the app listens to. Time does not move. */
  async quiet(): Promise<void> {
    this.#drained = -1;
    await this.#settle();
  }

  /** Looks into the queues only when a function has run since: each look is a request to storage. */
  async #settle(): Promise<void> {
    for (;;) {
      await this.#host.whenQuiet();
      const { completed } = this.#host.worker;
      if (completed === this.#drained) return;
      if (!(await this.#host.drainQueues())) this.#drained = completed;
    }
  }

  /**
   * Lets time pass: by a span, or until nothing is due any more (`idle`) but timer functions, which go on for ever. The clock
   * jumps from one due time to the next, and only when nothing runs.
   * @throws NeverFinishesError when `idle` is not reached.
   */
  async skip(by: Duration | 'idle'): Promise<void> {
    const target = by === 'idle' ? by : this.#clock.now() + milliseconds(by);
    for (let jumps = 0; await this.#jump(target); jumps++) {
      if (by === 'idle' && jumps === MAX_JUMPS)
        throw new NeverFinishesError(
          `There is still something due after ${MAX_JUMPS} jumps of the clock: an orchestration repeats itself for ever.`,
        );
    }
    if (target !== 'idle') this.#clock.moveTo(target);
    await this.quiet();
  }

  /** Lets time pass until an instance has finished. @throws NeverFinishesError when it waits for something that time does not bring. */
  async finished(instanceId: string): Promise<InstanceState> {
    await this.quiet();
    for (let jumps = 0, timerRuns = 0; jumps < MAX_JUMPS; jumps++) {
      await this.#settle();
      const found = await this.instance(instanceId);
      if (found === undefined) throw new Error(`There is no instance '${instanceId}'.`);
      if (isFinished(found.runtimeStatus)) return found;
      timerRuns = this.#clock.isIdle ? timerRuns + 1 : 0;
      if (timerRuns > MAX_TIMER_RUNS || !(await this.#jump())) {
        const waits = this.#host.engine.waitsFor(instanceId);
        throw new NeverFinishesError(
          `'${instanceId}' (${found.name}, ${found.runtimeStatus}) will never finish: it waits for ${waits.join(' and ') || 'nothing'}, and nothing is due${
            timerRuns > 0 ? ' but timer functions, which did not help' : ''
          }.`,
        );
      }
    }
    throw new NeverFinishesError(
      `'${instanceId}' has not finished after ${MAX_JUMPS} jumps of the clock: an orchestration repeats itself for ever.`,
    );
  }

  /** Moves to what is due next, but not beyond `target`; `idle` is where nothing but timer functions is due. @returns false when nothing is. */
  async #jump(target: number | 'idle' = Infinity): Promise<boolean> {
    await this.#settle();
    const { next } = this.#clock;
    if (next === undefined || (target === 'idle' ? this.#clock.isIdle : next > target)) return false;
    this.#clock.moveTo(next);
    this.#clock.wakeOne();
    return true;
  }

  // ---- activities -------------------------------------------------------------------------------------------------

  /**
   * Runs `handler` in place of an activity (or another function) of the app, in this environment only. In place of
   * `BuiltIn::HttpActivity` it answers the requests of `callHttp`: {@link HttpCall} in, {@link HttpAnswer} out.
   */
  replace<Input>(name: string, handler: (input: Input) => unknown): void {
    if (name !== HTTP_ACTIVITY && this.#host.worker.find(name) === undefined)
      throw new Error(`The app has no function named '${name}'.`);
    this.#replaced.set(name, handler as Handler);
  }

  /** Runs the app's own function again. */
  restore(name: string): void {
    this.#replaced.delete(name);
  }

  /** The calls of an activity, in the order in which they began; replaced ones included. */
  calls(name: string): readonly ActivityCall[] {
    return [...(this.#calls.get(name) ?? [])];
  }

  /** Stops everything. */
  async stop(): Promise<void> {
    await this.#host.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

function isStored(options: TestAppOptions): options is TestAppOptions & { storage: string } {
  return options.storage !== undefined && options.storage !== 'memory';
}

async function openHub(options: TestAppOptions, config: HostConfig): Promise<TaskHub> {
  if (!isStored(options)) return new MemoryHub({ name: config.hubName });
  const { AzureStorageHub } = await import('./durable/azure-storage/hub.js');
  return new AzureStorageHub({ connection: options.storage, name: config.hubName });
}

function recordCalls(host: Host, calls: Map<string, ActivityCall[]>, clock: SkippingClock): void {
  const invoke = host.worker.invoke.bind(host.worker);
  host.worker.invoke = async (request, waiting) => {
    const { trigger, name } = host.worker.functions.get(request.functionName)!;
    if (trigger.type === 'activityTrigger') {
      const text = request.inputData[trigger.name]?.string;
      const call = {
        input: text === undefined ? undefined : decoded(text),
        instanceId: request.triggerMetadata?.['instanceId']?.string ?? '',
        at: new Date(clock.now()),
      };
      note(calls, name, call);
    }
    return invoke(request, waiting);
  };
}

function note(calls: Map<string, ActivityCall[]>, name: string, call: ActivityCall): void {
  const noted = calls.get(name);
  if (noted === undefined) calls.set(name, [call]);
  else noted.push(call);
}

function milliseconds({
  days = 0,
  hours = 0,
  minutes = 0,
  seconds = 0,
  milliseconds: rest = 0,
}: Duration): number {
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000 + rest;
}

function state(record: InstanceRecord): InstanceState {
  return {
    name: record.name,
    instanceId: record.instanceId,
    runtimeStatus: record.runtimeStatus,
    input: decoded(record.input),
    output: record.runtimeStatus === 'Completed' ? decoded(record.output) : record.output,
    customStatus: decoded(record.customStatus),
    createdTime: new Date(record.createdTime),
    lastUpdatedTime: new Date(record.lastUpdatedTime),
  };
}

function decoded(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
