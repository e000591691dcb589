/** The formats of files. */
export type Format = 'csv' | 'ndjson';

/** The maximum number of bytes in a record. It also limits the search for the end of a quoted field. */
export const RECORD_LIMIT = 64 * 1024;

const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x22;
const COMMA = 0x2c;

/**
 * Receives a record, or a run of blank lines. It gets many calls, so that it has parameters and no object.
 *
 * @param from its position in `bytes`
 * @param to the position after its line end; `from` for blank lines and for a record that is too long
 * @param end the number of bytes from the first pushed byte to the end of this record
 * @param line the line in which it begins; 1 is the first pushed line
 * @param lines the number of its lines
 * @param fault why it cannot be parsed
 */
export type Found = (
  bytes: Buffer,
  from: number,
  to: number,
  end: number,
  line: number,
  lines: number,
  fault: string | undefined,
) => void;

const UNCLOSED = `A quote is not closed within ${RECORD_LIMIT} bytes`;
const STRAY = 'A quote is inside a field without quotes: quote the whole field, and double the quote';
const TRAILING = 'Text follows a closing quote';
const TOO_LONG = `It has more than ${RECORD_LIMIT} bytes`;

/**
 * Finds the ends of records. NDJSON: each line end. CSV (RFC 4180): each line end outside of quotes; a quote
 * opens a field only at the field's start. A quote that is still open after {@link RECORD_LIMIT} bytes, or at
 * the end, is an error: its line alone is a record. So the records depend neither on the sizes of the buffers
 * nor on the point at which a file is cut between two records.
 */
export class RecordSplitter {
  readonly #isCsv: boolean;
  /** Of a record that has not ended. */
  #rest: Buffer = Buffer.alloc(0);
  /** Inside a record that is too long. */
  #skipping = false;
  #pushed = 0;
  #line = 1;
  /** Of the record that was looked at last. */
  #fault: string | undefined;
  #lineEnds = 0;

  constructor(format: Format) {
    this.#isCsv = format === 'csv';
  }

  /**
   * Processes the next bytes, and passes each complete record to `found`. The bytes must not change
   * afterwards.
   */
  push(bytes: Buffer, found: Found): void {
    let from = 0;
    if (!this.#isCsv && this.#rest.length > 0) {
      // Ends the open line by itself. Otherwise the whole buffer would be copied to join the two.
      from = bytes.indexOf(LF) + 1;
      if (from > 0) this.#split(bytes.subarray(0, from), false, found);
    }
    if (from < bytes.length) this.#split(bytes.subarray(from), false, found);
  }

  /** Passes on the last record, which may have no line end. */
  end(found: Found): void {
    this.#split(Buffer.alloc(0), true, found);
  }

  #split(more: Buffer, isLast: boolean, found: Found): void {
    let from = 0;
    let bytes = more;
    // The number of bytes before the current buffer.
    let before = this.#pushed;
    this.#pushed += more.length;
    const give = (to: number, fault: string | undefined, lineEnds: number): void => {
      found(bytes, from, to, before + to, this.#line, lineEnds, fault);
      this.#line += lineEnds;
      from = to;
    };
    if (this.#skipping) {
      const to = bytes.indexOf(LF) + 1;
      if (to === 0 && !isLast) return;
      this.#skipping = false;
      from = to || bytes.length;
      give(from, TOO_LONG, 1);
    } else if (this.#rest.length > 0) {
      before -= this.#rest.length;
      bytes = more.length === 0 ? this.#rest : Buffer.concat([this.#rest, more]);
    }
    while (from < bytes.length) {
      if (bytes[from] === LF) {
        // Blank lines go together: a file can consist of them.
        const blank = from;
        do from++;
        while (bytes[from] === LF);
        found(bytes, from, from, before + from, this.#line, from - blank, undefined);
        this.#line += from - blank;
        continue;
      }
      const to = this.#endOf(bytes, from, Math.min(bytes.length, from + RECORD_LIMIT));
      const fits = bytes.length - from <= RECORD_LIMIT;
      if (to > 0) {
        give(to, this.#fault, this.#lineEnds);
      } else if (isLast && fits && this.#fault !== UNCLOSED) {
        give(bytes.length, this.#fault, 1);
      } else if (!isLast && fits) {
        break;
      } else {
        const line = bytes.indexOf(LF, from) + 1;
        if (line === 0 && !isLast) {
          this.#skipping = true;
          break;
        }
        const end = line || bytes.length;
        give(end, end - from > RECORD_LIMIT ? TOO_LONG : UNCLOSED, 1);
      }
    }
    // A copy, so that the end of a buffer does not keep the whole of it.
    this.#rest = Buffer.from(this.#skipping ? [] : bytes.subarray(from));
  }

  /** The position behind the record's line end; -1 when it does not end before `limit`. */
  #endOf(bytes: Buffer, from: number, limit: number): number {
    this.#fault = undefined;
    this.#lineEnds = 1;
    const lineEnd = bytes.indexOf(LF, from);
    const end = lineEnd < 0 || lineEnd >= limit ? limit : lineEnd;
    if (this.#isCsv && this.#hasQuote(bytes, from, end)) return this.#endOfQuoted(bytes, from, limit);
    return end === limit ? -1 : end + 1;
  }

  #quote = -1;
  #quoteIn: Buffer | undefined;
  #quoteFrom = 0;

  /**
   * Whether there is a quote between two positions. It remembers the next quote, because most lines have
   * none.
   */
  #hasQuote(bytes: Buffer, from: number, to: number): boolean {
    if (this.#quoteIn !== bytes || from < this.#quoteFrom || (this.#quote >= 0 && this.#quote < from)) {
      this.#quoteIn = bytes;
      this.#quoteFrom = from;
      this.#quote = bytes.indexOf(QUOTE, from);
    }
    return this.#quote >= 0 && this.#quote < to;
  }

  #endOfQuoted(bytes: Buffer, from: number, limit: number): number {
    let at = from;
    let inner = 0;
    while (at < limit) {
      // At the start of a field.
      if (bytes[at] === QUOTE) {
        at++;
        for (;;) {
          while (at < limit && bytes[at] !== QUOTE) {
            if (bytes[at] === LF) inner++;
            at++;
          }
          if (at >= limit) {
            this.#fault = UNCLOSED;
            return -1;
          }
          at++;
          if (bytes[at] !== QUOTE || at >= limit) break;
          at++;
        }
        if (bytes[at] === CR && bytes[at + 1] === LF) at++;
        if (at < limit && bytes[at] !== COMMA && bytes[at] !== LF) this.#fault ??= TRAILING;
      }
      while (at < limit && bytes[at] !== COMMA && bytes[at] !== LF) {
        if (bytes[at] === QUOTE) this.#fault ??= STRAY;
        at++;
      }
      if (at < limit && bytes[at] === LF) {
        this.#lineEnds = inner + 1;
        return at + 1;
      }
      at++;
    }
    return -1;
  }
}
