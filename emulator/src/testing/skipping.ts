import type { SkippingClock } from '../durable/clock.js';
import { isFinished } from '../durable/history.js';
import type { Host } from '../host.js';
import { instanceState } from './decoded.js';
import { Failures } from './failures.js';
import type { Duration, InstanceState } from './options.js';
import { NeverFinishesError } from './options.js';

/**
 * After so many jumps, `skip('idle')` and `finished` give up: an orchestration that polls for ever never
 * becomes idle.
 */
const MAX_JUMPS = 100_000;
/** After so many runs of timer functions, `finished` gives up when nothing else is due. */
const MAX_TIMER_RUNS = 100;

/** How time is skipped. */
export interface SkippingOptions {
  /** Awaited before the clock moves to a time. */
  moving?: (to: number) => Promise<void>;
  /** See {@link MAX_JUMPS}. */
  maxJumps?: number;
  /** Whether a skip ends where it is. */
  isStopped?: () => boolean;
  /** What ends the waits. */
  failures?: Failures;
}

/**
 * Moves the clock of one environment. The clock jumps from one due time to the next, and only when nothing
 * runs.
 */
export class Skipping {
  readonly #host: Host;
  readonly #clock: SkippingClock;
  readonly #failures: Failures;
  readonly #moving: ((to: number) => Promise<void>) | undefined;
  readonly #maxJumps: number;
  readonly #isStopped: () => boolean;
  /** How many functions had run when the queues were last found empty. */
  #drained = -1;

  constructor(
    host: Host,
    clock: SkippingClock,
    {
      moving,
      maxJumps = MAX_JUMPS,
      isStopped = () => false,
      failures = new Failures(),
    }: SkippingOptions = {},
  ) {
    this.#host = host;
    this.#clock = clock;
    this.#failures = failures;
    this.#moving = moving;
    this.#maxJumps = maxJumps;
    this.#isStopped = isStopped;
  }

  /** See {@link TestApp.quiet}. */
  async quiet(): Promise<void> {
    this.#drained = -1;
    await this.#settle();
  }

  /** See {@link TestApp.skip}. `next`: to the next time at which something but a timer function is due. */
  async skip(by: Duration | 'idle' | 'next'): Promise<void> {
    if (by === 'next') await this.quiet();
    const target = this.#targetOf(by);
    for (let jumps = 0; await this.#jump(target); jumps++) {
      if (by === 'idle' && jumps === this.#maxJumps)
        throw new NeverFinishesError(
          `There is still something due after ${this.#maxJumps} jumps of the clock: an orchestration repeats itself for ever.`,
        );
    }
    if (this.#isStopped()) return;
    if (target !== 'idle') await this.#moveTo(target);
    await this.quiet();
  }

  #targetOf(by: Duration | 'idle' | 'next'): number | 'idle' {
    if (by === 'idle') return by;
    const now = this.#clock.now();
    return by === 'next' ? (this.#clock.nextOnce ?? now) : now + milliseconds(by);
  }

  async #moveTo(time: number): Promise<void> {
    if (this.#moving !== undefined) await this.#moving(time);
    this.#clock.moveTo(time);
  }

  /** See {@link TestApp.finished}. */
  async finished(instanceId: string): Promise<InstanceState> {
    await this.quiet();
    for (let jumps = 0, timerRuns = 0; jumps < MAX_JUMPS; jumps++) {
      await this.#settle();
      const record = await this.#host.engine.getRecord(instanceId);
      if (record === undefined) throw new Error(`There is no instance '${instanceId}'.`);
      if (isFinished(record.runtimeStatus)) return instanceState(record);
      timerRuns = this.#clock.isIdle ? timerRuns + 1 : 0;
      if (timerRuns > MAX_TIMER_RUNS || !(await this.#jump())) {
        const waits = this.#host.engine.waitsFor(instanceId);
        throw new NeverFinishesError(
          `'${instanceId}' (${record.name}, ${record.runtimeStatus}) will never finish: it waits for ${waits.join(' and ') || 'nothing'}, and nothing is due${
            timerRuns > 0 ? ' but timer functions, which did not help' : ''
          }.`,
        );
      }
    }
    throw new NeverFinishesError(
      `'${instanceId}' has not finished after ${MAX_JUMPS} jumps of the clock: an orchestration repeats itself for ever.`,
    );
  }

  /**
   * Reads the queues only when a function has run since the last time, because each read is a request to
   * storage.
   */
  async #settle(): Promise<void> {
    for (;;) {
      await this.#failures.race(this.#host.whenQuiet());
      const { completed } = this.#host.worker;
      if (completed === this.#drained) return;
      if (!(await this.#failures.race(this.#host.drainQueues()))) this.#drained = completed;
    }
  }

  /**
   * Moves to the next due time, but not beyond `target`. With `idle`, it stops where nothing but timer
   * functions is due.
   * @returns false when nothing is due
   */
  async #jump(target: number | 'idle' = Infinity): Promise<boolean> {
    await this.#settle();
    const { next } = this.#clock;
    if (this.#isStopped() || next === undefined || (target === 'idle' ? this.#clock.isIdle : next > target))
      return false;
    await this.#moveTo(next);
    this.#clock.wakeOne();
    return true;
  }
}

function milliseconds({
  days = 0,
  hours = 0,
  minutes = 0,
  seconds = 0,
  milliseconds: rest = 0,
}: Duration): number {
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000 + rest;
}
