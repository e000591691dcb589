import { RECHECK, SkippingClock, type Cancel } from './clock.js';

/** The machine's time, also where `Date` answers from somewhere else (see `virtual/scope.ts`). */
const realNow = Date.now;

/**
 * While time is skipped, a timer function waits at least so long between two runs, in milliseconds: an hour, later a
 * 24th of what was skipped, and never a whole day. One that runs every minute would otherwise make a skip of a
 * month forty thousand jumps. One that runs every night does run every night.
 */
const SHORTEST_WAIT = 3_600_000;
const LONGEST_WAIT = 23 * 3_600_000;
const PART = 24;

/**
 * A clock that goes on by itself as real time does, and skips when it is asked to: it is ahead of the machine's
 * clock by a number of milliseconds, which only grows. Its timers do not keep the process alive.
 */
export class AdvancingClock extends SkippingClock {
  #ahead = 0;
  #timeout: NodeJS.Timeout | undefined;
  #armed: number | undefined;
  /** When the skip under way began. */
  #skipsFrom: number | undefined;
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
    const earliest = recurring ? this.#earliest() : at;
    const cancel = at < earliest ? this.#delay(at, earliest, wake) : super.schedule(at, wake, recurring);
    this.#arm();
    return cancel;
  }

  /** Runs `skip`, and has recurring work run less often meanwhile. */
  async skipping<T>(skip: () => Promise<T>): Promise<T> {
    this.#skipsFrom = this.now();
    try {
      return await skip();
    } finally {
      this.#skipsFrom = undefined;
      for (const restore of this.#delayed) restore();
      this.#delayed.clear();
      this.#arm();
    }
  }

  /** The earliest time for recurring work. */
  #earliest(): number {
    if (this.#skipsFrom === undefined) return -Infinity;
    const now = this.now();
    return now + Math.min(LONGEST_WAIT, Math.max(SHORTEST_WAIT, (now - this.#skipsFrom) / PART));
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
      Math.min(Math.max(0, at - realNow()), RECHECK),
    ).unref();
  }
}
