import type { TableClient } from '@azure/data-tables';
import type { Moment } from 'moment';
import type { z } from 'zod';
import { Refusal } from '../refusals/index.js';
import { table as tableOf } from './clients.js';
import { columnsOf, recordOf } from './columns.js';
import { untilItWins } from './contention.js';
import { putOff, type DueEntry } from './due-index.js';
import { readProgress, writeProgress } from './index-progress.js';
import type { IndexEntry } from './index-rows.js';
import { RecordIndex, type Page } from './record-index.js';
import {
  deleteIfUnchanged,
  insertIfAbsent,
  odata,
  queryRows,
  readRow,
  replace,
  type Columns,
  type Row,
  type RowKey,
} from './rows.js';

/** The options of {@link recordStore}. */
export interface RecordStoreOptions<Schema extends z.ZodObject> {
  /**
   * The table of the records. Their lists are in the table `<table>Index`, and their due entries in the table that all
   * stores share, where the name of the table is their kind.
   */
  table: string;
  /**
   * The record's schema, with a string `id`. Objects and arrays are stored as JSON, up to 32,000 characters
   * each.
   */
  schema: Schema;
  /** The row key of the records, whose partition key is their id. Default: `record`. */
  rowKey?: string;
  /** The lists that contain the record. A pure function of the record. */
  indexes?: (record: z.output<Schema>) => readonly IndexEntry[];
  /**
   * Raise it when `indexes` adds a list: the sweep then puts the records of before into it. Default: 1.
   */
  indexVersion?: number;
  /**
   * The time by which something must have happened to the record, in ISO 8601, UTC; `undefined` when it is
   * final. A pure function of the record: it changes only when the record does.
   */
  dueAt?: (record: z.output<Schema>) => string | undefined;
  /**
   * Since when nothing has to happen to the record any more, in ISO 8601, UTC; `undefined` while something has. A pure
   * function of the record. With it, old records can be purged.
   */
  endedAt?: (record: z.output<Schema>) => string | undefined;
}

/** A rule returns a changed record, the same object when there is nothing to change, or a refusal. */
export type Rule<Stored> = (record: Stored) => Stored | Refusal;

/** The functions that the sweep needs for the records of a feature. */
export interface DueRecords {
  /** The kind of their entries in the due index. */
  readonly kind: string;
  /**
   * Whether the record is still due at the entry's time. If not, the entry is removed as soon as that is
   * safe.
   */
  holds(entry: DueEntry, at: Moment): Promise<boolean>;
  /** Moves the entry to a later time. */
  putOff(
    entry: DueEntry,
    until: Moment,
    learnt: Partial<Pick<DueEntry, 'attempts' | 'reported'>>,
  ): Promise<void>;
  /**
   * Adds up to `limit` records to the index that are older than it. The index stores the progress, so that the next call
   * continues. To build an index again, delete its row with the partition key `indexed` from the table of the due entries,
   * and restart the app.
   *
   * @returns how many records it has read: 0 once all are in the index
   */
  indexOlder?(limit: number): Promise<number>;
}

/** The functions that the purge needs for the records of a feature. */
export interface EndedRecords {
  /** A page of the records that ended before a time, the oldest first. It costs what it returns. */
  ended(until: Moment, options: { top: number; after?: string | undefined }): Promise<Page<{ id: string }>>;
  /**
   * Removes a record and its index entries, if it ended before a time. Interrupted at any point, it leaves entries that no
   * list shows and that the sweep removes.
   *
   * @returns whether there is no such record any more
   */
  remove(id: string, until: Moment): Promise<boolean>;
}

/** The records of a feature. */
export interface RecordStore<Stored> extends Required<DueRecords>, EndedRecords {
  /**
   * Inserts a record, unless there is one with its id.
   *
   * @param options.isNew whether the caller knows that there is none: then this does not look first
   * @returns the stored record, and whether it was inserted here
   */
  insert(record: Stored, options?: { isNew?: boolean }): Promise<{ record: Stored; inserted: boolean }>;
  /** The record; `undefined` when there is none. */
  read(id: string): Promise<Stored | undefined>;
  /**
   * Changes a record by a rule, if there was no other change meanwhile; otherwise it calls the rule again.
   *
   * @param which the id; or the record as this store returned it, which saves a read: the rule gets that record first
   * @returns the stored record and whether it was changed here; the refusal of the rule; `undefined` when there is no such record
   * @throws {TryLaterError} when other changes were always faster
   */
  change(
    which: string | Stored,
    rule: Rule<Stored>,
  ): Promise<{ record: Stored; changed: boolean } | Refusal | undefined>;
  /** A page of the records listed in a partition, in the order of the index. It costs what it returns. */
  list(partition: string, options: { top: number; after?: string | undefined }): Promise<Page<Stored>>;
}

/**
 * A feature's records, one a row: inserted once, changed by rules, listed by index, and due at times.
 *
 * @example
 * export const orders = recordStore({
 *   table: 'Orders',
 *   schema: order,
 *   indexes: ({ state, customer }) => [
 *     { partition: `state-${state}` },
 *     { partition: `customer-${keyFor(customer)}` },
 *   ],
 *   dueAt: ({ state, payBy }) => (state === 'awaits payment' ? payBy : undefined),
 * });
 *
 * const { record, inserted } = await orders.insert(newOrder);
 * const cancelled = await orders.change(id, (order) => cancel(order, moment.utc()));
 * const page = await orders.list('state-paid', { top: 50 });
 */
export function recordStore<Schema extends z.ZodObject>(
  options: RecordStoreOptions<Schema>,
): RecordStore<z.output<Schema> & { id: string }> {
  type Stored = z.output<Schema> & { id: string };
  const { schema, dueAt = () => undefined, endedAt = () => undefined, indexVersion = 1 } = options;
  const indexes = (record: Stored): readonly IndexEntry[] => {
    const ended = endedAt(record);
    const listed = options.indexes?.(record) ?? [];
    return ended === undefined ? listed : [...listed, { partition: ENDED, row: ended }];
  };
  const records = (): Promise<TableClient> => tableOf(options.table);
  const keyOf = (id: string): RowKey => ({ partitionKey: id, rowKey: options.rowKey ?? 'record' });
  const decode = (columns: Columns): Stored => recordOf(schema, columns) as Stored;
  /** The rows from which records were read, or to which they were written, with their tags. */
  const rowsOf = new WeakMap<Stored, Row>();

  function recordIn(row: Row): Stored {
    const record = decode(row.columns);
    rowsOf.set(record, row);
    return record;
  }

  /** A row that holds no record of the schema has no place in an index. */
  function decodeIfValid(columns: Columns): Stored | undefined {
    try {
      return decode(columns);
    } catch {
      return undefined;
    }
  }

  async function read(id: string): Promise<Stored | undefined> {
    const row = await readRow(await records(), keyOf(id));
    return row && recordIn(row);
  }

  function isEnded(record: Stored, until: Moment): boolean {
    const ended = endedAt(record);
    return ended !== undefined && until.isAfter(ended);
  }

  /** Names the progress of {@link DueRecords.indexOlder}. */
  const indexName = `${options.table}-${indexVersion}`;

  const index = new RecordIndex<Stored>({
    kind: options.table,
    table: () => tableOf(`${options.table}Index`),
    read,
    indexes,
    dueAt,
  });

  return {
    kind: options.table,
    read,

    async insert(record, { isNew = false } = {}) {
      const existing = isNew ? undefined : await read(record.id);
      if (existing !== undefined) {
        return { record: existing, inserted: false };
      }
      const { finish, undo } = await index.prepare(undefined, record);
      if (await insertIfAbsent(await records(), keyOf(record.id), columnsOf(record))) {
        await tidied(finish());
        return { record, inserted: true };
      }
      const first = await read(record.id);
      if (first === undefined) {
        throw new Error(`The record ${record.id} was deleted while it was inserted`);
      }
      await tidied(undo(first));
      return { record: first, inserted: false };
    },

    async change(which, rule) {
      const id = typeof which === 'string' ? which : which.id;
      let known = typeof which === 'string' ? undefined : which;
      /** Tidies up after a write that was refused, when the record as it is now has been read. */
      let lost: ((now: Stored | undefined) => Promise<void>) | undefined;
      const { result } = await untilItWins(`the record ${id}`, async () => {
        const record = known !== undefined && rowsOf.has(known) ? known : await read(id);
        known = undefined;
        if (lost !== undefined) await tidied(lost(record));
        lost = undefined;
        if (record === undefined) return { result: undefined };
        const row = rowsOf.get(record)!;
        const next = rule(record);
        if (next instanceof Refusal) return { result: next };
        if (next === record) return { result: { record, changed: false } };
        const { finish, undo } = await index.prepare(record, next);
        const written = { ...row, columns: columnsOf(next) };
        const etag = await replace(await records(), written);
        if (etag !== undefined) {
          rowsOf.set(next, { ...written, etag });
          await tidied(finish());
          return { result: { record: next, changed: true } };
        }
        lost = undo;
        return undefined;
      });
      return result;
    },

    list: (partition, page) => index.list(partition, page),

    async ended(until, which) {
      const page = await index.list(ENDED, which);
      const old = page.records.filter((record) => isEnded(record, until));
      // The rest of the list is younger than a record that is too young.
      return old.length < page.records.length ? { records: old } : page;
    },

    async remove(id, until) {
      const { removed } = await untilItWins(`the record ${id}`, async () => {
        const row = await readRow(await records(), keyOf(id));
        if (row === undefined) return { removed: true };
        const record = decode(row.columns);
        if (!isEnded(record, until)) return { removed: false };
        const { finish, undo } = await index.prepare(record, undefined);
        const deleted = await deleteIfUnchanged(await records(), row);
        const now = deleted ? undefined : await read(id);
        await tidied(now === undefined ? finish() : undo(now));
        return now === undefined ? { removed: true } : undefined;
      });
      return removed;
    },

    holds: (entry, at) => index.holds(entry, at),
    putOff,

    async indexOlder(limit) {
      const { after, done } = await readProgress(indexName);
      if (done) {
        return 0;
      }
      const rows = await queryRows(await records(), odata`PartitionKey gt ${after}`, limit);
      for (const row of rows) {
        const record = row.rowKey === keyOf('').rowKey && decodeIfValid(row.columns);
        if (record) await index.add(record);
      }
      await writeProgress(indexName, {
        after: rows.at(-1)?.partitionKey ?? after,
        done: rows.length < limit,
      });
      return rows.length;
    },
  };
}

/** The list of the records that have ended, the oldest first. */
const ENDED = 'ended';

/** Waits for a removal. If it fails, the change itself was made, and the sweep removes the entries later. */
async function tidied(removal: Promise<void>): Promise<void> {
  await removal.catch(() => {});
}
