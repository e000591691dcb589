import { availableParallelism } from 'node:os';
import path from 'node:path';
import type { DefaultLimits } from './config/config.js';
import { readConfig } from './config/config.js';
import { Diagnostics } from './console/diagnostics.js';
import { AdvancingClock } from './durable/advancing-clock.js';
import { WallClock } from './durable/clock.js';
import type { StoredInstance } from './durable/memory/memory-hub.js';
import type { TaskHub } from './durable/task-hub.js';
import { continueTime } from './durable/continued-time.js';
import type * as Hosting from './host.js';
import { releaseIdleMemory } from './idle-memory.js';
import type { Log } from './log.js';
import { consoleLog } from './log.js';
import type { HostKeys } from './triggers/keys.js';
import type { ScheduleStatus } from './triggers/schedule-statuses.js';
import { findStorage, withGivenStorage } from './storage.js';
import { WorkerProcess } from './worker/worker-process.js';

export type { Log, LogLevel } from './log.js';
export { StorageError } from './storage.js';
export type { HostKeys } from './triggers/keys.js';

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
   * A connection string; a file of SQLite, whose name ends in `.db`, `.sqlite` or `.sqlite3`; or `memory`: then
   * instances exist until the process ends. Default: the connection string in the setting that host.json names,
   * `AzureWebJobsStorage` when it names none. When that is not set, a file in the user's data folder.
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
  /** The result of {@link RunningEmulator.leave} of the emulator that ran here before. @internal */
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
  /** The keys that open the app with `enforceKeys`. */
  keys: HostKeys;
  /** For the tools of this repository. @internal */
  host: Hosting.Host;
  /** @internal */
  hub: TaskHub;
  /** The port on which the app is served. */
  port: number;
  /** The file that has the instances, when they are in a file. */
  file?: string;
  /** Lets running requests end, gives the hub back, and runs the app's `appTerminate` hooks. */
  stop(): Promise<void>;
  /**
   * Stops as {@link stop} does, and returns what another emulator needs to continue in its place: at the same
   * URL, with the same keys, and with the instances in memory.
   * @internal
   */
  leave(): Promise<Legacy>;
}

/** What one emulator leaves to the next one: plain data that can be sent to another process. @internal */
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
  const config = withGivenStorage(read, options.storage);
  const clock = options.clock === 'skip' ? new AdvancingClock() : new WallClock();
  const diagnostics = new Diagnostics();
  const now = (): number => clock.now();
  const log = diagnostics.recording(
    options.log ?? consoleLog({ levels: config.logLevels, verbose: options.verbose === true, now }),
    now,
  );
  const port = options.left?.port ?? options.port ?? config.port;
  const memory = options.left ?? {
    instances: new Map<string, StoredInstance>(),
    schedules: new Map<string, ScheduleStatus>(),
    ahead: 0,
  };
  // While the app is loaded in its process, this one loads the larger part of the emulator.
  const [app, storage, { Host }, { Console }] = await Promise.all([
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
    findStorage({
      config,
      storage: options.storage,
      hubName: options.hub ?? config.hubName,
      log,
      skips: options.clock === 'skip',
      memory,
    }),
    import('./host.js'),
    import('./console/console.js'),
    options.storageReady,
  ]);
  const { hub, time } = storage;
  const host = new Host({
    app,
    config,
    hub,
    clock,
    log,
    schedules: storage.schedules,
    receipts: storage.receipts,
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
          storage: storage.kind,
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
    keys: host.keys,
    host,
    hub,
    port: actual,
    ...(storage.file !== undefined && { file: storage.file }),
    stop,
    leave: async () => {
      await stop();
      return {
        port: actual,
        keys: host.keys,
        instances: memory.instances,
        schedules: memory.schedules,
        ahead: storage.kind === 'memory' ? await time.read() : 0,
      };
    },
  };
}
