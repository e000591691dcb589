import { firstLine, type Log } from '../../log.js';

/**
 * Milliseconds before the first retry. Each retry waits twice as long as the one before, up to the longest.
 */
const FIRST = 20;
const LONGEST = 5_000;

/**
 * Waits after failures of storage. The log gets one line when storage fails and one when it answers again,
 * however many tasks retry meanwhile.
 */
export class BackOff {
  readonly #write: (level: 'information' | 'warning', message: string) => void;
  /** How often a task has failed in a row, by its name. */
  readonly #failures = new Map<string, number>();
  #isReported = false;

  constructor(log: Log, category: string) {
    this.#write = (level, message) => {
      log(level, category, message);
    };
  }

  /** Resolves when the task `what` should be retried. A single failure is not logged, two in a row are. */
  async failed(what: string, error: unknown): Promise<void> {
    const before = this.#failures.get(what) ?? 0;
    this.#failures.set(what, before + 1);
    if (before > 0 && !this.#isReported) {
      this.#isReported = true;
      this.#write(
        'warning',
        `Storage failed for ${what}, trying again until it answers: ${firstLine(error)}`,
      );
    }
    await new Promise<void>((resolve) => {
      setTimeout(resolve, Math.min(LONGEST, FIRST * 2 ** before));
    });
  }

  /** The task `what` has succeeded. */
  succeeded(what: string): void {
    if (!this.#failures.delete(what) || this.#failures.size > 0 || !this.#isReported) return;
    this.#isReported = false;
    this.#write('information', 'Storage answers again.');
  }
}
