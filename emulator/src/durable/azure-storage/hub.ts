import { createHash } from 'node:crypto';
import path from 'node:path';
import type { Log } from '../../log.js';
import { StorageClients } from './clients.js';
import { statusOf } from '../../storage-errors.js';
import { HintsTable } from './hints.js';
import { HistoryTable } from './history.js';
import { InstancesTable } from './instances.js';
import { escapeKey } from './keys.js';
import { Marks } from './marks.js';
import { Ownership } from './owner.js';
import { Payloads } from './payloads.js';
import { ClockBlob } from './time.js';
import {
  checkHubName,
  HubUnavailableError,
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
} from '../task-hub.js';
import type { TimeStore } from '../time-store.js';

export interface AzureStorageHubOptions {
  /** A storage account's connection string, or `UseDevelopmentStorage=true`. */
  connection: string;
  /** 3 to 45 letters and digits, a letter first: it is part of the names of tables and containers. */
  name: string;
  /**
   * How long {@link AzureStorageHub.open} waits for another owner to close the hub, in milliseconds. Default:
   * 0.
   */
  patience?: number;
  /** How many storage requests are under way at once. Default: 50. */
  underWay?: number;
  /**
   * The folder in which this machine keeps how far each hub was, so that {@link Marks} also notices at the next start
   * that storage has gone back in time. Without it nothing is noticed.
   */
  marks?: string;
  log?: Log;
}

/**
 * The hub in Azure Storage, in the layout of the Durable Task provider. Each table has a class, which
 * describes its rows.
 */
export class AzureStorageHub implements TaskHub {
  readonly name: string;
  /** How far the hub's time is ahead. */
  readonly time: TimeStore;
  readonly #clients: StorageClients;
  readonly #payloads: Payloads;
  readonly #history: HistoryTable;
  readonly #instances: InstancesTable;
  readonly #hints: HintsTable;
  readonly #ownership: Ownership;
  readonly #patience: number;
  readonly #marks: Marks | undefined;
  readonly #log: Log;

  constructor({ connection, name, patience = 0, underWay, marks, log = () => {} }: AzureStorageHubOptions) {
    this.name = name;
    this.#patience = patience;
    this.#log = log;
    this.#clients = new StorageClients(connection, underWay);
    this.#payloads = new Payloads(this.#clients.blobs, name);
    this.#history = new HistoryTable(this.#clients.table(`${name}History`), this.#payloads);
    this.#instances = new InstancesTable(this.#clients.table(`${name}Instances`), this.#payloads, name);
    this.#hints = new HintsTable(this.#clients.table(`${name}Hints`));
    this.#ownership = new Ownership(name, this.#clients);
    if (marks !== undefined) this.#marks = this.#makeMarks(marks);
    this.time = new ClockBlob(name, this.#clients, () => {
      this.#checkOwner();
    });
  }

  /** The number of storage requests so far, including retries. */
  get requests(): number {
    return this.#clients.requests;
  }

  async open(lost: (reason: Error) => void): Promise<void> {
    checkHubName(this.name);
    try {
      await this.#ownership.claim();
      await this.#ownership.acquire(this.#patience, (reason) => {
        this.#log('error', 'DurableTask', reason.message);
        lost(reason);
      });
      await Promise.all([
        this.#history.create(),
        this.#instances.create(),
        this.#hints.create(),
        this.#payloads.create(),
      ]);
      await this.#marks?.open();
    } catch (error) {
      await this.#ownership.release();
      if (error instanceof HubUnavailableError) throw error;
      const status = statusOf(error);
      const what = status === undefined ? 'does not answer' : `answers with status ${status}`;
      const [reason] = String(error).split('\n');
      throw new HubUnavailableError(
        `Task hub '${this.name}' cannot be opened, the storage at ${this.#clients.tables.url} ${what}: ${reason}`,
        { cause: error },
      );
    }
  }

  async close(): Promise<void> {
    await this.#marks?.close();
    await this.#ownership.release();
  }

  fresh(): LoadedInstance {
    return { ...this.#history.fresh(), stale: false };
  }

  async load(instanceId: string, unchecked = false): Promise<LoadedInstance> {
    return fromStorage(async () => {
      const loaded = await this.#history.load(instanceId);
      if (unchecked) return { ...loaded, stale: undefined };
      const stale = loaded.record !== undefined && !(await this.#instances.isCurrent(loaded.record));
      return { ...loaded, stale };
    });
  }

  async post(instanceId: string, message: Message): Promise<void> {
    return this.#changing(() => this.#history.post(instanceId, message));
  }

  async commit(commit: Commit): Promise<CommitToken> {
    return this.#changing(() => this.#history.commit(commit));
  }

  async project(record: InstanceRecord, unchecked = false): Promise<void> {
    if (unchecked && (await fromStorage(() => this.#instances.isCurrent(record)))) return;
    return this.#changing(() => this.#instances.write(record));
  }

  getRecord(instanceId: string): Promise<InstanceRecord | undefined> {
    return fromStorage(() => this.#instances.read(instanceId));
  }

  query(query: InstanceQuery): Promise<InstancePage> {
    return fromStorage(() => this.#instances.query(query));
  }

  async purge(instanceId: string): Promise<void> {
    return this.#changing(async () => {
      const key = escapeKey(instanceId);
      await Promise.all([this.#history.purge(key), this.#payloads.purge(key)]);
      // The Instances row goes last, so that a query still finds an instance whose purge was cut short.
      await this.#instances.purge(key);
    });
  }

  async hint(change: { add?: Hint; remove?: Hint }): Promise<void> {
    return this.#changing(() => this.#hints.change(change));
  }

  async *hints(): AsyncIterable<Hint[]> {
    const pages = this.#hints.pages()[Symbol.asyncIterator]();
    for (;;) {
      const page = await fromStorage(() => pages.next());
      if (page.done === true) return;
      yield page.value;
    }
  }

  #makeMarks(folder: string): Marks {
    const where = `${this.#clients.tables.url} ${this.name}`;
    const file = `${createHash('sha256').update(where).digest('hex').slice(0, 32)}.json`;
    return new Marks(this.#clients.table(`${this.name}Hints`), path.join(folder, file), {
      isOwner: () => this.#ownership.holdsLease,
      report: (line) => {
        this.#log('error', 'DurableTask', `Task hub '${this.name}': ${line}`);
      },
    });
  }

  async #changing<T>(task: () => Promise<T>): Promise<T> {
    this.#checkOwner();
    const result = await fromStorage(task);
    this.#marks?.changed();
    return result;
  }

  /**
   * Nothing is written while the lease may have run out: another host may own the hub then.
   * @throws StorageFailure
   */
  #checkOwner(): void {
    if (!this.#ownership.holdsLease)
      throw new StorageFailure(
        `Task hub '${this.name}' may be somebody else's by now: its lease could not be renewed in time.`,
      );
  }
}

/** Errors that JavaScript throws for mistakes in code. */
const MISTAKES = [TypeError, RangeError, ReferenceError, SyntaxError];

/**
 * Turns every failure of the storage service into a {@link StorageFailure}; mistakes in this code stay as
 * they are.
 */
async function fromStorage<T>(task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    if (error instanceof StorageFailure || MISTAKES.some((mistake) => error instanceof mistake)) throw error;
    throw new StorageFailure(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
