import type { Cancel, Clock } from '../../clock.js';
import type { TimerCreated } from '../../history.js';

/** The activities of an instance that run, and its timers that will fire. */
export class RunningWork {
  readonly #activities = new Set<string>();
  readonly #timers = new Map<number, { at: number; cancel: Cancel }>();

  get hasActivities(): boolean {
    return this.#activities.size > 0;
  }

  /** @returns false when that activity runs already */
  beginActivity(executionId: string, taskId: number): boolean {
    const key = `${executionId}/${taskId}`;
    if (this.#activities.has(key)) return false;
    this.#activities.add(key);
    return true;
  }

  endActivity(executionId: string, taskId: number): void {
    this.#activities.delete(`${executionId}/${taskId}`);
  }

  startTimer(timer: TimerCreated, clock: Clock, fire: () => void): void {
    this.cancelTimer(timer.EventId);
    const at = Date.parse(timer.FireAt);
    const cancel = clock.schedule(at, () => {
      this.#timers.delete(timer.EventId);
      fire();
    });
    this.#timers.set(timer.EventId, { at, cancel });
  }

  cancelTimer(id: number): void {
    this.#timers.get(id)?.cancel();
    this.#timers.delete(id);
  }

  cancelTimers(): void {
    for (const id of this.#timers.keys()) this.cancelTimer(id);
  }

  /** When the first timer fires, in milliseconds since the epoch. */
  get nextTimer(): number | undefined {
    let next: number | undefined;
    for (const { at } of this.#timers.values()) if (next === undefined || at < next) next = at;
    return next;
  }
}
