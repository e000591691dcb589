import type { Instances } from './instances.js';
import type { Instance } from './instance/instance.js';
import type { Runtime } from './runtime.js';

/** Milliseconds before the record of an instance that works on is written for clients to see. */
const DELAY = 500;

/** Writes the records of instances to where clients and tools read them. */
export class Projections {
  readonly #runtime: Runtime;
  readonly #instances: Instances;
  readonly #scheduled = new Set<Instance>();

  constructor(runtime: Runtime, instances: Instances) {
    this.#runtime = runtime;
    this.#instances = instances;
  }

  /** Writes an instance's record if it has changed. @throws StorageFailure */
  async write(instance: Instance): Promise<void> {
    if (instance.isProjectionStale === false) return;
    await instance.exclusively(async () => {
      const { record } = instance.state;
      const isStale = instance.isProjectionStale;
      if (record === undefined || isStale === false) return;
      await this.#runtime.hub.project(record, isStale === undefined);
      instance.projected(record);
    });
  }

  /**
   * Writes an instance's record after a short delay, so that a busy instance is not written at every step.
   */
  writeLater(instance: Instance): void {
    if (instance.isProjectionStale === false || this.#scheduled.has(instance)) return;
    this.#scheduled.add(instance);
    setTimeout(() => {
      this.#scheduled.delete(instance);
      if (instance.isProjectionStale !== false && !this.#runtime.isStopped)
        this.#runtime.retryInBackground('a projection', () => this.write(instance));
    }, DELAY).unref();
  }

  /** Writes all records that have changed. @throws StorageFailure */
  async flush(): Promise<void> {
    await Promise.all([...this.#instances.all()].map((instance) => this.write(instance)));
  }
}
