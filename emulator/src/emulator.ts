import path from 'node:path';
import type { HostConfig } from './config/config.js';
import { readConfig, withStorage } from './config/config.js';
import { WallClock } from './durable/clock.js';
import type { StoredInstance } from './durable/memory/memory-hub.js';
import { MemoryHub } from './durable/memory/memory-hub.js';
import type { TaskHub } from './durable/task-hub.js';
import { Host } from './host.js';
import type { Log } from './log.js';
import { consoleLog } from './log.js';
import { findConnection } from './triggers/connections.js';
import type { HostKeys } from './triggers/keys.js';
import type { ScheduleStatus, ScheduleStatuses } from './triggers/schedule-statuses.js';
import { BlobScheduleStatuses, hostId, MemoryScheduleStatuses } from './triggers/schedule-statuses.js';
import { loadApp, terminateApp } from './worker/app-loader.js';

export interface EmulatorOptions {
  /** The app's folder: built, with package.json and host.json. */
  app: string;
  /** 0 for any free one; else that of local.settings.json, else 7071. */
  port?: number;
  /** A connection string in place of the setting that host.json names (AzureWebJobsStorage by default), or `memory` for instances that live as long as the process. */
  storage?: string;
  /** The task hub's name, in place of host.json's. */
  hub?: string;
  enforceKeys?: boolean;
  /** Ends instances as Failed where production would leave them hanging. */
  strict?: boolean;
  /** Prints what the host does in detail, whatever host.json says of levels. */
  verbose?: boolean;
  /** Default: standard output, by the levels of host.json. */
  log?: Log;
  /** Waited for before the hub is opened, so that an app loads while its storage starts. */
  storageReady?: Promise<unknown>;
  /** What the emulator that ran here before left, see {@link RunningEmulator.leave}. */
  left?: Legacy;
  /** Called when the hub was taken away from us: nothing runs any more. */
  lost?: (reason: Error) => void;
}

export interface RunningEmulator {
  host: Host;
  hub: TaskHub;
  port: number;
  stop(): Promise<void>;
  /** Stops, so that another emulator goes on in its place: at the same address, with the same keys and the instances in memory. */
  leave(): Promise<Legacy>;
}

/** Plain data, that can be sent to another process. */
export interface Legacy {
  port: number;
  keys: HostKeys;
  /** Without storage: all there is. */
  instances: Map<string, StoredInstance>;
  schedules: Map<string, ScheduleStatus>;
}

/** No storage, or none that answers. The message is one line for a person. */
export class StorageError extends Error {
  override name = 'StorageError';
}

/**
 * Starts the emulator on an app, in this process: its settings become environment variables, and the app stays loaded.
 * @throws ConfigError, AppLoadError, HubUnavailableError, StorageError, UnsupportedBindingError: each with one line.
 */
export async function startEmulator(options: EmulatorOptions): Promise<RunningEmulator> {
  const directory = path.resolve(options.app);
  const read = readConfig(directory);
  const config =
    options.storage === undefined || options.storage === 'memory' ? read : withStorage(read, options.storage);
  for (const [name, value] of Object.entries(config.settings)) process.env[name] ??= value;
  const log = options.log ?? consoleLog({ levels: config.logLevels, verbose: options.verbose === true });
  const port = options.left?.port ?? options.port ?? config.port;
  const { instances, schedules } = options.left ?? {
    instances: new Map<string, StoredInstance>(),
    schedules: new Map<string, ScheduleStatus>(),
  };
  // The SDK takes its addresses from here; without it they would all say port 7071.
  process.env['WEBSITE_HOSTNAME'] = `localhost:${port}`;

  const [registrations, hub] = await Promise.all([
    loadApp({ directory }),
    openHub(options, config, log, instances),
    options.storageReady,
  ]);
  const host = new Host({
    registrations,
    config,
    hub,
    clock: new WallClock(),
    log,
    schedules: scheduleStatuses(options, config, directory, schedules),
    enforceKeys: options.enforceKeys === true,
    engine: { strict: options.strict === true },
    ...(options.left !== undefined && { keys: options.left.keys }),
  });
  const actual = await host.start(port, options.lost);
  process.env['WEBSITE_HOSTNAME'] = `localhost:${actual}`;
  const stop = async (): Promise<void> => {
    await host.stop();
    await terminateApp(registrations);
  };
  return {
    host,
    hub,
    port: actual,
    stop,
    leave: async () => {
      await stop();
      return { port: actual, keys: host.keys, instances, schedules };
    },
  };
}

function scheduleStatuses(
  options: EmulatorOptions,
  { setting, timeZone }: HostConfig,
  directory: string,
  inMemory: Map<string, ScheduleStatus>,
): ScheduleStatuses {
  const connection =
    options.storage === 'memory' ? undefined : findConnection(setting, 'AzureWebJobsStorage', 'blob');
  return connection === undefined
    ? new MemoryScheduleStatuses(inMemory)
    : new BlobScheduleStatuses({ connection, timeZone, hostId: hostId(directory, setting) });
}

async function openHub(
  options: EmulatorOptions,
  config: HostConfig,
  log: Log,
  instances: Map<string, StoredInstance>,
): Promise<TaskHub> {
  const name = options.hub ?? config.hubName;
  if (options.storage === 'memory') return new MemoryHub({ name, instances });
  const found = findConnection(config.setting, config.hubConnection, 'blob');
  if (found === undefined) {
    throw new StorageError(
      `The setting '${config.hubConnection}' is not set: give a connection string there or with --storage, or use --storage memory.`,
    );
  }
  if (!('connectionString' in found))
    throw new StorageError(
      `'${config.hubConnection}' names a service to be reached by identity: the emulator's task hub needs a connection string.`,
    );
  // Only now: the storage libraries take a while to load, and a hub in memory does without them.
  const { AzureStorageHub } = await import('./durable/azure-storage/hub.js');
  try {
    return new AzureStorageHub({ connection: found.connectionString, name, log });
  } catch (error) {
    const from = options.storage === undefined ? `The setting '${config.hubConnection}'` : '--storage';
    throw new StorageError(`${from} is not a storage connection string.`, { cause: error });
  }
}
