/** An order that is bought, and one that is declined, by HTTP alone, wherever `E2E_BASE_URL` says the app is. */
import { randomUUID } from 'node:crypto';
import { describe, expect, test, type TestContext } from 'vitest';
import { useBaseUrl } from '../support/base-url.js';
import { call, PATIENCE, until, type Answer } from './http.js';

interface Levels {
  available: number;
  reserved: number;
  sold: number;
}

describe('An order, by HTTP', { timeout: 3 * PATIENCE }, () => {
  const origin = useBaseUrl();

  test('is bought: priced, paid once, and dispatched', async (context) => {
    await needKey(context);
    const before = await receive('saw', 5);
    const order = await checkOut('pays', { saw: 2 });
    const done = await ended(order);
    expect(done.json).toMatchObject({ state: 'dispatched', total: { amount: 5590, currency: 'EUR' } });
    const levels = await stock('saw');
    expect(levels.sold - before.sold).toBe(2);
    expect(levels.available - before.available).toBe(-2);
    expect((await call('DELETE', order)).status).toBe(409);
  });

  test('is declined: everything is as it was, and the cart has its lines', async (context) => {
    await needKey(context);
    const before = await receive('mallet', 5);
    const cart = `${origin()}/api/carts/${randomUUID()}`;
    const done = await ended(await checkOut('declines', { mallet: 3 }, cart));
    expect(done.json).toMatchObject({ state: 'failed', reason: 'The payment was declined.' });
    expect(await stock('mallet')).toEqual(before);
    expect((await call('GET', cart)).json).toMatchObject({ lines: [{ sku: 'mallet', quantity: 3 }] });
  });

  test('is the same for the same key, and another cart under it is refused', async (context) => {
    await needKey(context);
    await receive('glue', 5);
    const cart = `${origin()}/api/carts/${randomUUID()}`;
    const key = randomUUID();
    const order = await checkOut('pays', { glue: 1 }, cart, key);
    expect(await checkOut('pays', {}, cart, key)).toBe(order);
    const other = await call(
      'POST',
      `${cart}/checkout`,
      { payment: { token: 'pays' }, shipTo: 'Elsewhere' },
      { 'idempotency-key': key },
    );
    expect(other.status).toBe(422);
    await ended(order);
    expect(
      (await call('POST', `${cart}/checkout`, { payment: { token: 'pays' }, shipTo: 'Here' })).status,
    ).toBe(409);
  });

  /** Goods arrive. @returns what there is, once they are counted */
  async function receive(sku: string, quantity: number): Promise<Levels> {
    const receiptId = randomUUID();
    await until(
      () => call('POST', `${origin()}/api/stock/${sku}/receipts`, { receiptId, quantity }),
      ({ json }) => json?.['state'] === 'counted',
    );
    return stock(sku);
  }

  async function stock(sku: string): Promise<Levels> {
    const { json } = await call('GET', `${origin()}/api/stock/${sku}`);
    return json as unknown as Levels;
  }

  /** Fills a cart and checks it out. @returns the order's address */
  async function checkOut(
    token: string,
    lines: Record<string, number>,
    cart = `${origin()}/api/carts/${randomUUID()}`,
    key: string = randomUUID(),
  ): Promise<string> {
    for (const [sku, quantity] of Object.entries(lines)) {
      expect((await call('PUT', `${cart}/items/${sku}`, { quantity })).status).toBe(202);
      await until(
        () => call('GET', cart),
        ({ text }) => text.includes(sku),
      );
    }
    const answer = await call(
      'POST',
      `${cart}/checkout`,
      { payment: { token }, shipTo: 'Main Street 1' },
      { 'idempotency-key': key },
    );
    expect(answer.status).toBe(202);
    return new URL(answer.headers.get('location')!, origin()).href;
  }

  /** The order when its buyer has been notified of its end. */
  async function ended(order: string): Promise<Answer> {
    return until(
      () => call('GET', order),
      ({ text }) => text.includes('"notification"'),
    );
  }

  async function needKey({ skip }: TestContext): Promise<void> {
    const { status } = await call('GET', `${origin()}/api/catalogue`);
    if (status === 401) skip('The app asks for a function key: give one in E2E_FUNCTION_KEY.');
  }
});
