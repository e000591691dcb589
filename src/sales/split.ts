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
export class FileSplitter {
  readonly #splitter: RecordSplitter;
  readonly #start: number;
  readonly #firstLine: number;
  readonly #size: ChunkSize;
  #ready: Chunk[] = [];
  #from: number;
  #line: number;
  #end: number;
  #records = 0;

  constructor(format: Format, { bytes, line }: Pick<Preamble, 'bytes' | 'line'>, size: ChunkSize) {
    this.#splitter = new RecordSplitter(format);
    this.#start = this.#from = this.#end = bytes;
    this.#firstLine = this.#line = line;
    this.#size = size;
  }

  /** Processes the next bytes after the preamble. @returns the complete chunks */
  push(bytes: Buffer): Chunk[] {
    this.#splitter.push(bytes, this.#found);
    return this.#ready.splice(0);
  }

  /** @returns the last chunk */
  end(): Chunk[] {
    this.#splitter.end(this.#found);
    if (this.#end > this.#from) this.#ready.push({ from: this.#from, to: this.#end, line: this.#line });
    return this.#ready.splice(0);
  }

  readonly #found: Found = (_bytes, from, to, end, line, _lines, fault) => {
    // Blank lines belong to the chunk before them: the buffers decide how many go together, and must not decide the cuts.
    const isBlank = from === to && fault === undefined;
    if (!isBlank && (this.#end - this.#from >= this.#size.bytes || this.#records >= this.#size.records)) {
      this.#ready.push({ from: this.#from, to: this.#end, line: this.#line });
      this.#from = this.#end;
      this.#line = this.#firstLine + line - 1;
      this.#records = 0;
    }
    if (!isBlank) this.#records++;
    this.#end = this.#start + end;
  };
}
