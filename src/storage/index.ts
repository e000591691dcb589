/** The only code that makes storage clients, and keys from outside text. */
export { queue, table } from './clients.js';
export { untilItWins } from './contention.js';
export { dueEntry, listDue, putDue, putOff, removeDue, type DueEntry } from './due-index.js';
export type { IndexEntry } from './index-rows.js';
export { keyFor } from './keys.js';
export {
  recordStore,
  type DueRecords,
  type Page,
  type RecordStore,
  type RecordStoreOptions,
  type Rule,
} from './record-store.js';
export {
  changeRow,
  insertIfAbsent,
  odata,
  queryRows,
  readRow,
  replaceIfUnchanged,
  transact,
  type Columns,
  type Row,
  type RowKey,
} from './rows.js';
