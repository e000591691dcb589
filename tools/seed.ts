/**
 * `npm run seed`: fills the stock of the shop, 100 of each product. It says so once: run again, it changes nothing.
 * `-- --url URL` for another address than http://localhost:7071, `FUNCTION_KEY` where the app asks for a key,
 * `-- --receipt ID` for another delivery.
 */
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://localhost:7071' },
    receipt: { type: 'string', default: 'seed' },
  },
});
const QUANTITY = 100;
const base = values.url.replace(/\/+$/, '');
const key = process.env['FUNCTION_KEY'];

interface Catalogue {
  value: { sku: string; name: string }[];
}

async function call(method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(`${base}${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...(key && { 'x-functions-key': key }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
  return JSON.parse(text);
}

try {
  const { value: products } = (await call('GET', '/api/catalogue')) as Catalogue;
  await Promise.all(
    products.map(async ({ sku }) =>
      call('POST', `/api/stock/${sku}/receipts`, { receiptId: values.receipt, quantity: QUANTITY }),
    ),
  );
  process.stdout.write(
    `${QUANTITY} of each of ${products.length} products are in stock (receipt '${values.receipt}').\n`,
  );
} catch (error) {
  const cause = error instanceof Error ? error.message : String(error);
  process.stderr.write(`The stock was not filled: ${cause}. Is the app running at ${base}?\n`);
  process.exitCode = 1;
}
