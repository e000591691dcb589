import type { Instances } from './instances.js';
import { CATEGORY, stackOf, type Runtime } from './runtime.js';

/**
 * Reads the hints that a hub holds when it is opened, and resumes the instances that have work to do.
 */
export class Recovery {
  readonly #runtime: Runtime;
  readonly #instances: Instances;
  #scanned: Promise<void> = Promise.resolve();

  constructor(runtime: Runtime, instances: Instances) {
    this.#runtime = runtime;
    this.#instances = instances;
  }

  start(): void {
    this.#scanned = this.#runtime.running.run(() => this.#scan());
  }

  /**
   * Resolves when all hints were read. Until then the engine does not know which instances have work to do.
   */
  get scanned(): Promise<void> {
    return this.#scanned;
  }

  async #scan(): Promise<void> {
    try {
      await this.#runtime.retrying('reading what was under way', async () => {
        for await (const page of this.#runtime.hub.hints())
          for (const { instanceId, due } of page) this.#found(instanceId, due);
        this.#instances.scanned();
      });
    } catch (error) {
      this.#runtime.log('error', CATEGORY, `The hints of the task hub cannot be read: ${stackOf(error)}`);
    }
  }

  #found(instanceId: string, due: number): void {
    if (
      this.#instances.find(instanceId) !== undefined ||
      this.#instances.parkedUntil(instanceId) !== undefined
    ) {
      this.#runtime.retryInBackground(`a second hint to '${instanceId}'`, () => this.#merge(instanceId, due));
      return;
    }
    this.#instances.park(instanceId, due, true);
    if (due <= this.#runtime.clock.now()) this.#instances.wake(instanceId);
  }

  /** Leaves one hint of an instance for which a hint was found while it was known already. */
  async #merge(instanceId: string, due: number): Promise<void> {
    const instance = this.#instances.find(instanceId);
    if (instance === undefined) {
      if (this.#instances.parkedUntil(instanceId) !== due)
        await this.#runtime.hub.hint({ remove: { instanceId, due } });
      return;
    }
    await instance.exclusively(() => instance.hint.found(due));
    await instance.pump();
  }
}
