import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainerClient } from '@azure/storage-blob';
import type { BlobOptions } from '../config/host-json.js';
import { firstLine, type Log } from '../log.js';
import { Semaphore } from '../parallel.js';
import type { BlobPattern } from './blob-path.js';
import type { BlobReceipt, BlobReceipts } from './blob-receipts.js';
import { Pause, Readability } from './polling.js';

/** A blob that a function is to get. */
export interface FoundBlob {
  name: string;
  etag: string;
  /** The values of the names in braces of the trigger's path. */
  values: Record<string, string>;
}

export interface BlobListenerOptions {
  functionName: string;
  container: ContainerClient;
  pattern: BlobPattern;
  receipts: BlobReceipts;
  options: BlobOptions;
  log: Log;
  /** Runs the function. @returns whether it succeeded */
  run: (blob: FoundBlob) => Promise<boolean>;
  /** Called for a blob with which the function has failed every time. */
  poison: (blob: FoundBlob) => Promise<void>;
}

/** The wait between attempts, and the shortest and the longest wait between scans, in milliseconds. */
const WAIT = 100;
const SHORTEST_WAIT = 500;
const LONGEST_WAIT = 4000;
const CATEGORY = 'Host.Triggers.Blobs';

/**
 * Runs one function with every blob of a container that is new or has changed, as the blobs extension does when
 * it scans containers. A receipt records each version of a blob that was processed.
 */
export class BlobListener {
  readonly containerName: string;
  readonly #options: BlobListenerOptions;
  /** The last version of each blob that was processed, or is being processed. */
  readonly #seen = new Map<string, string>();
  readonly #working = new Set<Promise<void>>();
  readonly #places: Semaphore;
  #scanning: Promise<unknown> = Promise.resolve();
  readonly #pause = new Pause();
  readonly #readability: Readability;
  #stopped = false;

  constructor(options: BlobListenerOptions) {
    this.#options = options;
    this.#places = new Semaphore(options.options.parallel);
    this.containerName = options.container.containerName;
    const place = `The container '${this.containerName}'`;
    this.#readability = new Readability(options.log, CATEGORY, place, ` for '${options.functionName}'`);
  }

  start(): void {
    void this.#listen();
  }

  /** Scans at once, because the host has written a blob there. */
  notify(): void {
    this.#pause.end();
  }

  /** Processes blobs until none is new. @returns whether there were any */
  async drain(): Promise<boolean> {
    for (let any = this.#working.size > 0; ; any = true) {
      await Promise.all(this.#working);
      // The scan that was under way may have taken what this one does not find.
      if (this.#stopped || (!(await this.#scan()) && this.#working.size === 0)) return any;
    }
  }

  /** Scans no more, and waits so many milliseconds for functions that run. */
  async stop(grace: number): Promise<void> {
    this.#stopped = true;
    this.notify();
    await this.#scanning;
    await Promise.race([Promise.all(this.#working), sleep(grace, undefined, { ref: false })]);
  }

  async #listen(): Promise<void> {
    for (let wait = SHORTEST_WAIT; !this.#stopped;) {
      wait = (await this.#scan()) ? SHORTEST_WAIT : Math.min(wait * 2, LONGEST_WAIT);
      if (await this.#pause.wait(wait)) wait = SHORTEST_WAIT;
    }
  }

  /** Never two at once. @returns whether it found something */
  async #scan(): Promise<boolean> {
    const scanning = this.#scanning.then(() => this.#find());
    this.#scanning = scanning;
    return scanning;
  }

  async #find(): Promise<boolean> {
    const { container, pattern } = this.#options;
    let any = false;
    try {
      for await (const { name, properties } of container.listBlobsFlat()) {
        if (this.#stopped) break;
        const values = pattern.match(name);
        const etag = `"${(properties.etag ?? '').replaceAll('"', '')}"`;
        if (values === undefined || this.#seen.get(name) === etag) continue;
        this.#seen.set(name, etag);
        if (await this.#options.receipts.has(this.#receipt({ name, etag }))) continue;
        any = true;
        this.#begin({ name, etag, values });
      }
      this.#readability.succeeded();
    } catch (error) {
      if (!this.#stopped) this.#readability.failed(error);
    }
    return any;
  }

  #begin(blob: FoundBlob): void {
    const work = this.#places
      .run(() => this.#process(blob))
      .catch((error: unknown) => {
        // The next scan finds the blob again.
        this.#seen.delete(blob.name);
        this.#options.log(
          'error',
          CATEGORY,
          `The blob '${this.containerName}/${blob.name}' could not be settled: ${firstLine(error)}`,
        );
      })
      .finally(() => {
        this.#working.delete(work);
      });
    this.#working.add(work);
  }

  async #process(blob: FoundBlob): Promise<void> {
    const {
      run,
      poison,
      receipts,
      log,
      options: { attempts },
    } = this.#options;
    for (let attempt = 1; !(await run(blob)); attempt++) {
      if (this.#stopped) return;
      if (attempt === attempts) {
        log(
          'warning',
          CATEGORY,
          `The function has failed ${attempts} times with the blob '${this.containerName}/${blob.name}'. A message about it is in the queue 'webjobs-blobtrigger-poison'.`,
        );
        await poison(blob);
        break;
      }
      await sleep(WAIT);
    }
    await receipts.add(this.#receipt(blob));
  }

  #receipt({ name, etag }: Pick<FoundBlob, 'name' | 'etag'>): BlobReceipt {
    return { functionName: this.#options.functionName, etag, container: this.containerName, blob: name };
  }
}
