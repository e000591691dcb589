/** Lines of sales: their schema, reading files of them in parts, and totals. */
export {
  INGESTIONS,
  layout,
  mergeBlobs,
  readChunk,
  readChunks,
  readSource,
  readTotals,
  source,
  writeChunks,
  writeTotals,
  type Dataset,
  type Source,
} from './dataset.js';
export { HeaderError, PREAMBLE_LIMIT, readPreamble, type Columns, type Preamble } from './header.js';
export { checkLine, FIELDS, salesLine, type Fault, type SalesLine } from './line.js';
export { type Layout, type Receiver, type Reject } from './read.js';
export { RECORD_LIMIT, type Format } from './records.js';
export { CHUNK_SIZE, FileSplitter, type Chunk, type ChunkSize } from './split.js';
export { nameOf, SumTooLargeError, Totals, type Dimension, type Sums, type Total } from './totals.js';
