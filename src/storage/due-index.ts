import type { TableClient } from '@azure/data-tables';
import moment, { type Moment } from 'moment';
import { entryKey, type IndexEntry } from './index-rows.js';
import { deleteIfUnchanged, odata, put, queryRows, upsert, type Row } from './rows.js';

/** The partition of all due entries of an index table. */
const PARTITION = 'due';

/** An entry of the due index: by `due` something must have happened to the record. */
export interface DueEntry {
  id: string;
  /** ISO 8601, UTC. */
  due: string;
  /** When the entry was first written, in ISO 8601. */
  writtenAt: string;
  /** How often the sweep has found the record still due. */
  attempts: number;
  /** Whether the operator was notified. */
  reported: boolean;
  /** All index entries that the change which wrote this entry may have left, if it was interrupted. */
  touches: IndexEntry[];
  /** The row, as it was read. */
  row: Row;
}

/**
 * Writes the due entry of a record. Writing it again resets its attempts.
 *
 * @returns the tag, if the entry was not there before
 */
export async function putDue(
  table: TableClient,
  { id, due, touches, at }: { id: string; due: string; touches: readonly IndexEntry[]; at: Moment },
): Promise<string | undefined> {
  return put(table, entryKey({ partition: PARTITION, row: due }, id), {
    id,
    due,
    writtenAt: at.toISOString(),
    attempts: 0,
    reported: false,
    touches: JSON.stringify(touches),
  });
}

/** The index entry that {@link putDue} writes. */
export function dueEntry(due: string): IndexEntry {
  return { partition: PARTITION, row: due };
}

/**
 * Up to `limit` entries whose time, or the time to which they were moved, is before `until`; the oldest
 * first.
 */
export async function listDue(table: TableClient, until: Moment, limit: number): Promise<DueEntry[]> {
  const rows = await queryRows(
    table,
    odata`PartitionKey eq ${PARTITION} and RowKey lt ${until.toISOString()}`,
    limit,
  );
  return rows.map((row) => ({
    id: String(row.columns['id']),
    due: String(row.columns['due']),
    writtenAt: String(row.columns['writtenAt']),
    attempts: Number(row.columns['attempts']),
    reported: row.columns['reported'] === true,
    touches: JSON.parse(String(row.columns['touches'])) as IndexEntry[],
    row,
  }));
}

/**
 * Moves an entry to a later time, with the sweep's results. An interruption leaves both entries, which is
 * harmless.
 */
export async function putOff(
  table: TableClient,
  { id, row }: DueEntry,
  until: Moment,
  learnt: Partial<Pick<DueEntry, 'attempts' | 'reported'>> = {},
): Promise<void> {
  const to = entryKey(dueEntry(moment.utc(until).toISOString()), id);
  await upsert(table, to, { ...row.columns, ...learnt });
  await deleteIfUnchanged(table, row);
}

/** Removes an entry unless it has changed since it was read. */
export async function removeDue(table: TableClient, { row }: DueEntry): Promise<void> {
  await deleteIfUnchanged(table, row);
}
