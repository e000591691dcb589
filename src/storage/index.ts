/** The only code that makes storage clients, and keys from outside text. */
export { queue, table } from './clients.js';
export { keyFor } from './keys.js';
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
