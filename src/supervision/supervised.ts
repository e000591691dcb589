import type { DurableClient } from 'durable-functions';
import type { DueRecords } from '../storage/index.js';

/**
 * A feature whose records are watched: the sweep in `operations/` finds those that are due for more than a minute, and
 * has the feature go on with each. The feature exports it from its index, and is listed in `operations/features.ts`.
 *
 * @example
 * export const supervised: Supervised = {
 *   name: 'orders',
 *   records: orders,
 *   goOn: async (client, id) => {
 *     await ensureRunning(client, orderOrchestrator, { instanceId: id, input: { id }, wake: paid });
 *   },
 * };
 */
export interface Supervised {
  /** In logs, metrics and messages to the operator. */
  readonly name: string;
  /** The feature's record store. */
  readonly records: DueRecords;
  /**
   * Makes sure that the workflow of a record that is due runs: called again, after growing intervals, while the record
   * stays due. It may throw.
   *
   * @returns why the workflow must not be started again, which the operator is sent; nothing where it could be
   */
  goOn(client: DurableClient, id: string): Promise<string | void>;
}
