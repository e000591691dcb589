import type { TaskHub } from '../../task-hub.js';

/** The hint that the hub holds for an instance, see {@link TaskHub.hint}. Calls come one at a time. */
export class InstanceHint {
  readonly #instanceId: string;
  readonly #hub: TaskHub;
  #due: number | undefined;
  /** A change that the hub has not confirmed: it may hold the hint from before or the one from after. */
  #unconfirmed: Parameters<TaskHub['hint']>[0] | undefined;

  /** @param due the time of the hint that the hub holds, in milliseconds since the epoch */
  constructor(instanceId: string, hub: TaskHub, due: number | undefined) {
    this.#instanceId = instanceId;
    this.#hub = hub;
    this.#due = due;
  }

  /** Makes sure that there is a hint for `now` or earlier. */
  async ensure(now: number): Promise<void> {
    await this.confirm();
    if (this.#due === undefined || this.#due > now) await this.#change(now);
  }

  /** Makes sure that the only hint is for `due`, or that there is none. */
  async set(due: number | undefined): Promise<void> {
    await this.confirm();
    if (this.#due !== due) await this.#change(due);
  }

  /** Keeps one hint when a scan finds another one of the same instance. */
  async found(due: number): Promise<void> {
    await this.confirm();
    if (this.#due === undefined) this.#due = due;
    else if (this.#due !== due) await this.#hub.hint({ remove: { instanceId: this.#instanceId, due } });
  }

  async #change(due: number | undefined): Promise<void> {
    this.#unconfirmed = {
      ...(due !== undefined && { add: { instanceId: this.#instanceId, due } }),
      ...(this.#due !== undefined && { remove: { instanceId: this.#instanceId, due: this.#due } }),
    };
    await this.confirm();
  }

  /**
   * Makes the last change again when it failed. A different change in its place could leave the hint behind
   * that it may have added.
   */
  async confirm(): Promise<void> {
    const change = this.#unconfirmed;
    if (change === undefined) return;
    await this.#hub.hint(change);
    this.#due = change.add?.due;
    this.#unconfirmed = undefined;
  }
}
