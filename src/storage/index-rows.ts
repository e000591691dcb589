import { createHash } from 'node:crypto';
import type { TableClient } from '@azure/data-tables';
import { deleteIfUnchanged, odata, queryRows, readRow, upsert, type RowKey } from './rows.js';

/** A place at which a record can be found, besides its id. */
export interface IndexEntry {
  /** What all records of one list share, made by `keyFor` from outside text: `state-pending`. */
  partition: string;
  /** Orders the records of a partition, ascending. Those that share it, and all without it, are ordered by id. */
  row?: string;
}

/** Sorts before all that `keyFor` and ISO 8601 times are made of. */
const SEPARATOR = '!';

/** Where the entry of a record lies in the index table. */
export function entryKey({ partition, row }: IndexEntry, id: string): RowKey {
  return {
    partitionKey: shortened(partition),
    rowKey: row === undefined ? id : `${row}${SEPARATOR}${id}`,
  };
}

/** Adds or confirms an entry. Its tag changes, which keeps others from removing it by what they read before. */
export async function putEntry(table: TableClient, entry: IndexEntry, id: string): Promise<void> {
  await upsert(table, entryKey(entry, id), { id });
}

/** The tag of an entry as it is now; `undefined` when it is not there. */
export async function entryTag(
  table: TableClient,
  entry: IndexEntry,
  id: string,
): Promise<string | undefined> {
  return (await readRow(table, entryKey(entry, id)))?.etag;
}

/** Removes an entry unless it was put since its tag was read; `undefined` says that it was not there. */
export async function removeEntry(
  table: TableClient,
  entry: IndexEntry,
  id: string,
  etag: string | undefined,
): Promise<void> {
  if (etag !== undefined) await deleteIfUnchanged(table, { ...entryKey(entry, id), etag });
}

/** The ids in a partition after one row key, and the row keys at which they were found. */
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

/** A key has at most 1 KiB in UTF-16. `keyFor` never lets two _ in a row out, so this is no other text's key. */
function shortened(partition: string): string {
  return partition.length <= 500
    ? partition
    : `${partition.slice(0, 400)}__${createHash('sha256').update(partition).digest('hex')}`;
}
