import type { Log } from '../../log.js';

const FIRST = 20;
const LONGEST = 5_000;

/**
 * Waits after failures of storage, longer each time. That storage fails is said once, and that it answers again, however
 * much waits for it meanwhile.
 */
export class BackOff {
  readonly #say: (level: 'information' | 'warning', message: string) => void;
  /** How often what is tried has failed in a row, by its name. */
  readonly #failures = new Map<string, number>();
  #said = false;

  constructor(log: Log, category: string) {
    this.#say = (level, message) => {
      log(level, category, message);
    };
  }

  /** Resolves when `what` is to be tried again. One failure is no news: two in a row are. */
  async failed(what: string, error: unknown): Promise<void> {
    const before = this.#failures.get(what) ?? 0;
    this.#failures.set(what, before + 1);
    if (before > 0 && !this.#said) {
      this.#said = true;
      const [reason] = (error instanceof Error ? error.message : String(error)).split('\n');
      this.#say('warning', `Storage failed for ${what}, trying again until it answers: ${reason}`);
    }
    await new Promise<void>((resolve) => {
      setTimeout(resolve, Math.min(LONGEST, FIRST * 2 ** before));
    });
  }

  worked(what: string): void {
    if (!this.#failures.delete(what) || this.#failures.size > 0 || !this.#said) return;
    this.#said = false;
    this.#say('information', 'Storage answers again.');
  }
}
