/** `npm run sample-sales -- LINES`: writes lines of sales to stdout, the same ones each time. */
import { once } from 'node:events';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { mulberry32 } from './random.ts';

/** What {@link sampleSales} writes. */
export interface SampleOptions {
  lines: number;
  format: 'csv' | 'ndjson';
  /** How many stores and articles there are. Default: 200 and 5,000. */
  stores?: number;
  skus?: number;
  /** One line of so many is wrong; 0 for none, which is the default. */
  wrongEvery?: number;
}

const CITIES = ['Berlin', 'Hamburg', 'Lyon', 'Porto', 'Turin', 'Gdańsk', 'Brno', 'Århus', 'Málaga', 'Ghent'];
/** What can be wrong with a line, in turn. */
const WRONG: readonly Record<string, string | number>[] = [
  { date: '2026-02-30' },
  { amount: 12.5 },
  { quantity: 0 },
  { store: ' ' },
];

/** Lines of sales, many a part, so that writing them costs little. */
export function* sampleSales(options: SampleOptions): Generator<string> {
  const { lines, format, stores = 200, skus = 5000, wrongEvery = 0 } = options;
  const random = mulberry32(20_261_127);
  const below = (limit: number): number => Math.floor(random() * limit);
  let part = format === 'csv' ? 'date,store,sku,quantity,amount\n' : '';
  for (let line = 1; line <= lines; line++) {
    const [store, sku, quantity] = [below(stores), below(skus), 1 + below(9)];
    const sale = {
      date: new Date(Date.UTC(2026, 0, 1 + below(365))).toISOString().slice(0, 10),
      store: `${CITIES[store % CITIES.length]}, store ${store}`,
      sku: `SKU-${String(sku).padStart(6, '0')}`,
      quantity,
      amount: quantity * (199 + ((sku * 7919) % 20_000)),
      ...(wrongEvery > 0 && line % wrongEvery === 0 && WRONG[(line / wrongEvery) % WRONG.length]),
    };
    part += format === 'csv' ? `${Object.values(sale).map(quoted).join(',')}\n` : `${JSON.stringify(sale)}\n`;
    if (part.length > 256 * 1024) {
      yield part;
      part = '';
    }
  }
  yield part;
}

function quoted(value: string | number): string {
  const text = String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const USAGE = `Usage: npm run sample-sales --silent -- LINES [options] > FILE

  --format csv|ndjson  (default: csv)
  --wrong-every N      makes each Nth line a wrong one (default: none)
  --stores N --skus N  how many stores and articles there are (default: 200, 5000)
`;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      format: { type: 'string', default: 'csv' },
      'wrong-every': { type: 'string', default: '0' },
      stores: { type: 'string', default: '200' },
      skus: { type: 'string', default: '5000' },
    },
  });
  const [lines, wrongEvery, stores, skus] = [
    positionals[0],
    values['wrong-every'],
    values.stores,
    values.skus,
  ].map((text) => (/^\d+$/.test(text ?? '') ? Number(text) : NaN)) as [number, number, number, number];
  const { format } = values;
  if ([lines, wrongEvery, stores, skus].some(Number.isNaN) || (format !== 'csv' && format !== 'ndjson')) {
    process.stderr.write(USAGE);
    process.exitCode = 1;
    return;
  }
  // The reader may stop at any time, as `head` does.
  process.stdout.on('error', () => process.exit());
  for (const part of sampleSales({ lines, format, wrongEvery, stores, skus })) {
    if (!process.stdout.write(part)) await once(process.stdout, 'drain');
  }
}

if (process.argv[1] !== undefined && path.resolve(process.argv[1]) === import.meta.filename) await main();
