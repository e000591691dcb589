import { randomUUID } from 'node:crypto';
import type { TableClient } from '@azure/data-tables';
import moment, { type Moment } from 'moment';
import { dueKey, dueTable, putDue, putOff, removeDue, type DueEntry } from './due-index.js';
import { entryKey, listEntries, putEntry, readEntry, removeEntry, type IndexEntry } from './index-rows.js';
import { deleteIfUnchanged, readRow, type RowKey } from './rows.js';

/** After this time a change that wrote an entry has ended: no function of the app may run so long. */
const SETTLED_AFTER = moment.duration(1, 'hour');
/** How often a page reads the index until it is full. Only entries of interrupted changes make it read twice. */
const ROUNDS = 3;

/** A page of a list. */
export interface Page<Stored> {
  records: Stored[];
  /** Pass it as `after` to get the next page; absent on the last. */
  continuation?: string;
}

/** The functions that {@link RecordIndex} needs for the records. */
interface Indexed<Stored> {
  /** Names the records in the due index, which all stores share. */
  kind: string;
  /** The table of the other entries. */
  table: () => Promise<TableClient>;
  read: (id: string) => Promise<Stored | undefined>;
  indexes: (record: Stored) => readonly IndexEntry[];
  dueAt: (record: Stored) => string | undefined;
}

/** Where a row of an index is. */
interface Place {
  table: TableClient;
  key: RowKey;
}

/**
 * The index of a record store. A change of a record may be interrupted at any point. It first writes the due entry, which
 * lists all other entries that the change touches, then the new entries, then the record. After that it removes the old
 * entries, the due entry last. So an entry that is right is never missing, but a wrong one may exist: readers check each
 * entry against the record, and the sweep finds wrong entries by the due entry and removes them.
 */
export class RecordIndex<Stored extends { id: string }> {
  readonly #of: Indexed<Stored>;

  constructor(of: Indexed<Stored>) {
    this.#of = of;
  }

  /**
   * Adds the entries that `next` has and `previous` does not, the due entry first. Without `next`, the record is to be
   * removed.
   *
   * @returns functions for after the write: if it succeeded, and if not. `undo` keeps what the record has as it is now: a
   * write of which the answer was lost is repeated, and then refused because of itself
   */
  async prepare(
    previous: Stored | undefined,
    next: Stored | undefined,
  ): Promise<{ finish: () => Promise<void>; undo: (now: Stored | undefined) => Promise<void> }> {
    const { kind, indexes, dueAt } = this.#of;
    const { id } = (next ?? previous)!;
    const [before, after] = [previous, next].map((record) =>
      record === undefined ? [] : indexes(record),
    ) as [IndexEntry[], IndexEntry[]];
    const added = after.filter((entry) => !has(before, entry));
    const removed = before.filter((entry) => !has(after, entry));
    const [wasDue, isDue] = [previous && dueAt(previous), next && dueAt(next)];
    const moves = added.length + removed.length > 0;
    if (!moves && wasDue === isDue) {
      return { finish: async () => {}, undo: async () => {} };
    }
    const placeOf = async (entry: IndexEntry): Promise<Place> => ({
      table: await this.#of.table(),
      key: entryKey(entry, id),
    });
    const placeOfDue = async (time: string): Promise<Place> => ({
      table: await dueTable(),
      key: dueKey({ kind, id, due: time }),
    });
    const at = moment.utc();
    // Without a new due time, a due entry for now lists the touched entries. The end of the change removes it.
    const due = isDue !== undefined && isDue !== wasDue ? isDue : `${at.toISOString()}+${randomUUID()}`;
    const written = moves || due === isDue ? [due] : [];
    /** What this change has created itself. Entries that were there before may be those of a change at the same time. */
    const created: [Place, tag: string | undefined, isOf: (record: Stored) => boolean][] = [];
    for (const each of written) {
      const tag = await putDue({ kind, id, due: each }, [...after, ...removed], at);
      created.push([await placeOfDue(each), tag, (record) => dueAt(record) === each]);
    }
    // The key of an entry for now is new, so that nobody else writes it, and its tag is known.
    const [forNow] = due === isDue ? [] : created;
    await Promise.all(
      added.map(async (entry) => {
        const place = await placeOf(entry);
        const tag = await putEntry(place.table, entry, id);
        created.unshift([place, tag, (record) => has(indexes(record), entry)]);
      }),
    );
    const outdated = [...(wasDue === undefined ? [] : [wasDue]), ...written].filter((each) => each !== isDue);
    // The due entries last, because they list the others.
    const leaving = await Promise.all([...removed.map(placeOf), ...outdated.map(placeOfDue)]);
    // The current tags: a later change that makes an entry right again writes it, which changes its tag.
    const left = await Promise.all(
      leaving.map(async (place) => {
        const tag = place.key.rowKey === forNow?.[0].key.rowKey ? forNow[1] : undefined;
        return [place, tag ?? (await readRow(place.table, place.key))?.etag] as const;
      }),
    );
    return {
      finish: () => remove(left),
      undo: (now) => remove(created.filter(([, , isOf]) => now === undefined || !isOf(now))),
    };
  }

  /** A page of the records listed in a partition, in the order of the index. */
  async list(
    partition: string,
    { top, after = '' }: { top: number; after?: string | undefined },
  ): Promise<Page<Stored>> {
    const records: Stored[] = [];
    let continuation = after;
    for (let round = 0; round < ROUNDS && records.length < top; round += 1) {
      const wanted = top - records.length;
      // One more than requested shows whether there is a next page.
      const entries = await listEntries(await this.#of.table(), partition, continuation, wanted + 1);
      const found = await Promise.all(
        entries.slice(0, wanted).map(async ({ id, rowKey }) => {
          const record = await this.#of.read(id);
          const holds =
            record !== undefined &&
            this.#of
              .indexes(record)
              .some((entry) => entry.partition === partition && entryKey(entry, id).rowKey === rowKey);
          return holds ? record : undefined;
        }),
      );
      records.push(...found.filter((record) => record !== undefined));
      if (entries.length <= wanted) {
        return { records };
      }
      continuation = entries[wanted - 1]!.rowKey;
    }
    return { records, continuation };
  }

  /**
   * Whether the record is still due at the entry's time. If not, the entry and the wrong ones that it lists are removed as
   * soon as that is safe.
   */
  async holds(entry: DueEntry, at: Moment): Promise<boolean> {
    const record = await this.#of.read(entry.id);
    if (record !== undefined && this.#of.dueAt(record) === entry.due) {
      return true;
    }
    const settled = settledAt(entry.writtenAt);
    if (at.isBefore(settled)) {
      await putOff(entry, settled);
      return false;
    }
    await this.#removeWrong(entry, at);
    await removeDue(entry);
    return false;
  }

  /** Writes all entries of a record that may have none. */
  async add(record: Stored): Promise<void> {
    const { id } = record;
    const { kind, indexes, dueAt } = this.#of;
    const touches = indexes(record);
    const at = moment.utc();
    await putDue({ kind, id, due: dueAt(record) ?? at.toISOString() }, touches, at);
    await Promise.all(touches.map(async (entry) => putEntry(await this.#of.table(), entry, id)));
  }

  /** Removes the entries that a due entry lists and that are wrong. A change that is under way may have written one of them again: then it is new. */
  async #removeWrong({ id, touches }: DueEntry, at: Moment): Promise<void> {
    const table = await this.#of.table();
    for (const entry of touches()) {
      const row = await readEntry(table, entry, id);
      if (row !== undefined && !at.isBefore(settledAt(row.columns['writtenAt']))) {
        // The record after the entry: a change that makes the entry right after the record was read changes the tag.
        const record = await this.#of.read(id);
        if (record === undefined || !has(this.#of.indexes(record), entry)) {
          await removeEntry(table, entry, id, row.etag);
        }
      }
    }
  }
}

/** When the change that wrote an entry has ended. */
function settledAt(writtenAt: unknown): Moment {
  return moment.utc(String(writtenAt)).add(SETTLED_AFTER);
}

function has(entries: readonly IndexEntry[], { partition, row }: IndexEntry): boolean {
  return entries.some((entry) => entry.partition === partition && entry.row === row);
}

/** Removes rows, one after the other, that have not changed. */
async function remove(
  places: readonly (readonly [Place, tag: string | undefined, ...rest: unknown[]])[],
): Promise<void> {
  for (const [{ table, key }, etag] of places) {
    if (etag !== undefined) await deleteIfUnchanged(table, { ...key, etag });
  }
}
