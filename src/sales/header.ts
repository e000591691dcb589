import { parse } from 'csv-parse/sync';
import { FIELDS } from './line.js';
import { RECORD_LIMIT, RecordSplitter, type Format, type Found } from './records.js';

/** The part of a file before its first line of sales, and the layout of the lines. */
export interface Preamble {
  /** The number of bytes before the first line of sales: a byte order mark, and the header in CSV. */
  bytes: number;
  /** The number of the first line of sales; a file's first line is 1. */
  line: number;
  /** For CSV: the number of columns, and the position of each field. */
  columns: Columns | undefined;
}

/** Where the fields of a line are in a CSV record. */
export interface Columns {
  count: number;
  /** By field, in the order of {@link FIELDS}; 0 is the first. */
  places: number[];
}

/** A CSV file whose header does not name each field once. The message is for the caller. */
export class HeaderError extends Error {
  override readonly name = 'HeaderError';
}

/** The number of bytes from a file's start that {@link readPreamble} needs. */
export const PREAMBLE_LIMIT = RECORD_LIMIT + 4;

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * Reads the beginning of a file.
 *
 * @param start its first {@link PREAMBLE_LIMIT} bytes, or all when it has fewer
 * @throws {HeaderError}
 */
export function readPreamble(format: Format, start: Buffer): Preamble {
  const mark = start.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
  if (format === 'ndjson') {
    return { bytes: mark, line: 1, columns: undefined };
  }
  let preamble: Preamble | undefined;
  const splitter = new RecordSplitter('csv');
  const found: Found = (bytes, from, to, end, line, lines, fault) => {
    const text = bytes.toString('utf8', from, to);
    // Blank lines may precede the header.
    if (preamble !== undefined || (fault === undefined && text.trim() === '')) return;
    if (fault !== undefined) throw new HeaderError(`The header cannot be read. ${fault}.`);
    preamble = { bytes: mark + end, line: line + lines, columns: columnsOf(text) };
  };
  splitter.push(start.subarray(mark), found);
  splitter.end(found);
  if (preamble === undefined) throw new HeaderError(`There is no header. ${expected}`);
  return preamble;
}

const expected = `The first line of CSV names the columns ${FIELDS.join(',')}, in any order, separated by commas.`;

function columnsOf(header: string): Columns {
  const [names = []] = parse(header).map((row) => row.map((name) => name.trim().toLowerCase()));
  const places = FIELDS.map((field) => names.indexOf(field));
  const missing = FIELDS.filter((_, index) => places[index] === -1);
  if (missing.length > 0)
    throw new HeaderError(`The header does not name ${missing.join(', ')}. ${expected}`);
  const twice = FIELDS.find((field, index) => names.lastIndexOf(field) !== places[index]);
  if (twice !== undefined) throw new HeaderError(`The header names ${twice} twice. ${expected}`);
  return { count: names.length, places };
}
