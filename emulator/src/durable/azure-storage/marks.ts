import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { TableClient } from '@azure/data-tables';
import { statusOf } from '../../storage-errors.js';

/** A mark is written so long after a change, in milliseconds. Changes in between share it. */
const DELAY = 1_000;
const [PARTITION, ROW] = ['mark', ''];

/** What was written last: a number that only grows, and when, in ISO 8601. */
interface Mark {
  number: number;
  at: string;
}

export interface MarksOptions {
  /** Whether no other process can own the hub. */
  isOwner: () => boolean;
  /** Gets one line for each time that storage has gone back. */
  report: (line: string) => void;
}

/**
 * Notices that storage has lost what it had answered: Azurite saves every five seconds, so it does when it is killed,
 * or when its disk is full. After changes, a mark with a growing number goes into the hub, and into a file on this
 * machine. Storage that has an older mark than this process or the file has gone back in time.
 */
export class Marks {
  readonly #table: TableClient;
  readonly #file: string;
  readonly #options: MarksOptions;
  #last: Mark | undefined;
  #etag: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #isOpen = false;

  /**
   * @param file where the mark is kept on this machine: one for each hub
   */
  constructor(table: TableClient, file: string, options: MarksOptions) {
    this.#table = table;
    this.#file = file;
    this.#options = options;
  }

  /** Compares the mark of the hub with the one of this machine. The table exists. */
  async open(): Promise<void> {
    const known = await readFile(this.#file, 'utf8').then(
      (text) => JSON.parse(text) as Mark,
      () => undefined,
    );
    const found = await this.#read();
    // A hub without a mark is new: somebody has deleted the one before.
    if (found !== undefined) this.#compare(known, found);
    this.#last = { number: Math.max(known?.number ?? 0, found?.number ?? 0), at: found?.at ?? '' };
    this.#isOpen = true;
    await this.#write();
  }

  /** The hub has changed. */
  changed(): void {
    if (!this.#isOpen) return;
    this.#timer ??= setTimeout(() => {
      void this.#write();
    }, DELAY).unref();
  }

  /** Writes the last mark. Never rejects. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const isDue = this.#timer !== undefined;
    await this.#writing;
    if (isDue) await this.#write();
  }

  #write(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    // A mark that cannot be written now follows after the next change.
    this.#writing = this.#writing.then(() => this.#put()).catch(() => {});
    return this.#writing;
  }

  async #put(): Promise<void> {
    if (!this.#options.isOwner()) return;
    const before = this.#last!;
    const mark = { number: before.number + 1, at: new Date().toISOString() };
    const row = { partitionKey: PARTITION, rowKey: ROW, Number: mark.number, At: mark.at };
    try {
      const { etag } =
        this.#etag === undefined
          ? await this.#table.upsertEntity(row, 'Replace')
          : await this.#table.updateEntity(row, 'Replace', { etag: this.#etag });
      this.#etag = etag;
    } catch (error) {
      if (statusOf(error) !== 404 && statusOf(error) !== 412) throw error;
      // Nobody else writes it while this process has the lease. Or the answer to the write was lost.
      this.#compare(before, (await this.#read()) ?? { number: 0, at: 'no mark' });
      this.#etag = (await this.#table.upsertEntity(row, 'Replace')).etag;
    }
    this.#last = mark;
    await mkdir(path.dirname(this.#file), { recursive: true });
    await writeFile(this.#file, JSON.stringify(mark));
  }

  async #read(): Promise<Mark | undefined> {
    try {
      const row = await this.#table.getEntity<{ Number: number; At: string }>(PARTITION, ROW);
      this.#etag = row.etag;
      return { number: row.Number, at: row.At };
    } catch (error) {
      if (statusOf(error) !== 404) throw error;
      return undefined;
    }
  }

  #compare(known: Mark | undefined, found: Mark): void {
    if (known === undefined || found.number >= known.number) return;
    this.#options.report(
      `storage has gone back in time: it had the changes until ${known.at}, and now has those until ${found.at}. What it had answered since is lost. Azurite loses the last seconds when it is killed, and more when its disk is full.`,
    );
  }
}
