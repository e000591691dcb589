import { randomUUID } from 'node:crypto';
import type { TableClient } from '@azure/data-tables';
import moment, { type Moment } from 'moment';
import type { z } from 'zod';
import { Refusal } from '../refusals/index.js';
import { table as tableOf } from './clients.js';
import { columnsOf, recordOf } from './columns.js';
import { untilItWins } from './contention.js';
import { dueEntry, listDue, putDue, putOff, removeDue, type DueEntry } from './due-index.js';
import { entryKey, entryTag, listEntries, putEntry, removeEntry, type IndexEntry } from './index-rows.js';
import { insertIfAbsent, readRow, replaceIfUnchanged, type Columns, type RowKey } from './rows.js';

/** The options of {@link recordStore}. */
export interface RecordStoreOptions<Schema extends z.ZodObject> {
  /** The table of the records. Their indexes are in the table `<table>Index`. */
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
   * The time by which something must have happened to the record, in ISO 8601, UTC; `undefined` when it is
   * final. A pure function of the record: it changes only when the record does.
   */
  dueAt?: (record: z.output<Schema>) => string | undefined;
}

/** A rule returns a changed record, the same object when there is nothing to change, or a refusal. */
export type Rule<Stored> = (record: Stored) => Stored | Refusal;

/** A page of a list. */
export interface Page<Stored> {
  records: Stored[];
  /** Pass it as `after` to get the next page; absent on the last. */
  continuation?: string;
}

/** The functions that the sweep needs for the records of a feature. */
export interface DueRecords {
  /** Entries whose time is before `until`, the oldest first. */
  due(until: Moment, limit: number): Promise<DueEntry[]>;
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
}

/** The records of a feature. */
export interface RecordStore<Stored> extends DueRecords {
  /**
   * Inserts a record, unless there is one with its id.
   *
   * @returns the stored record, and whether it was inserted here
   */
  insert(record: Stored): Promise<{ record: Stored; inserted: boolean }>;
  /** The record; `undefined` when there is none. */
  read(id: string): Promise<Stored | undefined>;
  /**
   * Changes a record by a rule, if there was no other change meanwhile; otherwise it calls the rule again.
   *
   * @returns the stored record and whether it was changed here; the refusal of the rule; `undefined` when there is no such record
   * @throws {TryLaterError} when other changes were always faster
   */
  change(id: string, rule: Rule<Stored>): Promise<{ record: Stored; changed: boolean } | Refusal | undefined>;
  /** A page of the records listed in a partition, in the order of the index. It costs what it returns. */
  list(partition: string, options: { top: number; after?: string | undefined }): Promise<Page<Stored>>;
}

/** After this time a change that wrote an entry has ended: no function of the app may run so long. */
const SETTLED_AFTER = moment.duration(1, 'hour');
/**
 * How often a page reads the index until it is full. Only entries of interrupted changes make it read twice.
 */
const ROUNDS = 3;

/**
 * A feature's records, one a row: inserted once, changed by rules, listed by index, and due at times.
 *
 * A change may be interrupted at any point. It first writes the due entry, which lists all other entries that
 * the change touches, then the new entries, then the record. After that it removes the old entries, the due
 * entry last. So an entry that is right is never missing, but a wrong one may exist: readers check each entry
 * against the record, and the sweep finds wrong entries by the due entry and removes them.
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
  const { schema, indexes = () => [], dueAt = () => undefined } = options;
  const records = (): Promise<TableClient> => tableOf(options.table);
  const index = (): Promise<TableClient> => tableOf(`${options.table}Index`);
  const keyOf = (id: string): RowKey => ({ partitionKey: id, rowKey: options.rowKey ?? 'record' });
  const decode = (columns: Columns): Stored => recordOf(schema, columns) as Stored;

  async function read(id: string): Promise<Stored | undefined> {
    const row = await readRow(await records(), keyOf(id));
    return row && decode(row.columns);
  }

  /**
   * Adds the entries that `next` has and `previous` does not, the due entry first.
   *
   * @returns functions for after the write: if it succeeded, and if not
   */
  async function prepare(
    previous: Stored | undefined,
    next: Stored,
  ): Promise<Record<'finish' | 'undo', () => Promise<void>>> {
    const { id } = next;
    const [before, after] = [previous === undefined ? [] : indexes(previous), indexes(next)];
    const added = after.filter((entry) => !has(before, entry));
    const removed = before.filter((entry) => !has(after, entry));
    const [wasDue, isDue] = [previous && dueAt(previous), dueAt(next)];
    const listed = added.length + removed.length > 0;
    if (!listed && wasDue === isDue) {
      return { finish: async () => {}, undo: async () => {} };
    }
    const rows = await index();
    const at = moment.utc();
    // Without a new due time, a due entry for now lists the touched entries. The end of the change removes
    // it.
    const due = isDue !== undefined && isDue !== wasDue ? isDue : `${at.toISOString()}+${randomUUID()}`;
    const written = listed || due === isDue ? [due] : [];
    for (const each of written) {
      await putDue(rows, { id, due: each, touches: [...after, ...removed], at });
    }
    await Promise.all(added.map(async (entry) => putEntry(rows, entry, id)));
    const outdated = [...(wasDue === undefined ? [] : [wasDue]), ...written].filter((each) => each !== isDue);
    // The due entries last, because they list the others.
    const leaving = [...removed, ...outdated.map(dueEntry)];
    // The current tags: a later change that makes an entry right again writes it, which changes its tag.
    const tags = await Promise.all(leaving.map(async (entry) => entryTag(rows, entry, id)));
    return {
      finish: async () => {
        for (const [place, entry] of leaving.entries()) await removeEntry(rows, entry, id, tags[place]);
      },
      undo: () => removeWhatDoesNotHold(id, [...added, ...written.map(dueEntry)]),
    };
  }

  async function removeWhatDoesNotHold(id: string, entries: readonly IndexEntry[]): Promise<void> {
    const rows = await index();
    for (const entry of entries) {
      // The tag first: a change that makes the entry right after the record was read changes the tag.
      const tag = await entryTag(rows, entry, id);
      const record = tag && (await read(id));
      if (!record || !holdsNow(record, entry)) await removeEntry(rows, entry, id, tag);
    }
  }

  function holdsNow(record: Stored, entry: IndexEntry): boolean {
    const due = dueAt(record);
    return has([...indexes(record), ...(due === undefined ? [] : [dueEntry(due)])], entry);
  }

  return {
    read,

    async insert(record) {
      const existing = await read(record.id);
      if (existing !== undefined) {
        return { record: existing, inserted: false };
      }
      const { finish, undo } = await prepare(undefined, record);
      if (await insertIfAbsent(await records(), keyOf(record.id), columnsOf(record))) {
        await tidied(finish());
        return { record, inserted: true };
      }
      const first = await read(record.id);
      if (first === undefined) {
        throw new Error(`The record ${record.id} was deleted while it was inserted`);
      }
      await tidied(undo());
      return { record: first, inserted: false };
    },

    async change(id, rule) {
      const { result } = await untilItWins(`the record ${id}`, async () => {
        const row = await readRow(await records(), keyOf(id));
        if (row === undefined) {
          return { result: undefined };
        }
        const record = decode(row.columns);
        const next = rule(record);
        if (next instanceof Refusal) {
          return { result: next };
        }
        if (next === record) {
          return { result: { record, changed: false } };
        }
        const { finish, undo } = await prepare(record, next);
        if (await replaceIfUnchanged(await records(), { ...row, columns: columnsOf(next) })) {
          await tidied(finish());
          return { result: { record: next, changed: true } };
        }
        await tidied(undo());
        return undefined;
      });
      return result;
    },

    async list(partition, { top, after = '' }) {
      const found: Stored[] = [];
      let from = after;
      for (let round = 0; round < ROUNDS; round += 1) {
        // One more than requested shows whether there is a next page.
        const entries = await listEntries(await index(), partition, from, top - found.length + 1);
        const last = entries.length > top - found.length ? entries[top - found.length - 1] : undefined;
        const listed = await Promise.all(
          entries.slice(0, top - found.length).map(async ({ id, rowKey }) => {
            const record = await read(id);
            return record &&
              indexes(record).some(
                (entry) => entry.partition === partition && entryKey(entry, id).rowKey === rowKey,
              )
              ? record
              : undefined;
          }),
        );
        found.push(...listed.filter((record) => record !== undefined));
        if (last === undefined) {
          return { records: found };
        }
        from = last.rowKey;
        if (found.length === top) break;
      }
      return { records: found, continuation: from };
    },

    async due(until, limit) {
      return listDue(await index(), until, limit);
    },

    async holds(entry, at) {
      const record = await read(entry.id);
      if (record !== undefined && dueAt(record) === entry.due) {
        return true;
      }
      const rows = await index();
      const settled = moment.utc(entry.writtenAt).add(SETTLED_AFTER);
      if (at.isBefore(settled)) {
        await putOff(rows, entry, settled);
        return false;
      }
      await removeWhatDoesNotHold(entry.id, entry.touches);
      await removeDue(rows, entry);
      return false;
    },

    async putOff(entry, until, learnt) {
      await putOff(await index(), entry, until, learnt);
    },
  };
}

function has(entries: readonly IndexEntry[], { partition, row }: IndexEntry): boolean {
  return entries.some((entry) => entry.partition === partition && entry.row === row);
}

/** Waits for a removal. If it fails, the change itself was made, and the sweep removes the entries later. */
async function tidied(removal: Promise<void>): Promise<void> {
  await removal.catch(() => {});
}
