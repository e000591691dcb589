import type { PurgeFilter } from '../client.js';
import { isEntity } from '../entities/entity-messages.js';
import { isFinished } from '../history.js';
import type { Instances } from './instances.js';
import type { Reads } from './reads.js';
import { CATEGORY, type Runtime } from './runtime.js';

/** Removes instances. */
export class Purges {
  readonly #runtime: Runtime;
  readonly #instances: Instances;
  readonly #reads: Reads;

  constructor(runtime: Runtime, instances: Instances, reads: Reads) {
    this.#runtime = runtime;
    this.#instances = instances;
    this.#reads = reads;
  }

  /** Removes one instance, unless it is live. */
  async purge(instanceId: string): Promise<'purged' | 'notFound' | 'live'> {
    return this.#runtime.running.run(async () => {
      const record = await this.#reads.record(instanceId);
      if (record === undefined) return 'notFound';
      // An entity is Running as long as it is there.
      if (!isFinished(record.runtimeStatus) && !isEntity(instanceId)) return 'live';
      const instance = this.#instances.get(instanceId);
      await instance.whenAtRest();
      let result: 'purged' | 'live' = 'live';
      await instance.exclusively(async () => {
        // A client may be starting it again. A start that comes later waits for the end of the purge.
        if (instance.isInUse) return;
        await this.#runtime.hub.purge(instanceId);
        result = 'purged';
        if (instance.isInUse) instance.unload();
        else this.#instances.forget(instance);
        this.#runtime.purged(instanceId);
      });
      return result;
    });
  }

  /** Removes the finished instances that match. @returns how many */
  async purgeBy(filter: PurgeFilter): Promise<number> {
    // As in production a caller can name finished states only; without one of them all instances match.
    const runtimeStatus = (filter.runtimeStatus ?? []).filter(isFinished);
    let purged = 0;
    let spared = 0;
    for (let from: string | undefined; ;) {
      const page = await this.#reads.query({
        ...filter,
        runtimeStatus,
        top: 100,
        ...(from !== undefined && { from }),
      });
      for (const record of page.records) {
        if (!isFinished(record.runtimeStatus)) spared++;
        else if ((await this.purge(record.instanceId)) === 'purged') purged++;
      }
      if (page.next === undefined) break;
      from = page.next;
    }
    if (spared > 0) {
      this.#runtime.log(
        'warning',
        CATEGORY,
        `A purge by time left ${spared} live ${spared === 1 ? 'instance' : 'instances'} alone. Production purges these, too: name the runtimeStatus of what is to go.`,
      );
    }
    return purged;
  }
}
