/** Cancels a {@link Clock.schedule}. Does nothing after `wake` was called. */
export type Cancel = () => void;

/** Gives the host the time and wakes it. All times are milliseconds since the epoch. */
export interface Clock {
  now(): number;
  /**
   * Calls `wake` once, at `at` or later, never before. A time that has passed wakes in the next turn of the
   * event loop.
   * @param recurring for work that is scheduled again and again: it does not count as work that is left
   */
  schedule(at: number, wake: () => void, recurring?: boolean): Cancel;
}

/** Node's timers overflow above this many milliseconds (2^31 - 1) and then fire at once. */
export const LONGEST_TIMEOUT = 2_147_483_647;

/** Milliseconds after which a timer reads the clock again, because somebody may have set it. */
export const RECHECK = 60_000;

/** The machine's clock. Its timers do not keep the process alive on their own. */
export class WallClock implements Clock {
  now(): number {
    return Date.now();
  }

  schedule(at: number, wake: () => void): Cancel {
    let timeout: NodeJS.Timeout;
    const arm = (): void => {
      const left = at - Date.now();
      timeout =
        left > RECHECK
          ? setTimeout(arm, RECHECK)
          : // By Date, Node's timers may fire up to a millisecond early. A durable timer must not.
            setTimeout(() => (Date.now() < at ? arm() : wake()), Math.max(0, left));
      timeout.unref();
    };
    arm();
    return () => {
      clearTimeout(timeout);
    };
  }
}

interface Waiting {
  at: number;
  order: number;
  wake: () => void;
  recurring: boolean;
}

/**
 * A clock that does not move until a caller makes it jump. It jumps from one scheduled time to the next, so
 * that calls happen in the order of their times, and calls for one time in the order in which they were
 * scheduled.
 */
export class SkippingClock implements Clock {
  readonly #waiting: Waiting[] = [];
  #now: number;
  #order = 0;

  constructor(start: number) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  schedule(at: number, wake: () => void, recurring = false): Cancel {
    const entry: Waiting = { at, order: this.#order++, wake, recurring };
    let low = 0;
    for (let high = this.#waiting.length; low < high;) {
      const middle = (low + high) >> 1;
      if (this.#waiting[middle]!.at <= at) low = middle + 1;
      else high = middle;
    }
    this.#waiting.splice(low, 0, entry);
    return () => {
      const index = this.#waiting.indexOf(entry);
      if (index >= 0) this.#waiting.splice(index, 1);
    };
  }

  /** The next scheduled time; undefined when nothing is scheduled. */
  get next(): number | undefined {
    return this.#waiting[0]?.at;
  }

  /** The next scheduled time of work that is not recurring; undefined when there is none. */
  get nextOnce(): number | undefined {
    return this.#waiting.find(({ recurring }) => !recurring)?.at;
  }

  /** Whether only recurring work is scheduled. */
  get isIdle(): boolean {
    return this.#waiting.every(({ recurring }) => recurring);
  }

  /** Moves to `time` (never back) without waking anything. */
  moveTo(time: number): void {
    this.#now = Math.max(this.#now, time);
  }

  /** Makes one call that is due by now. @returns whether there was one */
  wakeOne(): boolean {
    const first = this.#waiting[0];
    if (first === undefined || first.at > this.now()) return false;
    this.#waiting.shift();
    first.wake();
    return true;
  }
}
