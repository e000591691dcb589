/** Puts an app on a clock, a task hub and settings of its own. */
import { enableCompileCache } from 'node:module';
import path from 'node:path';
import type { HostConfig } from '../config/config.js';
import { readConfig, withStorage } from '../config/config.js';
import { SkippingClock } from '../durable/clock.js';
import { OrchestratorError, type Answer } from '../durable/episode/actions.js';
import type { HttpAnswer, HttpCall } from '../durable/http/http-call.js';
import { HTTP_ACTIVITY } from '../durable/http/http-call.js';
import { sendHttp } from '../durable/http/http-client.js';
import { MemoryHub } from '../durable/memory/memory-hub.js';
import type { ReplayOptions } from '../durable/replay/replay.js';
import type { TaskHub } from '../durable/task-hub.js';
import { Host } from '../host.js';
import { releaseIdleMemory } from '../idle-memory.js';
import { StoredBlobReceipts } from '../triggers/blob-receipts.js';
import { BlobScheduleStatuses, hostId } from '../triggers/schedule-statuses.js';
import { difference } from '../virtual/replay-check.js';
import type { Scope } from '../virtual/scope.js';
import { currentScope, installScopes, runInScope } from '../virtual/scope.js';
import type { AppSource } from '../worker/app-loader.js';
import { loadApp } from '../worker/app-loader.js';
import type { FunctionDefinition, InvocationRequest } from '../worker/types.js';
import { FunctionsWorker } from '../worker/worker.js';
import { Activities } from './activities.js';
import { decoded } from './decoded.js';
import { catchFailures, Failures } from './failures.js';
import type { TestAppOptions } from './options.js';

/** A running app with all that belongs to its environment. */
export interface Environment {
  host: Host;
  /** The app, in this process. */
  app: FunctionsWorker;
  clock: SkippingClock;
  /** What the app does outside any call. */
  failures: Failures;
  activities: Activities;
  port: number;
  /** Ends giving memory back to the system while nothing runs. */
  keepMemory: () => void;
  /** Runs an orchestrator function twice and compares; undefined with `verifyReplay: false`. */
  verifyReplay: ReplayOptions['replay'];
}

const realNow = Date.now;
/** Those of Node, also when a test has put others in their place. */
const timers = { setInterval, clearInterval };
/** The working directory before the app's own took its place. */
const startedIn = process.cwd();

/** How far the time of the second replay is away: the date, the hour and the minute all differ. */
const ELSEWHEN = 37 * 86_400_000 + 5 * 3_600_000 + 7 * 60_000 + 11;

/** @throws AppLoadError, ConfigError, HubUnavailableError */
export async function startEnvironment(options: TestAppOptions): Promise<Environment> {
  installScopes();
  catchFailures();
  // The SDK has some 500 modules. With code from the cache, a measured coverage is less exact.
  if (process.env['NODE_V8_COVERAGE'] === undefined) enableCompileCache();
  const directory = path.resolve(startedIn, options.directory ?? '.');
  const source: AppSource = options.app === undefined ? { directory } : { app: options.app };
  const config = configOf(options, directory);
  const env: Record<string, string | undefined> = { ...config.settings, ...options.settings };
  // The app is loaded once a process, with the settings of the first environment.
  const registrations = await runInScope({ now: realNow, env }, () => loadApp(source));
  const clock = new SkippingClock(
    options.time === undefined ? Math.floor(Date.now() / 1000) * 1000 : new Date(options.time).getTime(),
  );
  const failures = new Failures();
  const failed = (thrown: unknown): void => {
    failures.report(thrown);
    app.crash();
  };
  const scope: Scope = { now: () => clock.now(), env, failed };
  const elsewhen: Scope = { now: () => clock.now() + ELSEWHEN, env, failed };
  const verifyReplay = options.verifyReplay === false ? undefined : replayCheck(elsewhen);
  const log = options.log ?? (() => {});
  const activities = new Activities(() => [...app.functions.keys()]);
  const app: FunctionsWorker = new FunctionsWorker({
    registrations,
    log,
    replace: (name) => activities.handlerOf(name),
  });
  const host: Host = new Host({
    app,
    config,
    clock,
    hub: await openHub(options, config),
    log,
    enforceKeys: options.enforceKeys === true,
    ...(isStored(options) && {
      receipts: new StoredBlobReceipts({
        connection: { connectionString: options.storage },
        hostId: hostId(directory, config.setting),
      }),
      schedules: new BlobScheduleStatuses({
        connection: { connectionString: options.storage },
        hostId: hostId(directory, config.setting),
        timeZone: config.timeZone,
      }),
    }),
    isReplaced: (name) => activities.handlerOf(name) !== undefined,
    around: async (request, run) => {
      recordActivity(activities, app.functions.get(request.functionName)!, request, clock);
      return currentScope() === elsewhen ? run() : runInScope(scope, run);
    },
    engine: {
      strict: options.strict !== false,
      oneEventAnEpisode: verifyReplay !== undefined,
      ...(verifyReplay !== undefined && { replay: verifyReplay }),
      sendHttp: async (call, instanceId) => {
        activities.record(HTTP_ACTIVITY, { input: call, instanceId, at: new Date(clock.now()) });
        const handler = activities.handlerOf(HTTP_ACTIVITY) as
          | ((call: HttpCall) => HttpAnswer | Promise<HttpAnswer>)
          | undefined;
        return runInScope(scope, async () => (handler === undefined ? sendHttp(call) : handler(call)));
      },
    },
  });
  const port = await host.start(0);
  env['WEBSITE_HOSTNAME'] = `localhost:${port}`;
  const keepMemory = releaseIdleMemory({ isBusy: () => host.isBusy, timers });
  return { host, app, clock, failures, activities, port, verifyReplay, keepMemory };
}

function isStored(options: TestAppOptions): options is TestAppOptions & { storage: string } {
  return options.storage !== undefined && options.storage !== 'memory';
}

function configOf(options: TestAppOptions, directory: string): HostConfig {
  const config = readConfig(directory, { ...process.env, ...options.settings });
  return isStored(options) ? withStorage(config, options.storage) : config;
}

async function openHub(options: TestAppOptions, config: HostConfig): Promise<TaskHub> {
  if (!isStored(options)) return new MemoryHub({ name: config.hubName });
  const { AzureStorageHub } = await import('../durable/azure-storage/hub.js');
  return new AzureStorageHub({ connection: options.storage, name: config.hubName });
}

/** Replays an episode a second time in another scope. A difference fails the instance. */
function replayCheck(elsewhen: Scope): NonNullable<ReplayOptions['replay']> {
  return async (instanceId: string, run: () => Promise<Answer>): Promise<Answer> => {
    const answer = await run();
    // Nothing of it counts: the worker crashed, for example.
    if (answer.unreadable !== undefined) return answer;
    const differs = difference(answer, await runInScope(elsewhen, run));
    if (differs === undefined) return answer;
    throw new OrchestratorError(
      `'${instanceId}' is not deterministic: the same history, replayed at another time, came out differently at ${differs}\n` +
        'Take the time from context.df.currentUtcDateTime, ids from context.df.newGuid, and everything else from activities.',
    );
  };
}

function recordActivity(
  activities: Activities,
  { name, trigger }: FunctionDefinition,
  { inputData, triggerMetadata }: InvocationRequest,
  clock: SkippingClock,
): void {
  if (trigger.type !== 'activityTrigger') return;
  const text = inputData[trigger.name]?.string;
  activities.record(name, {
    input: text === undefined ? undefined : decoded(text),
    instanceId: triggerMetadata?.['instanceId']?.string ?? '',
    at: new Date(clock.now()),
  });
}
