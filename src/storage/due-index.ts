import type { TableClient } from '@azure/data-tables';
import moment, { type Moment } from 'moment';
import { table } from './clients.js';
import type { IndexEntry } from './index-rows.js';
import { deleteIfUnchanged, odata, put, queryRows, upsert, type Row, type RowKey } from './rows.js';

/**
 * The table of the due entries of all features. They are in one partition, in the order of their times, so that one query
 * finds what is due.
 */
const TABLE = 'Due';
const PARTITION = 'due';
/** Sorts before all characters of ISO 8601 times. */
const SEPARATOR = '!';

/** The most rows in one answer of the table service. */
const PAGE = 1000;
/** A filter may have 15 comparisons; three of them select the range of times. */
const MOST_EXCLUDED = 12;

/** An entry of the due index: by `due` something must have happened to the record. */
export interface DueEntry {
  /** Which records the entry is about: the table of their store. */
  kind: string;
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
  touches: () => IndexEntry[];
  /** The row, as it was read. */
  row: Row;
}

/** Identifies the due entry that {@link putDue} writes. */
export type DueKey = Pick<DueEntry, 'kind' | 'id' | 'due'>;

/** The table of the due entries of all features. */
export const dueTable = (): Promise<TableClient> => table(TABLE);

/** The key of a due entry in its table. */
export function dueKey({ kind, id, due }: DueKey): RowKey {
  return { partitionKey: PARTITION, rowKey: [due, kind, id].join(SEPARATOR) };
}

/**
 * Writes the due entry of a record. Writing it again resets its attempts.
 *
 * @returns the tag, if the entry was not there before
 */
export async function putDue(
  { kind, id, due }: DueKey,
  touches: readonly IndexEntry[],
  at: Moment,
): Promise<string | undefined> {
  return put(await dueTable(), dueKey({ kind, id, due }), {
    kind,
    id,
    due,
    writtenAt: at.toISOString(),
    attempts: 0,
    reported: false,
    touches: JSON.stringify(touches),
  });
}

/**
 * The entries whose time, or the time to which they were moved, is before `until`, by their kind; the oldest first. It is
 * one query as long as fewer than 1,000 entries are due. When there are more, the queries that follow leave out the kinds
 * that have reached their limit: so entries of one kind, however many and however old, hide no entries of another.
 *
 * @param limitOf how many entries of a kind to return. A kind with the limit 0 is in the result without entries
 */
export async function listDue(
  until: Moment,
  limitOf: (kind: string) => number,
): Promise<Map<string, DueEntry[]>> {
  const due = await dueTable();
  const found = new Map<string, DueEntry[]>();
  for (let after = '', full: string[] = []; ;) {
    const range = odata`PartitionKey eq ${PARTITION} and RowKey gt ${after} and RowKey lt ${until.toISOString()}`;
    const others = full.slice(0, MOST_EXCLUDED).map((kind) => odata`kind ne ${kind}`);
    const rows = await queryRows(due, [range, ...others].join(' and '), PAGE);
    for (const row of rows) {
      const entry = entryOf(row);
      const entries = found.get(entry.kind) ?? [];
      if (entries.length < limitOf(entry.kind)) entries.push(entry);
      found.set(entry.kind, entries);
    }
    if (rows.length < PAGE) {
      return found;
    }
    after = rows.at(-1)!.rowKey;
    full = [...found].filter(([kind, entries]) => entries.length >= limitOf(kind)).map(([kind]) => kind);
  }
}

/**
 * Moves an entry to a later time, with the sweep's results. An interruption leaves both entries, which is
 * harmless.
 */
export async function putOff(
  { kind, id, row }: DueEntry,
  until: Moment,
  learnt: Partial<Pick<DueEntry, 'attempts' | 'reported'>> = {},
): Promise<void> {
  const due = await dueTable();
  const to = dueKey({ kind, id, due: moment.utc(until).toISOString() });
  await upsert(due, to, { ...row.columns, ...learnt });
  await deleteIfUnchanged(due, row);
}

/** Removes an entry, whatever its state is. */
export async function removeDueEntry(entry: DueKey): Promise<void> {
  await deleteIfUnchanged(await dueTable(), { ...dueKey(entry), etag: '*' });
}

/** Removes an entry unless it has changed since it was read. */
export async function removeDue({ row }: DueEntry): Promise<void> {
  await deleteIfUnchanged(await dueTable(), row);
}

function entryOf(row: Row): DueEntry {
  const { kind, id, due, writtenAt, attempts, reported, touches } = row.columns;
  return {
    kind: String(kind),
    id: String(id),
    due: String(due),
    writtenAt: String(writtenAt),
    attempts: Number(attempts),
    reported: reported === true,
    // Read late, so that one unreadable entry does not hide the others.
    touches: () => JSON.parse(String(touches)) as IndexEntry[],
    row,
  };
}
