import type { DurableClient } from 'durable-functions';
import type { EndedRecords } from '../storage/index.js';

/**
 * A feature whose records are removed some time after they have ended: the purge in `operations/` does that.
 * The feature exports it from its index, and is listed in `operations/features.ts`.
 *
 * @example
 * export const purgeable: Purgeable = { name: 'orders', records: orders };
 */
export interface Purgeable {
  /** In logs and metrics. */
  readonly name: string;
  /** The feature's record store, with `endedAt`. */
  readonly records: EndedRecords;
  /**
   * Removes what belongs to a record besides it, such as its blobs. It may run twice, and it may throw.
   *
   * @returns whether the record can be removed now; if not, the purge calls it again later
   */
  clear?(client: DurableClient, id: string): Promise<boolean>;
}
