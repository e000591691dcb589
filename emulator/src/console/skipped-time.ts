import type { AdvancingClock } from '../durable/advancing-clock.js';
import type { TimeStore } from '../durable/time-store.js';
import type { Host } from '../host.js';
import type { Duration } from '../testing/options.js';
import { Skipping } from '../testing/skipping.js';

/** An orchestration that polls for ever never becomes idle. On storage, a jump takes some milliseconds. */
const MAX_JUMPS = 10_000;

/** Skips the time of a host that goes on serving. */
export class SkippedTime {
  readonly #clock: AdvancingClock;
  readonly #skipping: Skipping;
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  /** Resolved, and replaced, by {@link stop}. */
  #stop = Promise.withResolvers<void>();
  /** The {@link #stop} of the skip whose turn it is. */
  #current = this.#stop;

  constructor(host: Host, clock: AdvancingClock, store: TimeStore) {
    this.#clock = clock;
    this.#skipping = new Skipping(host, clock, {
      // What runs at a time may write that time. A host that is killed then must not start before it.
      moving: (to) => store.write(clock.aheadAt(to)),
      maxJumps: MAX_JUMPS,
      isStopped: () => this.#current !== this.#stop,
    });
  }

  /** How far the host's time is ahead of the machine's, in milliseconds. */
  get ahead(): number {
    return this.#clock.ahead;
  }

  /** Whether time is being skipped. */
  get isSkipping(): boolean {
    return this.#waiting > 0;
  }

  /**
   * Lets time pass, and resolves when what fell due is done, or at {@link stop}. Calls wait for one another.
   * @throws NeverFinishesError when `idle` is not reached
   */
  async skip(by: Duration | 'idle' | 'next'): Promise<void> {
    this.#waiting++;
    const stop = this.#stop;
    const turn = this.#turn.then(async () => {
      this.#current = stop;
      if (stop === this.#stop) await this.#clock.skipping(() => this.#skipping.skip(by));
    });
    this.#turn = turn.catch(() => {});
    try {
      // A function that never ends would keep a skip waiting.
      await Promise.race([turn, stop.promise]);
    } finally {
      this.#waiting--;
    }
  }

  /** Ends all skips where they are. What runs goes on. */
  stop(): void {
    const { resolve } = this.#stop;
    this.#stop = Promise.withResolvers();
    resolve();
  }
}
