import type { TableClient } from '@azure/data-tables';
import { dueTable } from './due-index.js';
import { odata, queryRows, upsert } from './rows.js';

const PARTITION = 'indexed';
/** More stores than an app has. */
const MOST = 1000;

/** How many of the older records of a store are in its index. */
export interface Progress {
  /** The partition key of the last record that was read. */
  after: string;
  /** Whether the index has all records. */
  done: boolean;
}

/** The progress of all stores, by the table of the due entries: read once while the process lives. */
const known = new WeakMap<TableClient, Map<string, Progress>>();

/** The progress of a store. @param name the store with the version of its index */
export async function readProgress(name: string): Promise<Progress> {
  const table = await dueTable();
  let all = known.get(table);
  if (all === undefined) {
    const rows = await queryRows(table, odata`PartitionKey eq ${PARTITION}`, MOST);
    all = new Map(
      rows.map(({ rowKey, columns }) => [
        rowKey,
        { after: String(columns['after']), done: columns['done'] === true },
      ]),
    );
    known.set(table, all);
  }
  return all.get(name) ?? { after: '', done: false };
}

/** Stores the progress of a store. */
export async function writeProgress(name: string, progress: Progress): Promise<void> {
  const table = await dueTable();
  await upsert(table, { partitionKey: PARTITION, rowKey: name }, { ...progress });
  known.get(table)?.set(name, progress);
}
