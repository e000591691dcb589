/** Where an emulator keeps instances, and what else it records. */
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { type HostConfig, withStorage } from './config/config.js';
import { MemoryHub, type StoredInstance } from './durable/memory/memory-hub.js';
import type { TaskHub } from './durable/task-hub.js';
import { MemoryTimeStore, type TimeStore } from './durable/time-store.js';
import type { Log } from './log.js';
import { blobReceipts, type BlobReceipts } from './triggers/blob-receipts.js';
import { findConnection } from './triggers/connections.js';
import type { ScheduleStatus, ScheduleStatuses } from './triggers/schedule-statuses.js';
import { scheduleStatuses } from './triggers/schedule-statuses.js';

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

/** The stores of an emulator. */
export interface EmulatorStorage {
  /** As the console shows it. */
  kind: 'memory' | 'SQLite' | 'Azure Storage';
  hub: TaskHub;
  time: TimeStore;
  schedules: ScheduleStatuses;
  receipts: BlobReceipts;
  /** The file of a hub in SQLite. */
  file?: string;
}

export interface StorageOptions {
  config: HostConfig;
  /** As in `EmulatorOptions`. */
  storage: string | undefined;
  hubName: string;
  log: Log;
  /** Whether the clock skips. */
  skips: boolean;
  /** What is in memory: of the emulator that ran here before, or nothing. */
  memory: { instances: Map<string, StoredInstance>; schedules: Map<string, ScheduleStatus>; ahead: number };
}

/** Whether `--storage` names a file, not a connection string. */
function isFile(storage: string): boolean {
  return /\.(db|sqlite3?)$/i.test(storage) && !storage.includes(';');
}

/** The configuration with the connection string of `--storage`, if it is one. */
export function withGivenStorage(config: HostConfig, storage: string | undefined): HostConfig {
  return storage === undefined || storage === 'memory' || isFile(storage)
    ? config
    : withStorage(config, storage);
}

/**
 * Finds the storage that `--storage`, host.json and the settings name. An app that names none gets a file in the
 * user's data folder.
 * @throws StorageError
 */
export async function findStorage(options: StorageOptions): Promise<EmulatorStorage> {
  const { config, storage, hubName } = options;
  if (storage === 'memory') return inMemory(options);
  if (storage !== undefined && isFile(storage)) return inFile(storage, options);
  if (storage === undefined && config.otherProvider !== undefined)
    throw new StorageError(
      `host.json names the storage provider ${config.otherProvider}, which the emulator does not have. Start with --storage memory, or give a storage connection string with --storage.`,
    );
  const found = findConnection(config.setting, config.hubConnection, 'blob');
  if (found === undefined && config.hubConnection === 'AzureWebJobsStorage') return inDefaultFile(options);
  if (found === undefined)
    throw new StorageError(
      `The setting '${config.hubConnection}' is not set. Set it to a connection string, give one with --storage, or use --storage memory.`,
    );
  if (!('connectionString' in found))
    throw new StorageError(
      `The setting '${config.hubConnection}' names a service that is reached by identity. The emulator's task hub needs a connection string.`,
    );
  // The storage libraries load slowly, and the other hubs do not need them.
  const { AzureStorageHub } = await import('./durable/azure-storage/hub.js');
  try {
    const modules = path.join(config.directory, 'node_modules');
    const hub = new AzureStorageHub({
      connection: found.connectionString,
      name: hubName,
      log: options.log,
      // A place for what tools keep, which no repository has. It is not made for this.
      ...(existsSync(modules) && { marks: path.join(modules, '.cache/durable-functions-emulator') }),
    });
    return { kind: 'Azure Storage', hub, time: hub.time, ...records(options, false) };
  } catch (error) {
    const from = storage === undefined ? `The setting '${config.hubConnection}'` : '--storage';
    throw new StorageError(`${from} is not a storage connection string.`, { cause: error });
  }
}

function inMemory(options: StorageOptions): EmulatorStorage {
  const { hubName: name, memory } = options;
  return {
    kind: 'memory',
    hub: new MemoryHub({ name, instances: memory.instances }),
    time: new MemoryTimeStore(memory.ahead),
    ...records(options, true),
  };
}

/** @throws StorageError when this Node has no SQLite */
async function inFile(file: string, { hubName: name }: StorageOptions): Promise<EmulatorStorage> {
  let SqliteHub;
  try {
    ({ SqliteHub } = await import('./durable/sqlite/sqlite-hub.js'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_UNKNOWN_BUILTIN_MODULE') throw error;
    throw new StorageError('This Node was built without SQLite. Use --storage memory, or Azurite.', {
      cause: error,
    });
  }
  const hub = new SqliteHub({ file, name });
  const { time, schedules, receipts } = hub;
  return { kind: 'SQLite', hub, time, schedules, receipts, file: hub.path };
}

/** The file of an app that names no storage; memory, with a line in the log, where there can be no file. */
async function inDefaultFile(options: StorageOptions): Promise<EmulatorStorage> {
  const file = defaultFile(options.config.directory);
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    accessSync(path.dirname(file), constants.W_OK);
    return await inFile(file, options);
  } catch (error) {
    options.log(
      'warning',
      'Host.Storage',
      `Instances are kept in memory, until this process ends: ${(error as Error).message}`,
    );
    return inMemory(options);
  }
}

/**
 * A file for each folder of an app, in the user's data folder: nothing there is committed or deployed with the app,
 * and the app's folder may be read-only.
 */
function defaultFile(directory: string): string {
  const data =
    process.platform === 'win32'
      ? (process.env['LOCALAPPDATA'] ?? path.join(homedir(), 'AppData/Local'))
      : process.platform === 'darwin'
        ? path.join(homedir(), 'Library/Application Support')
        : process.env['XDG_STATE_HOME'] || path.join(homedir(), '.local/state');
  const hash = createHash('sha256').update(directory).digest('hex').slice(0, 8);
  return path.join(data, 'durable-functions-emulator', `${path.basename(directory)}-${hash}.db`);
}

/** What the emulator records beside the hub, in the storage of the host. */
function records(
  { config, skips, memory }: StorageOptions,
  isMemory: boolean,
): Pick<EmulatorStorage, 'schedules' | 'receipts'> {
  return {
    schedules: scheduleStatuses(isMemory, config, config.directory, {
      statuses: memory.schedules,
      // A timer function that ran in the future must not be late in the present.
      suffix: skips ? '-skipped' : '',
    }),
    receipts: blobReceipts(isMemory, config.setting, config.directory),
  };
}
