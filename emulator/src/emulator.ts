import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import type { DefaultLimits, HostConfig } from './config/config.js';
import { readConfig, withStorage } from './config/config.js';
import { Console } from './console/console.js';
import { Diagnostics } from './console/diagnostics.js';
import { AdvancingClock } from './durable/advancing-clock.js';
import { WallClock } from './durable/clock.js';
import type { StoredInstance } from './durable/memory/memory-hub.js';
import { MemoryHub } from './durable/memory/memory-hub.js';
import type { TaskHub } from './durable/task-hub.js';
import { MemoryTimeStore, type TimeStore } from './durable/time-store.js';
import { continueTime } from './durable/continued-time.js';
import { Host } from './host.js';
import { releaseIdleMemory } from './idle-memory.js';
import type { Log } from './log.js';
import { consoleLog } from './log.js';
import { blobReceipts } from './triggers/blob-receipts.js';
import { findConnection } from './triggers/connections.js';
import type { HostKeys } from './triggers/keys.js';
import type { ScheduleStatus } from './triggers/schedule-statuses.js';
import { scheduleStatuses } from './triggers/schedule-statuses.js';
import { WorkerProcess } from './worker/worker-process.js';

/**
 * The options of {@link startEmulator}.
 *
 * @example
 * ```ts
 * const options: EmulatorOptions = { app: '.', port: 0, storage: 'memory', strict: true };
 * ```
 */
export interface EmulatorOptions {
  /** The folder of the app: built, with package.json and host.json. */
  app: string;
  /** The port; 0 takes any free port. Default: the port in local.settings.json, else 7071. */
  port?: number;
  /**
   * A connection string, or `memory`: then instances exist until the process ends. Default: the connection
   * string in the setting that host.json names, `AzureWebJobsStorage` when it names none.
   */
  storage?: string;
  /** The name of the task hub. Default: the name in host.json. */
  hub?: string;
  /**
   * Names besides this machine's own under which callers reach the app, e.g. the name of a tunnel. One that begins
   * with a dot stands for all names that end so; `*` is any. Default: none; the answer to other names is 403.
   */
  hostNames?: readonly string[];
  /** Requires keys from callers, as in Azure. Default: false. */
  enforceKeys?: boolean;
  /** Ends instances as Failed where production would leave them Running for ever. Default: false. */
  strict?: boolean;
  /**
   * Replays each history from its start at every episode, as in Azure. Default: false: an orchestrator with a
   * history of more than 256 events waits in memory between its episodes, and its history is replayed each time
   * that it has doubled.
   */
  fullReplay?: boolean;
  /** Logs records of level `debug` and above, whatever host.json says. Default: false. */
  verbose?: boolean;
  /**
   * `skip`: the app runs on a clock that goes on as real time does, and that skips when the console asks it to.
   * The hub keeps how far it is ahead. Default: the machine's clock.
   */
  clock?: 'skip';
  /** Serves the console at `/_emulator`. Default: true. */
  console?: boolean;
  /** Takes the log records. Default: standard output, with the levels of host.json. */
  log?: Log;
  /** The emulator awaits it before it opens the hub, so that an app loads while its storage starts. */
  storageReady?: Promise<unknown>;
  /** The result of {@link RunningEmulator.leave} of the emulator that ran here before. */
  left?: Legacy;
  /** Called when another process has taken the hub. Nothing runs from then on. */
  lost?: (reason: Error) => void;
}

/**
 * A running emulator.
 *
 * @example
 * ```ts
 * const emulator: RunningEmulator = await startEmulator({ app: '.', port: 0, storage: 'memory' });
 * await fetch(`http://localhost:${emulator.port}/api/hello`);
 * await emulator.stop();
 * ```
 */
export interface RunningEmulator {
  host: Host;
  hub: TaskHub;
  /** The port on which the app is served. */
  port: number;
  /** Lets running requests end, gives the hub back, and runs the app's `appTerminate` hooks. */
  stop(): Promise<void>;
  /**
   * Stops as {@link stop} does, and returns what another emulator needs to continue in its place: at the same
   * URL, with the same keys, and with the instances in memory.
   */
  leave(): Promise<Legacy>;
}

/**
 * What one emulator leaves to the next one: plain data that can be sent to another process.
 *
 * @example
 * ```ts
 * const left: Legacy = await emulator.leave();
 * await startEmulator({ ...options, left });
 * ```
 */
export interface Legacy {
  port: number;
  keys: HostKeys;
  /** How far the time of a hub in memory is ahead of the machine's clock, in milliseconds. */
  ahead: number;
  /** All instances with `storage: 'memory'`; empty otherwise. */
  instances: Map<string, StoredInstance>;
  /** When timer functions ran, with `storage: 'memory'`; empty otherwise. */
  schedules: Map<string, ScheduleStatus>;
}

/**
 * The storage is missing or does not answer. The message is one line for a person.
 *
 * @example
 * ```ts
 * await startEmulator({ app: '.' }).catch((error) => {
 *   if (error instanceof StorageError) console.error(error.message);
 * });
 * ```
 */
export class StorageError extends Error {
  override name = 'StorageError';
}

/** The limits where host.json has no figures. */
const LIMITS: DefaultLimits = {
  // The extension's default for `maxConcurrentActivityFunctions` and its siblings is ten for each processor.
  // Without a limit, thousands of instances that are due together would all be loaded, and compete for storage.
  functions: 10 * availableParallelism(),
  // On a developer's machine the Functions host has no limit. Here all parts share the machine: beyond these
  // figures, callers would wait longer than they have patience.
  http: { concurrent: 1_000, outstanding: 10_000 },
};

/**
 * Starts the emulator on an app. The app runs in a process of its own, in its own folder, with its settings as
 * environment variables. When that process dies, the functions that it ran fail, and the app is loaded again.
 * @throws ConfigError, AppLoadError, HubUnavailableError, StorageError, UnsupportedBindingError; each message
 * is one line
 *
 * @example
 * ```ts
 * const emulator = await startEmulator({ app: '.', port: 0, storage: 'memory' });
 * console.log(`The app is served on port ${emulator.port}.`);
 * ```
 */
export async function startEmulator(options: EmulatorOptions): Promise<RunningEmulator> {
  const directory = path.resolve(options.app);
  const read = readConfig(directory, process.env, LIMITS);
  const config =
    options.storage === undefined || options.storage === 'memory' ? read : withStorage(read, options.storage);
  const clock = options.clock === 'skip' ? new AdvancingClock() : new WallClock();
  const diagnostics = new Diagnostics();
  const now = (): number => clock.now();
  const log = diagnostics.recording(
    options.log ?? consoleLog({ levels: config.logLevels, verbose: options.verbose === true, now }),
    now,
  );
  const port = options.left?.port ?? options.port ?? config.port;
  const { instances, schedules, ahead } = options.left ?? {
    instances: new Map<string, StoredInstance>(),
    schedules: new Map<string, ScheduleStatus>(),
    ahead: 0,
  };
  const [app, { hub, time }] = await Promise.all([
    WorkerProcess.start({
      directory,
      log,
      // The SDK builds its URLs from WEBSITE_HOSTNAME. Without it they have port 7071.
      environment: { ...config.settings, ...process.env, WEBSITE_HOSTNAME: `localhost:${port}` },
      nodeArguments: (config.setting('languageWorkers:node:arguments') ?? '')
        .split(/\s+/)
        .filter((argument) => argument !== ''),
      ahead: clock instanceof AdvancingClock ? () => clock.ahead : undefined,
    }),
    openHub(options, config, log, instances, ahead),
    options.storageReady,
  ]);
  const host: Host = new Host({
    app,
    config,
    hub,
    clock,
    log,
    schedules: scheduleStatuses(options.storage === 'memory', config, directory, {
      statuses: schedules,
      // A timer function that ran in the future must not be late in the present.
      suffix: options.clock === 'skip' ? '-skipped' : '',
    }),
    receipts: blobReceipts(options.storage === 'memory', config.setting, directory),
    enforceKeys: options.enforceKeys === true,
    hostNames: options.hostNames ?? [],
    engine: {
      strict: options.strict === true,
      ...(options.fullReplay === true && { replays: { inFullUpTo: Infinity } }),
      opened: () => continueTime(hub, time, clock),
    },
    front: (request) => devConsole?.handle(request),
    ...(options.left !== undefined && { keys: options.left.keys }),
  });
  const devConsole =
    options.console === false
      ? undefined
      : new Console({
          host,
          clock,
          skipping: clock instanceof AdvancingClock ? { clock, store: time } : undefined,
          diagnostics,
          storage: options.storage === 'memory' ? 'memory' : 'Azure Storage',
          log,
        });
  const actual = await host.start(port, options.lost);
  app.setVariable('WEBSITE_HOSTNAME', `localhost:${actual}`);
  const keepMemory = releaseIdleMemory({ isBusy: () => host.isBusy });
  const stop = async (): Promise<void> => {
    keepMemory();
    devConsole?.stop();
    await host.stop();
    await app.stop();
  };
  return {
    host,
    hub,
    port: actual,
    stop,
    leave: async () => {
      await stop();
      return {
        port: actual,
        keys: host.keys,
        instances,
        schedules,
        ahead: options.storage === 'memory' ? await time.read() : 0,
      };
    },
  };
}

async function openHub(
  options: EmulatorOptions,
  config: HostConfig,
  log: Log,
  instances: Map<string, StoredInstance>,
  ahead: number,
): Promise<{ hub: TaskHub; time: TimeStore }> {
  const name = options.hub ?? config.hubName;
  if (options.storage === 'memory')
    return { hub: new MemoryHub({ name, instances }), time: new MemoryTimeStore(ahead) };
  if (options.storage === undefined && config.otherProvider !== undefined)
    throw new StorageError(
      `host.json names the storage provider ${config.otherProvider}, which the emulator does not have. Start with --storage memory, or give a storage connection string with --storage.`,
    );
  const found = findConnection(config.setting, config.hubConnection, 'blob');
  if (found === undefined) {
    throw new StorageError(
      `The setting '${config.hubConnection}' is not set. Set it to a connection string, give one with --storage, or use --storage memory.`,
    );
  }
  if (!('connectionString' in found))
    throw new StorageError(
      `The setting '${config.hubConnection}' names a service that is reached by identity. The emulator's task hub needs a connection string.`,
    );
  // The storage libraries load slowly, and a hub in memory does not need them.
  const { AzureStorageHub } = await import('./durable/azure-storage/hub.js');
  try {
    const modules = path.join(config.directory, 'node_modules');
    const hub = new AzureStorageHub({
      connection: found.connectionString,
      name,
      log,
      // A place for what tools keep, which no repository has. It is not made for this.
      ...(existsSync(modules) && { marks: path.join(modules, '.cache/durable-functions-emulator') }),
    });
    return { hub, time: hub.time };
  } catch (error) {
    const from = options.storage === undefined ? `The setting '${config.hubConnection}'` : '--storage';
    throw new StorageError(`${from} is not a storage connection string.`, { cause: error });
  }
}
