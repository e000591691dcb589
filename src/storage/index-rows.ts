import { createHash } from 'node:crypto';
import type { TableClient } from '@azure/data-tables';
import moment from 'moment';
import { deleteIfUnchanged, odata, put, queryRows, readRow, type Row, type RowKey } from './rows.js';

/** An entry in an index, by which a record can be found. */
export interface IndexEntry {
  /** Names the list, such as `state-pending`. Text from outside goes through `keyFor`. */
  partition: string;
  /**
   * Orders the records of a partition, ascending. Records with the same row, or without one, are ordered by
   * id.
   */
  row?: string;
}

/** Sorts before all characters of `keyFor` and of ISO 8601 times. */
const SEPARATOR = '!';

/** The key of a record's entry in the index table. */
export function entryKey({ partition, row }: IndexEntry, id: string): RowKey {
  return {
    partitionKey: shortened(partition),
    rowKey: row === undefined ? id : `${row}${SEPARATOR}${id}`,
  };
}

/** The row of an entry that orders a partition by a time in ISO 8601, the latest first. */
export function newestFirst(time: string): string {
  return String(Number.MAX_SAFE_INTEGER - moment.utc(time).valueOf()).padStart(16, '0');
}

/**
 * Adds or confirms an entry. Its tag changes, so that others cannot remove it because of what they read
 * before.
 *
 * @returns the tag, if the entry was not there before
 */
export async function putEntry(
  table: TableClient,
  entry: IndexEntry,
  id: string,
): Promise<string | undefined> {
  return put(table, entryKey(entry, id), { id, writtenAt: moment.utc().toISOString() });
}

/** The row of an entry; `undefined` when there is no such entry. */
export async function readEntry(table: TableClient, entry: IndexEntry, id: string): Promise<Row | undefined> {
  return readRow(table, entryKey(entry, id));
}

/**
 * Removes an entry, unless it was written again since its tag was read. A tag `undefined` means that there
 * was none.
 */
export async function removeEntry(
  table: TableClient,
  entry: IndexEntry,
  id: string,
  etag: string | undefined,
): Promise<void> {
  if (etag !== undefined) await deleteIfUnchanged(table, { ...entryKey(entry, id), etag });
}

/** The ids in a partition after a row key, with their row keys. */
export async function listEntries(
  table: TableClient,
  partition: string,
  after: string,
  limit: number,
): Promise<{ id: string; rowKey: string }[]> {
  const rows = await queryRows(
    table,
    odata`PartitionKey eq ${shortened(partition)} and RowKey gt ${after}`,
    limit,
  );
  return rows.map(({ rowKey, columns }) => ({ id: String(columns['id']), rowKey }));
}

/** A key has at most 1 KiB in UTF-16. `keyFor` never makes two _ in a row, so no other text has this key. */
function shortened(partition: string): string {
  return partition.length <= 500
    ? partition
    : `${partition.slice(0, 400)}__${createHash('sha256').update(partition).digest('hex')}`;
}
