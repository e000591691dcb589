import type { DurableClient } from 'durable-functions';
import type { DueRecords } from '../storage/index.js';

/**
 * A feature with supervised records: the sweep in `operations/` finds the records that are overdue by more
 * than a minute, and calls `goOn` for each. The feature exports it from its index, and is listed in
 * `operations/features.ts`.
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
  /** The feature's record store. The sweep also removes its outdated index entries. */
  readonly records: DueRecords;
  /**
   * Makes sure that the workflow of a due record runs. The sweep calls it again, after growing intervals,
   * while the record stays due. It may throw. Without it, no record is ever due.
   *
   * @returns a reason, for the operator, if the workflow must not be started again; otherwise nothing
   */
  goOn?(client: DurableClient, id: string): Promise<string | void>;
}
