import { isUtf8 } from 'node:buffer';
import { parse } from 'csv-parse/sync';
import type { Columns } from './header.js';
import { checkLine, type Fault, type SalesLine } from './line.js';
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

/** The bytes of a line end, and blanks. */
const isBlank = (byte: number): boolean => byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;

/**
 * Reads lines of sales from whole records. Blank lines are skipped; they count only in line numbers.
 *
 * @param firstLine the number of the line in which the records begin
 */
export async function readLines(
  layout: Layout,
  source: AsyncIterable<Buffer>,
  firstLine: number,
  receiver: Receiver,
): Promise<void> {
  const splitter = new RecordSplitter(layout.format);
  const batch = new Batch(layout, firstLine, receiver);
  const found = (record: Found): void => {
    batch.add(record);
  };
  for await (const bytes of source) {
    splitter.push(bytes, found);
    batch.flush();
  }
  splitter.end(found);
  batch.flush();
}

/** Reads adjacent records together: one call of the parser costs as much as a hundred records. */
class Batch {
  readonly #layout: Layout;
  readonly #firstLine: number;
  readonly #receiver: Receiver;
  #records: Found[] = [];

  constructor(layout: Layout, firstLine: number, receiver: Receiver) {
    this.#layout = layout;
    this.#firstLine = firstLine;
    this.#receiver = receiver;
  }

  add(record: Found): void {
    if (record.fault !== undefined) {
      this.flush();
      this.#reject(record, { field: 'line', reason: record.fault });
    } else if (isEmpty(record)) {
      this.flush();
    } else {
      if (this.#records.length > 0 && this.#records[0]!.bytes !== record.bytes) this.flush();
      this.#records.push(record);
    }
  }

  flush(): void {
    const records = this.#records;
    this.#records = [];
    if (records.length > 0) this.#read(records);
  }

  #read(records: readonly Found[]): void {
    const { bytes, from } = records[0]!;
    const together = bytes.subarray(from, records.at(-1)!.to);
    if (isUtf8(together)) {
      const values = this.#layout.format === 'csv' ? this.#csv(together) : ndjson(together);
      if (values?.length === records.length) {
        for (const [index, value] of values.entries()) this.#settle(records[index]!, value);
        return;
      }
    }
    if (records.length > 1) {
      for (const record of records) this.#read([record]);
    } else {
      const reason = isUtf8(together) ? 'It is not a CSV record' : 'It is not UTF-8';
      this.#reject(records[0]!, { field: 'line', reason });
    }
  }

  #settle(record: Found, value: unknown): void {
    if (value instanceof Unreadable) {
      this.#reject(record, { field: 'line', reason: value.reason });
      return;
    }
    const checked = checkLine(value);
    if ('line' in checked) this.#receiver.take(checked.line);
    else this.#reject(record, checked.fault);
  }

  #reject({ line }: Found, fault: Fault): void {
    this.#receiver.reject({ line: this.#firstLine + line - 1, ...fault });
  }

  /** The values of the records; `undefined` when they are not valid CSV. */
  #csv(bytes: Buffer): unknown[] | undefined {
    const { count, places } = this.#layout.columns!;
    const [date, store, sku, quantity, amount] = places as [number, number, number, number, number];
    try {
      return parse(bytes, CSV).map((row) =>
        row.length === count
          ? {
              date: row[date],
              store: row[store],
              sku: row[sku],
              quantity: numeric(row[quantity]!),
              amount: numeric(row[amount]!),
            }
          : new Unreadable(`It has ${row.length} fields, and the header ${count}`),
      );
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

function ndjson(bytes: Buffer): unknown[] {
  const lines = bytes.toString().split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => {
    try {
      return JSON.parse(line) as unknown;
    } catch {
      return new Unreadable('It is not JSON');
    }
  });
}

function isEmpty({ bytes, from, to }: Found): boolean {
  let at = from;
  while (at < to && isBlank(bytes[at]!)) at++;
  return at === to;
}
