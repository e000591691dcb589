/** What anybody would write: streams a file of sales lines through the parser, adds the lines up, and prints how long that took. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { parse } from 'csv-parse';

interface Line {
  store: string;
  sku: string;
  quantity: number | string;
  amount: number | string;
}

const file = process.argv[2]!;

async function* lines(): AsyncGenerator<Line> {
  const source = createReadStream(file);
  if (file.endsWith('.csv')) {
    yield* source.pipe(parse({ columns: true })) as AsyncIterable<Line>;
  } else {
    for await (const line of createInterface({ input: source })) yield JSON.parse(line) as Line;
  }
}

const start = performance.now();
const totals = { store: new Map<string, number[]>(), sku: new Map<string, number[]>() };
let count = 0;
for await (const line of lines()) {
  count++;
  for (const dimension of ['store', 'sku'] as const) {
    const sum = totals[dimension].get(line[dimension]) ?? [0, 0, 0];
    totals[dimension].set(line[dimension], sum);
    sum[0]! += 1;
    sum[1]! += Number(line.quantity);
    sum[2]! += Number(line.amount);
  }
}
process.stdout.write(`${JSON.stringify({ milliseconds: performance.now() - start, count })}\n`);
