import { parse } from 'csv-parse/sync';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkLine, isPlain, salesLine } from '../../src/sales/line.js';
import { HeaderError, readPreamble } from '../../src/sales/header.js';
import { readLines, type Layout, type Reject } from '../../src/sales/read.js';
import { RECORD_LIMIT, type Format } from '../../src/sales/records.js';
import { CHUNK_SIZE, FileSplitter, type Chunk, type ChunkSize } from '../../src/sales/split.js';
import { decodeBlock, encodeBlock, mergeTotals, Totals, type Total } from '../../src/sales/totals.js';

const HEADER = 'date,store,sku,quantity,amount\n';
const good = { date: '2026-11-27', store: 'Berlin', sku: 'SKU-1', quantity: 2, amount: 500 };

/** Bytes as a stream brings them: in pieces of `size`. */
async function* pieces(bytes: Buffer, size = 64 * 1024): AsyncGenerator<Buffer> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

interface Outcome {
  chunks: Chunk[];
  taken: number;
  rejects: Reject[];
  totals: Total[];
}

/** Reads a file as the workflow does: cut into chunks, each by itself, and merged. */
async function ingest(format: Format, file: Buffer, size: ChunkSize, piece?: number): Promise<Outcome> {
  const preamble = readPreamble(format, file);
  const splitter = new FileSplitter(format, preamble, size);
  const chunks: Chunk[] = [];
  for await (const bytes of pieces(file.subarray(preamble.bytes), piece))
    chunks.push(...splitter.push(bytes));
  chunks.push(...splitter.end());
  expect(chunks.map(({ from }) => from)).toEqual([
    ...(chunks.length > 0 ? [preamble.bytes] : []),
    ...chunks.slice(0, -1).map(({ to }) => to),
  ]);
  expect(chunks.at(-1)?.to ?? file.length).toBe(file.length);
  const layout = { format, columns: preamble.columns } as Layout;
  const outcome: Outcome = { chunks, taken: 0, rejects: [], totals: [] };
  const parts: Total[][][] = [];
  for (const { from, to, line } of chunks) {
    const totals = new Totals();
    await readLines(layout, pieces(file.subarray(from, to), piece), line, {
      take(sale) {
        outcome.taken++;
        totals.add(sale);
      },
      reject(reject) {
        outcome.rejects.push(reject);
      },
    });
    parts.push([...totals.blocks()]);
  }
  for await (const block of mergeTotals(
    parts.map(async function* (blocks) {
      yield* blocks.map((each) => decodeBlock(encodeBlock(each)));
    }),
  ))
    outcome.totals.push(...block);
  return outcome;
}

const whole: ChunkSize = { bytes: Infinity, records: Infinity };
const read = (format: Format, text: string | Buffer): Promise<Outcome> =>
  ingest(format, Buffer.from(text), whole);

/** Text that is likely to hold what matters. */
const awkward = fc.string({
  unit: fc.constantFrom('a', 'ü', '😀', '"', '""', ',', ';', ' ', '\n', '\r\n', '\t', '\u0007', '\\'),
  maxLength: 8,
});
const line = fc.record({
  date: fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom('2026-11-27', '2024-02-29', '2026-04-30') },
    fc.constantFrom('2026-02-29', '2026-04-31', '27.11.2026', ''),
  ),
  store: fc.oneof(fc.constantFrom('Berlin', 'Lyon, Gare', 'Zürich'), awkward),
  sku: fc.oneof(fc.constantFrom('A-1', 'B-2', 'C-3'), awkward),
  quantity: fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: -3, max: 9 }) },
    fc.constantFrom(1.5, '', 'two', 10_000_000, null),
  ),
  amount: fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: -999, max: 99_999 }) },
    fc.constantFrom(12.5, 1e12, '1,50'),
  ),
});
const quoted = (value: unknown): string => {
  const text = String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};
const csvLine = line.map((sale) => Object.values(sale).map(quoted).join(','));
const lineEnd = fc.constantFrom('\n', '\n', '\n', '\r\n', '\n\n', '\n \t\n');
const broken = fc.oneof(
  awkward,
  fc.constantFrom(
    '"',
    'a"b,',
    '"a"b',
    '{',
    'null',
    '[]',
    'x'.repeat(RECORD_LIMIT + 7),
    `"${`${'y'.repeat(127)}\n`.repeat(RECORD_LIMIT / 128)}`,
  ),
);
const fileOf = (record: fc.Arbitrary<string>, start: string): fc.Arbitrary<Buffer> =>
  fc
    .tuple(
      fc.constantFrom('', '\uFEFF'),
      fc.array(fc.tuple(fc.oneof({ weight: 9, arbitrary: record }, broken), lineEnd), { maxLength: 25 }),
      fc.constantFrom('', 'tail', '"open', '\n'),
      fc.boolean(),
    )
    .map(([mark, lines, tail, garbage]) =>
      Buffer.concat([
        Buffer.from(mark + start + lines.flat().join('')),
        garbage ? Buffer.from([0xff, 0xfe, 0x0a]) : Buffer.alloc(0),
        Buffer.from(tail),
      ]),
    );
const files = fc.oneof(
  fc.record({ format: fc.constant('csv' as const), file: fileOf(csvLine, HEADER) }),
  fc.record({
    format: fc.constant('ndjson' as const),
    file: fileOf(
      line.map((sale) => JSON.stringify(sale)),
      '',
    ),
  }),
);

describe('a file of sales lines', () => {
  it('gives the same totals and rejects, however it is cut and however its bytes come', async () => {
    await fc.assert(
      fc.asyncProperty(
        files,
        fc.record({ bytes: fc.integer({ min: 1, max: 200 }), records: fc.integer({ min: 1, max: 9 }) }),
        fc.integer({ min: 1, max: 3000 }),
        async ({ format, file }, size, piece) => {
          const cut = await ingest(format, file, size, Math.max(piece, file.length / 300));
          expect(cut).toEqual(await ingest(format, file, size));
          const { chunks } = cut;
          expect(cut).toEqual({ ...(await ingest(format, file, whole)), chunks });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('of proper CSV gives what the library makes of the whole of it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(csvLine, { maxLength: 30 }),
        fc.integer({ min: 1, max: 100 }),
        async (lines, bytes) => {
          const file = HEADER + lines.map((text) => `${text}\r\n`).join('');
          const rows = parse(file, { columns: true, record_delimiter: ['\r\n', '\n'] });
          const { taken, rejects } = await ingest('csv', Buffer.from(file), { bytes, records: Infinity });
          expect(taken + rejects.length).toBe(rows.length);
        },
      ),
    );
  });
});

describe('a line', () => {
  it('that looks plain is what the schema lets through as it is', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          line,
          fc.record({
            date: fc
              .date({ noInvalidDate: true, min: new Date('0000-01-01'), max: new Date('9999-12-31') })
              .map((date) => date.toISOString().slice(0, 10)),
            store: fc.string({ unit: 'binary', maxLength: 205 }),
            sku: fc.string({ unit: 'binary-ascii', maxLength: 4 }),
            quantity: fc.oneof(fc.integer(), fc.double()),
            amount: fc.oneof(fc.maxSafeInteger(), fc.double()),
          }),
        ),
        (value) => {
          const checked = salesLine.safeParse(value);
          if (isPlain(value)) expect(checked).toEqual({ success: true, data: value });
          expect(checkLine(value)).toEqual(
            checked.success ? { line: checked.data } : { fault: expect.anything() as unknown },
          );
        },
      ),
      { numRuns: 500 },
    );
    for (let day = Date.UTC(1999, 11, 1); day < Date.UTC(2004, 3, 1); day += 86_400_000) {
      const sale = { ...good, date: new Date(day).toISOString().slice(0, 10) };
      expect(isPlain(sale) || 'line' in checkLine(sale), sale.date).toBe(true);
    }
    for (const sale of [good, { ...good, store: 'Zürich, Nº 7' }, { ...good, store: '東京', amount: -5 }])
      expect(isPlain(sale)).toBe(true);
    for (const date of [
      '2026-02-29',
      '1900-02-29',
      '2026-04-31',
      '2026-00-10',
      '2026-13-01',
      '2026-01-32',
      '2026-1-1',
      '2026-01-01T00:00:00Z',
    ])
      expect([isPlain({ ...good, date }), checkLine({ ...good, date })]).toMatchObject([
        false,
        { fault: { field: 'date' } },
      ]);
  });

  it.each([
    [{ ...good, date: '2026-02-30' }, 'date', 'It must be a date, such as 2026-11-27'],
    [{ ...good, date: undefined }, 'date', 'There is no such field'],
    [{ ...good, store: ' ' }, 'store', 'It must not be empty'],
    [{ ...good, store: 7 }, 'store', 'It must be text'],
    [{ ...good, store: 'x'.repeat(201) }, 'store', 'It must have at most 200 characters'],
    [{ ...good, sku: 'a\u0000b' }, 'sku', 'It must not hold control characters'],
    [{ ...good, quantity: 0 }, 'quantity', 'It must not be 0'],
    [{ ...good, quantity: 1.5 }, 'quantity', 'It must be a whole number'],
    [{ ...good, quantity: '2' }, 'quantity', 'It must be a whole number'],
    [{ ...good, amount: 12.5 }, 'amount', 'It must be a whole number'],
    [{ ...good, amount: 1e12 }, 'amount', 'It must be at most 100000000000'],
    [{ ...good, amount: 1e300 }, 'amount', 'It must be a whole number'],
  ])('of NDJSON, %j, is rejected for its %s: %s', async (value, field, reason) => {
    const text = `${JSON.stringify(good)}\n${JSON.stringify(value)}\n${JSON.stringify(good)}`;
    expect(await read('ndjson', text)).toMatchObject({ taken: 2, rejects: [{ line: 2, field, reason }] });
  });

  it.each([
    ['{"date":', 'It is not JSON'],
    ['[]', 'It is not a JSON object'],
    ['null', 'It is not a JSON object'],
    [Buffer.from([0x7b, 0xff, 0x7d]), 'It is not UTF-8'],
    [`"${'x'.repeat(RECORD_LIMIT)}"`, 'It has more than 65536 bytes'],
  ])('of NDJSON, %s, is rejected as a whole: %s', async (text, reason) => {
    const file = Buffer.concat([
      Buffer.from(`\n${JSON.stringify(good)}\n`),
      Buffer.from(text),
      Buffer.from(`\n${JSON.stringify(good)}`),
    ]);
    expect(await read('ndjson', file)).toMatchObject({
      taken: 2,
      rejects: [{ line: 3, field: 'line', reason }],
    });
  });

  it.each([
    ['2026-11-27,Berlin,A,1', 'line', 'It has 4 fields, and the header 5'],
    ['2026-11-27,Lyon, Gare,A,1,5', 'line', 'It has 6 fields, and the header 5'],
    [
      '2026-11-27,Ber"lin,A,1,5',
      'line',
      'A quote is inside a field without quotes: quote the whole field, and double the quote',
    ],
    ['2026-11-27,"Ber"lin,A,1,5', 'line', 'Text follows a closing quote'],
    ['2026-11-27,"Berlin,A,1,5', 'line', 'A quote is not closed within 65536 bytes'],
    ['2026-11-27,Berlin,A,1,12.50', 'amount', 'It must be a whole number'],
    ['2026-11-27,Berlin,A,,5', 'quantity', 'It must be a whole number'],
    ['2026-11-27,,A,1,5', 'store', 'It must not be empty'],
    ['27.11.2026,Berlin,A,1,5', 'date', 'It must be a date, such as 2026-11-27'],
  ])('of CSV, %s, is rejected for its %s: %s', async (text, field, reason) => {
    const file = `${HEADER}2026-11-27,Berlin,A,1,5\n${text}\n2026-11-27,Berlin,A,1,5\n`;
    expect(await read('csv', file)).toMatchObject({ taken: 2, rejects: [{ line: 3, field, reason }] });
  });

  it('of CSV may hold commas, quotes and line ends in quotes, and columns in any order', async () => {
    const file =
      '\uFEFFSKU, Amount ,note,quantity,store,date\r\nA,5,,1,"Lyon, ""Gare""\nSud",2026-11-27\r\nB,6,"",2, Berlin ,2026-11-27\r\nbad\r\n';
    expect(await read('csv', file)).toMatchObject({
      taken: 2,
      rejects: [{ line: 5, field: 'line', reason: 'It has 1 fields, and the header 6' }],
      totals: [
        ['0Berlin', 1, 2, 6],
        ['0Lyon, "Gare"\nSud', 1, 1, 5],
        ['1A', 1, 1, 5],
        ['1B', 1, 2, 6],
      ],
    });
  });
});

describe('totals', () => {
  const areFull = (lines: number, amount: number): boolean => {
    const totals = new Totals();
    for (let count = 0; count < lines; count++) totals.add({ ...good, amount });
    return totals.areFull;
  };

  it('are full before a chunk could make a sum inexact', () => {
    const [amount, chunk] = [100_000_000_000, CHUNK_SIZE.records];
    const most = Math.floor(Number.MAX_SAFE_INTEGER / amount);
    const full = [0, most - chunk, most - chunk + 1].map((lines) => areFull(lines, amount));
    expect(full).toEqual([false, false, true]);
    expect(areFull(most - chunk + 1, -amount)).toBe(true);
  });
});

describe('a header', () => {
  it.each([
    ['', 'There is no header.'],
    ['\n \n', 'There is no header.'],
    ['date;store;sku;quantity;amount\n', 'does not name date, store, sku, quantity, amount'],
    ['date,store,sku,quantity\n', 'does not name amount'],
    ['date,store,sku,quantity,amount,store\n', 'names store twice'],
    ['"date,store\n', 'cannot be read'],
  ])('%j is refused: %s', (text, message) => {
    expect(() => readPreamble('csv', Buffer.from(text))).toThrow(HeaderError);
    expect(() => readPreamble('csv', Buffer.from(text))).toThrow(message);
  });
});
