import { changeRow, insertIfAbsent, readRow, table, type RowKey } from '../storage/index.js';
import { remindersRecord, type Reminders } from './model.js';

/** Inserts the record, unless there is one of its id. @returns the record as it now is, and whether it is this one */
export async function insertReminders(
  reminders: Reminders,
): Promise<{ reminders: Reminders; inserted: boolean }> {
  const inserted = await insertIfAbsent(await records(), keyOf(reminders.id), reminders);
  const existing = inserted ? reminders : await readReminders(reminders.id);
  if (existing === undefined) {
    throw new Error(`The reminders ${reminders.id} vanished while they were inserted`);
  }
  return { reminders: existing, inserted };
}

/** The record; `undefined` when there is none. */
export async function readReminders(id: string): Promise<Reminders | undefined> {
  const row = await readRow(await records(), keyOf(id));
  return row && remindersRecord.parse(row.columns);
}

/**
 * Changes the record by what it says.
 *
 * @param change gives `undefined` to leave the record as it is; it may be asked several times
 * @returns the record as it now is, and whether it was changed here; `undefined` when there is none
 */
export async function changeReminders(
  id: string,
  change: (reminders: Reminders) => Reminders | undefined,
): Promise<{ reminders: Reminders; changed: boolean } | undefined> {
  const result = await changeRow(await records(), keyOf(id), (columns) =>
    change(remindersRecord.parse(columns)),
  );
  return result && { reminders: remindersRecord.parse(result.columns), changed: result.changed };
}

const records = () => table('Reminders');

function keyOf(id: string): RowKey {
  return { partitionKey: id, rowKey: 'reminders' };
}
