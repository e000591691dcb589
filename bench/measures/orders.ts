/** 200 checkouts at once over five products with too little stock, on both hubs: as many succeed as there is stock. */
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type * as Emulator from '../../emulator/src/emulator.js';
import { built, report, timed, withAzurite } from '../measure.ts';

const root = path.join(import.meta.dirname, '../..');
const { startEmulator } = await built<typeof Emulator>('emulator.js');

const SKUS = ['chair', 'chisel', 'glue', 'hammer', 'nails'] as const;
const ORDERS = 200;
/** Of each product. Each of them is wanted 40 times. */
const STOCK = 25;

interface Order {
  state: string;
  total: { amount: number };
}

async function measure(hub: 'memory' | 'Azurite', connection: string): Promise<void> {
  process.env['AppStorage'] = connection;
  const emulator = await startEmulator({
    app: root,
    port: 0,
    storage: hub === 'memory' ? 'memory' : connection,
  });
  const origin = `http://127.0.0.1:${emulator.port}`;
  const send = async (method: string, to: string, body?: object): Promise<Response> => {
    const response = await fetch(`${origin}${to}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!response.ok)
      throw new Error(`${method} ${to} answered ${response.status}: ${await response.text()}`);
    return response;
  };
  const read = async <Body>(to: string): Promise<Body> => (await (await send('GET', to)).json()) as Body;

  const carts = Array.from({ length: ORDERS }, (_, index) => ({
    cart: `/api/carts/cart-${index}`,
    sku: SKUS[index % SKUS.length]!,
  }));
  for (const sku of SKUS)
    await send('POST', `/api/stock/${sku}/receipts`, { receiptId: hub, quantity: STOCK });
  // Ten at a time: filling the carts is not what is measured.
  for (let from = 0; from < ORDERS; from += 10)
    await Promise.all(
      carts
        .slice(from, from + 10)
        .map(({ cart, sku }) => send('PUT', `${cart}/items/${sku}`, { quantity: 1 })),
    );

  const ended: Order[] = [];
  const took = await timed(() =>
    Promise.all(
      carts.map(async ({ cart }) => {
        const { headers } = await send('POST', `${cart}/checkout`, {
          payment: { token: 'pays' },
          shipTo: 'Here',
        });
        for (;;) {
          const order = await read<Order>(headers.get('location')!);
          if (order.state !== 'in-progress') {
            ended.push(order);
            return;
          }
          await sleep(1000);
        }
      }),
    ),
  );
  const bought = ended.filter(({ state }) => state === 'dispatched');
  const levels = await Promise.all(
    SKUS.map((sku) => read<{ available: number; reserved: number; sold: number }>(`/api/stock/${sku}`)),
  );
  const wrong = levels.filter(
    ({ available, reserved, sold }) => available + reserved + sold !== STOCK || available < 0,
  ).length;
  const method = `${ORDERS} carts with one line each over ${SKUS.length} products, ${STOCK} of each in stock, by HTTP alone, each caller asking again every second; hub ${hub}, tables and queues on Azurite`;
  report({
    name: `checkouts at once that succeed, ${hub}`,
    value: bought.length,
    unit: '',
    target: STOCK * SKUS.length,
    better: 'higher',
    method: `${method}; ${ended.length - bought.length} of them failed, as they must`,
  });
  report({
    name: `products oversold or lost after them, ${hub}`,
    value: wrong + Math.max(0, bought.length - STOCK * SKUS.length),
    unit: '',
    target: 0,
    better: 'lower',
    method,
  });
  report({
    name: `checkouts at once, to the last end, ${hub}`,
    value: took / 1000,
    unit: 's',
    better: 'lower',
    method,
  });
  await emulator.stop();
}

await withAzurite(async (connection) => {
  await measure('memory', connection);
});
await withAzurite(async (connection) => {
  await measure('Azurite', connection);
});
process.exit(0);
