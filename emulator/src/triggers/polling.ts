/** What listeners that look at storage again and again have in common. */
import { setTimeout as sleep } from 'node:timers/promises';
import { firstLine, type Log } from '../log.js';
import { statusOf } from '../storage-errors.js';

/** The wait between two looks. It ends at once when the host has written there, or when the listener stops. */
export class Pause {
  #wake = new AbortController();

  /** Ends the wait, or the next one. */
  end(): void {
    this.#wake.abort();
  }

  /** @returns whether the wait was ended before its time, in milliseconds */
  async wait(time: number): Promise<boolean> {
    try {
      await sleep(time, undefined, { signal: this.#wake.signal, ref: false });
      return false;
    } catch {
      this.#wake = new AbortController();
      return true;
    }
  }
}

/** Logs one line when a place cannot be read, and one when it can be read again, however often that is tried. */
export class Readability {
  #failing = false;

  /**
   * @param place such as `The queue 'orders'`
   * @param aim what it is read for, with a space before it, or nothing
   */
  constructor(
    readonly log: Log,
    readonly category: string,
    readonly place: string,
    readonly aim = '',
  ) {}

  succeeded(): void {
    if (this.#failing) this.log('information', this.category, `${this.place} can be read again.`);
    this.#failing = false;
  }

  failed(error: unknown): void {
    // What does not exist yet is empty.
    if (statusOf(error) === 404 || this.#failing) return;
    this.#failing = true;
    this.log(
      'warning',
      this.category,
      `${this.place} cannot be read${this.aim}; the host tries again: ${firstLine(error)}`,
    );
  }
}
