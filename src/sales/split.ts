import type { Preamble } from './header.js';
import { RecordSplitter, type Format, type Found } from './records.js';

/** A part of a file that holds whole records. */
export interface Chunk {
  /** Bytes of the file before it. */
  from: number;
  /** Bytes of the file up to its end. */
  to: number;
  /** The number of the line in which it begins. */
  line: number;
}

/** The limits of a chunk. It ends at the first one that it reaches. */
export interface ChunkSize {
  bytes: number;
  records: number;
}

/** About a megabyte. Less for very short lines, because each of them can be rejected. */
export const CHUNK_SIZE: ChunkSize = { bytes: 1024 * 1024, records: 32 * 1024 };

/**
 * Cuts what follows a file's preamble into chunks. A chunk ends with a record, so it exceeds `size` by less
 * than one record.
 */
export async function* splitFile(
  format: Format,
  { bytes: start, line: firstLine }: Preamble,
  source: AsyncIterable<Buffer>,
  size: ChunkSize,
): AsyncGenerator<Chunk> {
  const splitter = new RecordSplitter(format);
  let ready: Chunk[] = [];
  let [from, line, records, end] = [start, firstLine, 0, start];
  const found = (record: Found): void => {
    if (end - from >= size.bytes || records >= size.records) {
      ready.push({ from, to: end, line });
      [from, line, records] = [end, firstLine + record.line - 1, 0];
    }
    records++;
    end = start + record.end;
  };
  for await (const bytes of source) {
    splitter.push(bytes, found);
    yield* ready;
    ready = [];
  }
  splitter.end(found);
  if (end > from) ready.push({ from, to: end, line });
  yield* ready;
}
