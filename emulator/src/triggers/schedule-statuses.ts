/**
 * When timer functions ran and will run. The records are those of the real host, so that a missed run is
 * found after a restart.
 */
import os from 'node:os';
import path from 'node:path';
import type { ContainerClient } from '@azure/storage-blob';
import type { Setting } from '../config/settings.js';
import { statusOf } from '../storage-errors.js';
import { blobContainer, findConnection, type StorageConnection } from './connections.js';

/** Times in milliseconds since the epoch. */
export interface ScheduleStatus {
  /** The last run, or {@link UNKNOWN}. */
  last: number;
  next: number;
  /** The time from which `next` was computed, or {@link UNKNOWN}. */
  lastUpdated: number;
}

/** The default of .NET's `DateTime`. */
export const UNKNOWN = Date.parse('0001-01-01T00:00:00Z');

/** Stores the statuses of an app's timer functions by function name. */
export interface ScheduleStatuses {
  read(functionName: string): Promise<ScheduleStatus | undefined>;
  write(functionName: string, status: ScheduleStatus): Promise<void>;
}

/** Keeps statuses in memory, in the given map or in one of its own. */
export class MemoryScheduleStatuses implements ScheduleStatuses {
  readonly #statuses: Map<string, ScheduleStatus>;

  constructor(statuses: Map<string, ScheduleStatus> = new Map()) {
    this.#statuses = statuses;
  }

  async read(functionName: string): Promise<ScheduleStatus | undefined> {
    return this.#statuses.get(functionName);
  }

  async write(functionName: string, status: ScheduleStatus): Promise<void> {
    this.#statuses.set(functionName, status);
  }
}

export interface BlobScheduleStatusesOptions {
  connection: StorageConnection;
  hostId: string;
  /** The IANA name of the zone in which times are written. */
  timeZone: string;
}

/**
 * Keeps statuses in the blobs of the real host: `azure-webjobs-hosts/timers/<host
 * id>/Host.Functions.<function>/status`.
 */
export class BlobScheduleStatuses implements ScheduleStatuses {
  readonly #options: BlobScheduleStatusesOptions;
  #container: Promise<ContainerClient> | undefined;

  constructor(options: BlobScheduleStatusesOptions) {
    this.#options = options;
  }

  async read(functionName: string): Promise<ScheduleStatus | undefined> {
    const container = await this.#open();
    try {
      const { Last, Next, LastUpdated } = JSON.parse(
        (await container.getBlobClient(this.#path(functionName)).downloadToBuffer()).toString(),
      ) as Record<string, string>;
      return { last: Date.parse(Last!), next: Date.parse(Next!), lastUpdated: Date.parse(LastUpdated!) };
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }

  async write(functionName: string, status: ScheduleStatus): Promise<void> {
    const container = await this.#open();
    await container.createIfNotExists();
    const body = JSON.stringify(statusJson(status, this.#options.timeZone));
    await container.getBlockBlobClient(this.#path(functionName)).upload(body, Buffer.byteLength(body));
  }

  async #open(): Promise<ContainerClient> {
    this.#container ??= blobContainer(this.#options.connection, 'azure-webjobs-hosts');
    return this.#container;
  }

  #path(functionName: string): string {
    return `timers/${this.#options.hostId}/Host.Functions.${functionName}/status`;
  }
}

/**
 * The statuses of an app: in the storage of the host, or in memory when it has none.
 * @param statuses takes those that are in memory
 * @param suffix of the host id
 */
export function scheduleStatuses(
  inMemory: boolean,
  { setting, timeZone }: { setting: Setting; timeZone: string },
  directory: string,
  { statuses, suffix }: { statuses: Map<string, ScheduleStatus>; suffix: string },
): ScheduleStatuses {
  const connection = inMemory ? undefined : findConnection(setting, 'AzureWebJobsStorage', 'blob');
  return connection === undefined
    ? new MemoryScheduleStatuses(statuses)
    : new BlobScheduleStatuses({ connection, timeZone, hostId: `${hostId(directory, setting)}${suffix}` });
}

/** A status in the form in which the host writes it and a function gets it. */
export function statusJson(
  { last, next, lastUpdated }: ScheduleStatus,
  timeZone: string,
): Record<'Last' | 'Next' | 'LastUpdated', string> {
  return {
    Last: localTime(last, timeZone),
    Next: localTime(next, timeZone),
    LastUpdated: localTime(lastUpdated, timeZone),
  };
}

/** To make a format takes longer than to use it, and an app has one time zone. */
let format: { timeZone: string; of: Intl.DateTimeFormat } | undefined;

function offsetFormat(timeZone: string): Intl.DateTimeFormat {
  if (format?.timeZone !== timeZone)
    format = {
      timeZone,
      of: new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' }),
    };
  return format.of;
}

/** A time in a zone, without trailing zeros: `2026-11-21T01:22:15.004+01:00`. */
function localTime(time: number, timeZone: string): string {
  if (time === UNKNOWN) return '0001-01-01T00:00:00+00:00';
  const zone = offsetFormat(timeZone)
    .formatToParts(time)
    .find(({ type }) => type === 'timeZoneName')!.value;
  const [, sign, hours, minutes] = /^GMT([+-])(\d\d):(\d\d)$/.exec(zone) ?? [zone, '+', '00', '00'];
  const offset = Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes));
  return `${new Date(time + offset * 60_000).toISOString().replace(/\.?0*Z$/, '')}${sign}${hours}:${minutes}`;
}

/**
 * The id in the names of an app's blobs. As on the real host, it comes from a setting, or from the machine's
 * name and the app's folder.
 */
export function hostId(directory: string, setting: Setting): string {
  const given = setting('AzureFunctionsWebHost__hostid');
  if (given !== undefined) return given;
  let hash = 23;
  for (const character of path.resolve(directory).split(''))
    hash = (Math.imul(hash, 31) + character.charCodeAt(0)) | 0;
  const machine = os
    .hostname()
    .split('.')[0]!
    .replaceAll(/[^\p{L}\p{N}]/gu, '');
  return `${machine}-${Math.abs(hash)}`.slice(0, 32).toLowerCase().replace(/-+$/, '');
}
