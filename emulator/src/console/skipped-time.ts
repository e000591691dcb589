import type { AdvancingClock } from '../durable/advancing-clock.js';
import type { TimeStore } from '../durable/time-store.js';
import type { Host } from '../host.js';
import type { Duration } from '../testing/options.js';
import { Skipping } from '../testing/skipping.js';

/** An orchestration that polls for ever never becomes idle. On storage, a jump takes some milliseconds. */
const MAX_JUMPS = 20_000;

/** Skips the time of a host that goes on serving. */
export class SkippedTime {
  readonly #clock: AdvancingClock;
  readonly #skipping: Skipping;
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(host: Host, clock: AdvancingClock, store: TimeStore) {
    this.#clock = clock;
    this.#skipping = new Skipping(host, clock, {
      // What runs at a time may write that time. A host that is killed then must not start before it.
      moving: (to) => store.write(clock.aheadAt(to)),
      maxJumps: MAX_JUMPS,
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
   * Lets time pass, and resolves when what fell due is done. Calls wait for one another.
   * @throws NeverFinishesError when `idle` is not reached
   */
  async skip(by: Duration | 'idle' | 'next'): Promise<void> {
    this.#waiting++;
    const turn = this.#turn.then(() => this.#clock.skipping(() => this.#skipping.skip(by)));
    this.#turn = turn.catch(() => {});
    try {
      await turn;
    } finally {
      this.#waiting--;
    }
  }
}
