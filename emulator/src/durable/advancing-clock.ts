import { LONGEST_TIMEOUT, SkippingClock, type Cancel } from './clock.js';

/** The machine's time, also where `Date` answers from somewhere else (see `virtual/scope.ts`). */
const realNow = Date.now;

/**
 * While time is skipped, a timer function runs at most so often, in milliseconds of skipped time: one that runs
 * every minute would make a skip of a month forty thousand jumps.
 */
const RARELY = 3_600_000;

/**
 * A clock that goes on by itself as real time does, and skips when it is asked to: it is ahead of the machine's
 * clock by a number of milliseconds, which only grows. Its timers do not keep the process alive.
 */
export class AdvancingClock extends SkippingClock {
  #ahead = 0;
  #timeout: NodeJS.Timeout | undefined;
  #armed: number | undefined;
  #isSkipping = false;
  /** Recurring work that was scheduled while time was skipped: it goes back to its own time after that. */
  readonly #delayed = new Set<() => void>();

  constructor() {
    super(0);
  }

  override now(): number {
    return realNow() + this.#ahead;
  }

  /** How far it is ahead of the machine's clock, in milliseconds. */
  get ahead(): number {
    return this.#ahead;
  }

  /** How far it will be ahead after {@link moveTo}. */
  aheadAt(time: number): number {
    return Math.max(this.#ahead, time - realNow());
  }

  /** Continues where another process was. */
  continueFrom(ahead: number): void {
    this.#ahead = Math.max(this.#ahead, ahead);
    this.#arm();
  }

  override moveTo(time: number): void {
    this.#ahead = this.aheadAt(time);
    this.#arm();
  }

  override schedule(at: number, wake: () => void, recurring = false): Cancel {
    const rarely = this.now() + RARELY;
    const cancel =
      this.#isSkipping && recurring && at < rarely
        ? this.#delay(at, rarely, wake)
        : super.schedule(at, wake, recurring);
    this.#arm();
    return cancel;
  }

  /** Runs `skip`, and has recurring work run rarely meanwhile. */
  async skipping<T>(skip: () => Promise<T>): Promise<T> {
    this.#isSkipping = true;
    try {
      return await skip();
    } finally {
      this.#isSkipping = false;
      for (const restore of this.#delayed) restore();
      this.#delayed.clear();
      this.#arm();
    }
  }

  #delay(at: number, until: number, wake: () => void): Cancel {
    let cancel = super.schedule(
      until,
      () => {
        this.#delayed.delete(restore);
        wake();
      },
      true,
    );
    const restore = (): void => {
      cancel();
      cancel = super.schedule(at, wake, true);
    };
    this.#delayed.add(restore);
    return () => {
      this.#delayed.delete(restore);
      cancel();
    };
  }

  /** Wakes what is due when real time brings it. */
  #arm(): void {
    const { next } = this;
    // A time that is armed too early is found to be early when it comes.
    const at = next === undefined ? undefined : next - this.#ahead;
    if (at === this.#armed) return;
    clearTimeout(this.#timeout);
    this.#armed = at;
    if (at === undefined) return;
    this.#timeout = setTimeout(
      () => {
        this.#armed = undefined;
        while (this.wakeOne());
        this.#arm();
      },
      Math.min(Math.max(0, at - realNow()), LONGEST_TIMEOUT),
    ).unref();
  }
}
