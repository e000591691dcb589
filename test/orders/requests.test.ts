/** What callers of the shop send and get, and what the shop asks of a payment provider. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { httpPayments } from '../../src/orders/payments/http.js';
import { sure } from '../../src/orders/payments/port.js';
import { killedAtTheHub } from '../support/request.js';
import { Shop } from './shop.js';

const entities = '/runtime/webhooks/durabletask/entities/Cart';

describe('a cart', () => {
  it('is set line by line, priced, and cleared', async () => {
    const shop = await Shop.open({});
    const cart = `/api/carts/${encodeURIComponent('ana & bo')}`;
    const send = async (method: string, path: string, body?: object): Promise<Response> =>
      shop.app.request(method, `${cart}${path}`, { body });
    const first = await send('PUT', '/items/hammer', { quantity: 2 });
    expect([first.status, first.headers.get('location')]).toEqual([202, cart]);
    await send('PUT', '/items/hammer', { quantity: 3 });
    await send('PUT', '/items/nails', { quantity: 1 });
    expect(await (await send('GET', '')).json()).toEqual({
      cartId: 'ana & bo',
      lines: [
        {
          sku: 'hammer',
          name: 'Hammer, 500 g',
          quantity: 3,
          price: { amount: 1850, currency: 'EUR' },
          amount: 5550,
        },
        {
          sku: 'nails',
          name: 'Nails, 1 kg',
          quantity: 1,
          price: { amount: 649, currency: 'EUR' },
          amount: 649,
        },
      ],
      total: { amount: 6199, currency: 'EUR' },
      refused: [],
    });
    expect((await send('DELETE', '/items/hammer')).status).toBe(202);
    expect((await send('DELETE', '/items/hammer')).status).toBe(202);
    expect(await shop.lines(encodeURIComponent('ana & bo'))).toEqual(['1 nails']);
    expect((await send('DELETE', '')).status).toBe(202);
    expect(await shop.lines(encodeURIComponent('ana & bo'))).toEqual([]);
  });

  it('of any name has a key that a table takes, and is the only one of its name', async () => {
    const shop = await Shop.open({});
    const names = ['王'.repeat(64), `${'王'.repeat(63)}李`];
    for (const [index, name] of names.entries())
      await shop.put(encodeURIComponent(name), 'hammer', index + 1);
    expect(await Promise.all(names.map((name) => shop.lines(encodeURIComponent(name))))).toEqual([
      ['1 hammer'],
      ['2 hammer'],
    ]);
    const carts = (await (await shop.app.get(entities)).json()) as { entityId: { key: string } }[];
    expect(carts).toHaveLength(2);
    for (const { entityId } of carts) expect(`@cart@${entityId.key}`.length).toBeLessThanOrEqual(512);
  });

  it.each([0, 1000, 1.5, '2', null])('takes no quantity of %j', async (quantity) => {
    const shop = await Shop.open({});
    expect((await shop.put('ana', 'hammer', quantity as number)).status).toBe(400);
  });

  it('knows no product that is not in the catalogue', async () => {
    const shop = await Shop.open({});
    const { value } = (await (await shop.app.get('/api/catalogue')).json()) as { value: { sku: string }[] };
    expect(value).toHaveLength(20);
    expect((await shop.put('ana', 'moon', 1)).status).toBe(404);
    expect((await shop.app.delete('/api/carts/ana/items/moon')).status).toBe(404);
    expect((await shop.app.get('/api/stock/moon')).status).toBe(404);
    expect((await shop.receive('moon', 1)).status).toBe(404);
  });
});

describe('a receipt', () => {
  it('counts once, also when it comes many times at once, and not with another quantity', async () => {
    const shop = await Shop.open({});
    const answers = await Promise.all(Array.from({ length: 5 }, async () => shop.receive('saw', 7, 'r-1')));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect((await shop.receive('saw', 7, 'r-1')).headers.get('location')).toBe('/api/stock/saw');
    expect((await shop.receive('saw', 8, 'r-1')).status).toBe(422);
    await shop.receive('saw', 1, 'r-2');
    await shop.app.quiet();
    expect(await shop.stock('saw')).toEqual([8, 0, 0]);
  });

  it('that a killed host has recorded is counted by the sweep', async () => {
    const shop = await Shop.open({}, { sweep: true });
    const { receiveGoods } = await import('../../src/orders/endpoints/stock.js');
    const body = JSON.stringify({ receiptId: 'r-1', quantity: 7 });
    await killedAtTheHub(receiveGoods, { body, params: { sku: 'saw' } }, shop.storage);
    expect(await shop.stock('saw')).toEqual([0, 0, 0]);
    await shop.app.skip({ minutes: 25 });
    expect(await shop.stock('saw')).toEqual([7, 0, 0]);
  });

  it('of each product comes by the command that fills the stock, once', async () => {
    const shop = await Shop.open({});
    const seed = async (): Promise<string> =>
      (await promisify(execFile)(process.execPath, ['tools/seed.ts', '--url', shop.app.url])).stdout;
    expect(await seed()).toBe(await seed());
    expect([await shop.stock('saw'), await shop.stock('workbench')]).toEqual([
      [100, 0, 0],
      [100, 0, 0],
    ]);
  });
});

describe('a checkout', () => {
  it('of an empty cart is refused', async () => {
    const shop = await Shop.open({});
    const answer = await shop.checkOut('ana', 'pays');
    expect([answer.status, answer.headers.get('content-type')]).toEqual([409, 'application/problem+json']);
  });

  it('under the same key is the same order, and another under it is refused', async () => {
    const shop = await Shop.open();
    const id = await shop.order({ hammer: 2 }, 'pays', { cartId: 'ana', key: 'k-1' });
    await shop.app.quiet();
    const repeat = await shop.checkOut('ana', 'pays', { key: 'k-1' });
    expect([repeat.status, repeat.headers.get('location')]).toEqual([202, `/api/orders/${id}`]);
    expect(await repeat.json()).toMatchObject({ id, state: 'dispatched' });
    expect((await shop.checkOut('ana', 'declines', { key: 'k-1' })).status).toBe(422);
    expect((await shop.checkOut('bo', 'pays', { key: 'k-1' })).status).toBe(422);
    expect(await shop.stock('hammer')).toEqual([8, 0, 2]);
  });

  it('does not show the token, and takes an address as a text or by its fields', async () => {
    const shop = await Shop.open();
    await shop.put('ana', 'hammer', 1);
    const shipTo = { name: 'Ana', street: 'Main Street 1', city: 'Graz' };
    const answer = await shop.checkOut('ana', 'pays', { shipTo });
    expect(answer.status).toBe(202);
    const body = await answer.text();
    expect(JSON.parse(body)).toMatchObject({ shipTo, cartId: 'ana' });
    expect(body).not.toContain('token');
    const { id } = JSON.parse(body) as { id: string };
    expect(await shop.seen(id)).toMatchObject({ shipTo });
    await shop.app.quiet();
    expect(await shop.seen(id)).toMatchObject({ shipTo, state: 'dispatched' });
  });

  it.each([
    [{}, 400],
    [{ payment: {}, shipTo: 'Here' }, 400],
    [{ payment: { token: 'pays' } }, 400],
    [{ payment: { token: 'pays' }, shipTo: '' }, 400],
    [{ payment: { token: 'pays' }, shipTo: 'Here', discount: 100 }, 400],
  ])('with %j is not valid', async (body, status) => {
    const shop = await Shop.open({});
    expect((await shop.app.post('/api/carts/ana/checkout', body)).status).toBe(status);
  });

  it('of which there is no order is not found', async () => {
    const shop = await Shop.open({});
    for (const id of ['order-1', `order-${'0'.repeat(32)}`, '..%2f']) {
      expect((await shop.app.get(`/api/orders/${id}`)).status).toBe(404);
      expect((await shop.cancel(id)).status).toBe(404);
    }
  });
});

describe('a payment provider by HTTP', () => {
  /** A provider that answers as the test says. */
  async function provider(
    answer: (request: IncomingMessage, body: unknown) => { status: number; body?: unknown } | undefined,
  ): Promise<{ url: string; seen: string[] }> {
    const seen: string[] = [];
    const server = createServer((request, response) => {
      void (async () => {
        const body = request.method === 'POST' ? await json(request).catch(() => undefined) : undefined;
        seen.push(
          `${request.method} ${request.url} ${String(request.headers['idempotency-key'] ?? '')}`.trim(),
        );
        const given = answer(request, body);
        if (given === undefined) return;
        response
          .writeHead(given.status, { 'content-type': 'application/json' })
          .end(JSON.stringify(given.body ?? {}));
      })();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.close();
      server.closeAllConnections();
    });
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/`, seen };
  }
  const payment = { key: 'order-1', amount: { amount: 100, currency: 'EUR' }, token: 'tok' };

  it('gets the amount, the token and the idempotency key', async () => {
    let sent: unknown;
    const { url, seen } = await provider((request, body) => {
      sent ??= body;
      return { status: 201, body: { state: request.url!.endsWith('capture') ? 'captured' : 'authorised' } };
    });
    const payments = httpPayments(url);
    expect([await payments.authorise(payment), await payments.capture('order-1')]).toEqual([
      'authorised',
      'captured',
    ]);
    expect(sent).toEqual({ amount: 100, currency: 'EUR', token: 'tok' });
    expect(seen).toEqual(['POST /v1/payments order-1', 'POST /v1/payments/order-1/capture order-1-capture']);
  });

  it('is asked how the payment is when its answer is lost, late, or makes no sense', async () => {
    for (const lost of [undefined, { status: 503 }, { status: 200, body: { state: 'perhaps' } }]) {
      const { url, seen } = await provider(({ method }) =>
        method === 'GET' ? { status: 200, body: { state: 'captured' } } : lost,
      );
      const payments = httpPayments(url, 200);
      expect(await sure(payments, 'order-1', async () => payments.capture('order-1'))).toBe('captured');
      expect(seen.at(-1)).toBe('GET /v1/payments/order-1');
    }
  });

  it('declines with 402, and knows none with 404', async () => {
    const { url } = await provider(({ method }) => ({ status: method === 'GET' ? 404 : 402 }));
    const payments = httpPayments(url);
    expect([await payments.authorise(payment), await payments.state('order-1')]).toEqual([
      'declined',
      'none',
    ]);
  });

  it('is what an order is paid by, where the setting names it', async () => {
    let state = 'none';
    const { url, seen } = await provider(({ method, url: path }) => {
      state = path!.endsWith('/capture') ? 'captured' : 'authorised';
      return { status: 200, body: { state: method === 'GET' ? 'none' : state } };
    });
    const shop = await Shop.open(undefined, { settings: { PAYMENTS_URL: url } });
    const id = await shop.order({ hammer: 1 });
    await shop.app.quiet();
    expect(await shop.seen(id)).toMatchObject({ state: 'dispatched' });
    expect(seen).toEqual([`POST /v1/payments ${id}`, `POST /v1/payments/${id}/capture ${id}-capture`]);
    expect(await shop.payments()).toEqual(new Map());
  });
});
