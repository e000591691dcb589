import type { TableClient } from '@azure/data-tables';
import { ignore, statusOf } from '../../storage-errors.js';
import { hintKey, parseHintKey } from './keys.js';
import type { Hint } from '../task-hub.js';

/**
 * All hints are in one partition: a change of hints is one transaction, and a scan gives the earliest hint
 * first.
 */
const PARTITION = 'hints';

/** The table `<hub>Hints`. */
export class HintsTable {
  readonly #table: TableClient;

  constructor(table: TableClient) {
    this.#table = table;
  }

  async create(): Promise<void> {
    await this.#table.createTable();
  }

  /** Adds and removes in one step; see `TaskHub.hint`. */
  async change({ add, remove }: { add?: Hint; remove?: Hint }): Promise<void> {
    const added = add && { partitionKey: PARTITION, rowKey: hintKey(add) };
    const removed = remove && { partitionKey: PARTITION, rowKey: hintKey(remove) };
    if (added === undefined) {
      if (removed !== undefined) await this.#table.deleteEntity(PARTITION, removed.rowKey).catch(ignore(404));
    } else if (removed === undefined || removed.rowKey === added.rowKey) {
      await this.#table.upsertEntity(added, 'Replace');
    } else {
      try {
        await this.#table.submitTransaction([
          ['upsert', added, 'Replace'],
          ['delete', removed],
        ]);
      } catch (error) {
        if (statusOf(error) !== 404) throw error;
        await this.#table.upsertEntity(added, 'Replace');
      }
    }
  }

  /** All hints, the earliest first. */
  async *pages(): AsyncIterable<Hint[]> {
    const rows = this.#table.listEntities({
      queryOptions: { filter: `PartitionKey eq '${PARTITION}'`, select: ['PartitionKey', 'RowKey'] },
    });
    for await (const page of rows.byPage({ maxPageSize: 1000 }))
      yield page.map(({ rowKey }) => parseHintKey(rowKey!));
  }
}
