import { isUtf8 } from 'node:buffer';
import { parse } from 'csv-parse/sync';
import type { Columns } from './header.js';
import { checkLine, isPlain, type Fault, type SalesLine } from './line.js';
import { RecordSplitter, type Found } from './records.js';

/** The format of a file, and for CSV its columns. */
export type Layout = { format: 'ndjson'; columns?: undefined } | { format: 'csv'; columns: Columns };

/** A rejected line. */
export interface Reject extends Fault {
  /** The number of the line in which its record begins; a file's first line is 1. */
  line: number;
}

/** Gets the lines and rejected lines, in the order of the file. */
export interface Receiver {
  take(line: SalesLine): void;
  reject(reject: Reject): void;
}

/**
 * Reads lines of sales from whole records. Blank lines are skipped; they count only in line numbers.
 *
 * @param firstLine the number of the line in which the records begin
 */
export async function readLines(
  layout: Layout,
  source: AsyncIterable<Buffer> | Iterable<Buffer>,
  firstLine: number,
  receiver: Receiver,
): Promise<void> {
  const splitter = new RecordSplitter(layout.format);
  const reader = new Reader(layout, firstLine, receiver);
  for await (const bytes of source) {
    splitter.push(bytes, reader.found);
    reader.flush();
  }
  splitter.end(reader.found);
  reader.flush();
}

/**
 * Reads adjacent records together: one call of the parser costs as much as a hundred records. In such a batch
 * only the last record may have more than one line, so the line of each follows from its index.
 */
class Reader {
  readonly #layout: Layout;
  readonly #firstLine: number;
  readonly #receiver: Receiver;
  /** The batch: its position in the bytes, its first line, and its number of records. */
  #bytes: Buffer | undefined;
  #from = 0;
  #to = 0;
  #line = 0;
  #count = 0;

  constructor(layout: Layout, firstLine: number, receiver: Receiver) {
    this.#layout = layout;
    this.#firstLine = firstLine;
    this.#receiver = receiver;
  }

  readonly found: Found = (bytes, from, to, _end, line, lines, fault) => {
    if (bytes !== this.#bytes) this.flush();
    if (fault !== undefined) {
      this.flush();
      this.#reject(line, { field: 'line', reason: fault });
      return;
    }
    if (from === to) {
      this.flush();
      return;
    }
    if (this.#count === 0) {
      this.#bytes = bytes;
      this.#from = from;
      this.#line = line;
    }
    this.#to = to;
    this.#count++;
    if (lines > 1) this.flush();
  };

  flush(): void {
    if (this.#bytes === undefined || this.#count === 0) return;
    const [batch, line, count] = [this.#bytes.subarray(this.#from, this.#to), this.#line, this.#count];
    this.#bytes = undefined;
    this.#count = 0;
    this.#read(batch, line, count);
  }

  #read(batch: Buffer, line: number, count: number): void {
    if (isUtf8(batch)) {
      const values = this.#layout.format === 'csv' ? this.#csv(batch) : ndjson(batch);
      if (values?.length === count) {
        for (let index = 0; index < count; index++) this.#settle(line + index, values[index]);
        return;
      }
    }
    if (count > 1) {
      // One record is wrong: read each alone.
      const splitter = new RecordSplitter(this.#layout.format);
      const each: Found = (bytes, from, to, _end, at) => {
        this.#read(bytes.subarray(from, to), line + at - 1, 1);
      };
      splitter.push(batch, each);
      splitter.end(each);
    } else {
      const reason = isUtf8(batch) ? 'It is not a CSV record' : 'It is not UTF-8';
      this.#reject(line, { field: 'line', reason });
    }
  }

  #settle(line: number, value: unknown): void {
    if (isPlain(value)) {
      this.#receiver.take(value);
    } else if (value instanceof Unreadable) {
      this.#reject(line, { field: 'line', reason: value.reason });
    } else if (value !== BLANK) {
      const checked = checkLine(value);
      if ('line' in checked) this.#receiver.take(checked.line);
      else this.#reject(line, checked.fault);
    }
  }

  #reject(line: number, fault: Fault): void {
    this.#receiver.reject({ line: this.#firstLine + line - 1, ...fault });
  }

  /** The values of the records; `undefined` when they are not valid CSV. */
  #csv(bytes: Buffer): unknown[] | undefined {
    const { count, places } = this.#layout.columns!;
    const [date, store, sku, quantity, amount] = places as [number, number, number, number, number];
    try {
      return parse(bytes, CSV).map((row) => {
        if (row.length === count) {
          return {
            date: row[date],
            store: row[store],
            sku: row[sku],
            quantity: numeric(row[quantity]!),
            amount: numeric(row[amount]!),
          };
        }
        return row.length === 1 && row[0]!.trim() === ''
          ? BLANK
          : new Unreadable(`It has ${row.length} fields, and the header ${count}`);
      });
    } catch {
      return undefined;
    }
  }
}

const CSV = { record_delimiter: ['\r\n', '\n'], relax_column_count: true };

/** The number in a text; or the text itself, which the check rejects. */
function numeric(text: string): number | string {
  return /^\s*-?\d+\s*$/.test(text) ? Number(text) : text;
}

/** Stands for a value that could not be parsed. */
class Unreadable {
  constructor(readonly reason: string) {}
}

/** Stands for a blank record. */
const BLANK = Symbol('blank');

function ndjson(bytes: Buffer): unknown[] {
  const lines: unknown[] = bytes.toString().split('\n');
  if (lines.at(-1) === '') lines.pop();
  for (let index = 0; index < lines.length; index++) lines[index] = parsed(lines[index] as string);
  return lines;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return line.trim() === '' ? BLANK : new Unreadable('It is not JSON');
  }
}
