/** The only code that makes storage clients and turns text from outside into keys; and the record store. */
export {
  BlobChangedError,
  deleteBlobs,
  findBlob,
  listBlobs,
  readBlob,
  readBytes,
  writeBlob,
  writeBytes,
  type ListedBlob,
} from './blobs.js';
export { container, isUnavailable, queue, table } from './clients.js';
export { untilItWins } from './contention.js';
export { listDue, putDue, putOff, removeDue, removeDueEntry, type DueEntry } from './due-index.js';
export { listEntries, newestFirst, putEntry, removeEntry, type IndexEntry } from './index-rows.js';
export { keyFor, keyForPerson } from './keys.js';
export type { Page } from './record-index.js';
export {
  recordStore,
  type DueRecords,
  type EndedRecords,
  type RecordStore,
  type RecordStoreOptions,
  type Rule,
} from './record-store.js';
export { triggerQueue } from './trigger-queues.js';
export {
  deleteIfUnchanged,
  insertIfAbsent,
  odata,
  queryRows,
  readRow,
  replaceIfUnchanged,
  transact,
  upsert,
  type Columns,
  type Row,
  type RowKey,
} from './rows.js';
