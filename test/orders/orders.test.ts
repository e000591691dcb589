/** What becomes of an order: each outcome of each step, on a clock that skips. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Shop, steps } from './shop.js';

const LATHE = 245_000;

describe('an order', () => {
  it('is paid and dispatched, and adds up', async () => {
    const shop = await Shop.open({ hammer: 10, nails: 100 }, { verifyReplay: true });
    const id = await shop.order({ hammer: 2, nails: 3 }, 'pays', { cartId: 'ana' });
    await shop.app.quiet();
    const order = await shop.seen(id);
    expect(order).toMatchObject({
      state: 'dispatched',
      lines: [
        {
          sku: 'hammer',
          name: 'Hammer, 500 g',
          quantity: 2,
          price: { amount: 1850, currency: 'EUR' },
          amount: 3700,
        },
        { sku: 'nails', quantity: 3, amount: 1947 },
      ],
      total: { amount: 5647, currency: 'EUR' },
    });
    expect(steps(order)).toEqual([
      'checkout done',
      'cart done',
      'reservation done',
      'authorisation done',
      'stock done',
      'capture done',
      'dispatch waiting',
      'dispatch done',
      'notification done',
    ]);
    expect([await shop.stock('hammer'), await shop.stock('nails')]).toEqual([
      [8, 0, 2],
      [97, 0, 3],
    ]);
    expect(await shop.payments()).toEqual(new Map([[id, { state: 'captured', amount: 5647 }]]));
    expect(await shop.lines('ana')).toEqual([]);
    expect(await shop.app.instance(id)).toMatchObject({ runtimeStatus: 'Completed', output: 'dispatched' });
    expect(await shop.storage.notifications()).toMatchObject([
      { to: 'ana', subject: `Your order ${id} is dispatched`, about: `/api/orders/${id}` },
    ]);
  });

  it.each([
    [
      'declines',
      'The payment was declined.',
      ['authorisation refused', 'reservation undone', 'cart undone'],
      'declined',
    ],
    [
      'hangs',
      'The payment could not be authorised.',
      ['authorisation failed', 'authorisation undone', 'reservation undone', 'cart undone'],
      'reversed',
    ],
  ])('whose payment %s leaves everything as it was', async (token, reason, expected, payment) => {
    const shop = await Shop.open();
    const id = await shop.order({ hammer: 2, nails: 3 }, token, { cartId: 'ana' });
    await shop.app.skip({ minutes: 5 });
    const order = await shop.seen(id);
    expect(order).toMatchObject({ state: 'failed', reason });
    expect(steps(order)).toEqual([
      'checkout done',
      'cart done',
      'reservation done',
      ...expected,
      'notification done',
    ]);
    expect([await shop.stock('hammer'), await shop.stock('nails')]).toEqual([
      [10, 0, 0],
      [100, 0, 0],
    ]);
    expect(await shop.lines('ana')).toEqual(['2 hammer', '3 nails']);
    expect((await shop.payments()).get(id)).toMatchObject({ state: payment });
    expect(await shop.storage.notifications()).toMatchObject([{ to: 'ana', text: reason }]);
  });

  it.each(['fails-twice', 'loses-answer'])('whose payment %s is paid once', async (token) => {
    const shop = await Shop.open();
    const id = await shop.order({ hammer: 2 }, token);
    await shop.app.skip({ minutes: 5 });
    expect(await shop.seen(id)).toMatchObject({ state: 'dispatched' });
    expect(await shop.payments()).toEqual(new Map([[id, { state: 'captured', amount: 3700 }]]));
    expect(await shop.stock('hammer')).toEqual([8, 0, 2]);
  });

  it('with one line too many takes none, and says which', async () => {
    const shop = await Shop.open();
    const id = await shop.order({ nails: 3, hammer: 11 }, 'pays', { cartId: 'ana' });
    await shop.app.quiet();
    expect(await shop.seen(id)).toMatchObject({ state: 'failed', reason: 'Of hammer there are only 10.' });
    expect([await shop.stock('hammer'), await shop.stock('nails')]).toEqual([
      [10, 0, 0],
      [100, 0, 0],
    ]);
    expect(await shop.lines('ana')).toEqual(['3 nails', '11 hammer']);
    expect(await shop.payments()).toEqual(new Map());
  });

  it('that fails gives its lines back to a cart that was changed meanwhile', async () => {
    const shop = await Shop.open();
    shop.app.replace('AuthorisePayment', () => {
      throw new Error('Not yet');
    });
    const id = await shop.order({ hammer: 2, nails: 3 }, 'declines', { cartId: 'ana' });
    await shop.app.quiet();
    expect(await shop.lines('ana')).toEqual([]);
    await shop.put('ana', 'nails', 50);
    await shop.put('ana', 'glue', 1);
    shop.app.restore('AuthorisePayment');
    await shop.app.skip({ minutes: 1 });
    expect(await shop.seen(id)).toMatchObject({ state: 'failed' });
    expect(await shop.lines('ana')).toEqual(['50 nails', '1 glue', '2 hammer']);
  });

  it('of two of one cart at once takes the lines, and the other has none', async () => {
    const shop = await Shop.open();
    await shop.put('ana', 'hammer', 2);
    const answers = await Promise.all([1, 2, 3].map(async () => shop.checkOut('ana', 'pays')));
    await shop.app.quiet();
    const orders = await Promise.all(
      answers
        .filter(({ status }) => status === 202)
        .map(async (answer) => shop.seen(((await answer.json()) as { id: string }).id)),
    );
    expect(orders.filter(({ state }) => state === 'dispatched')).toHaveLength(1);
    expect(new Set(orders.filter(({ state }) => state !== 'dispatched').map(({ reason }) => reason))).toEqual(
      new Set(orders.length > 1 ? ['The cart was empty: another order had its lines.'] : []),
    );
    expect([await shop.stock('hammer'), await shop.lines('ana')]).toEqual([[8, 0, 2], []]);
  });

  it('is dispatched once, however often dispatch is asked', async () => {
    const shop = await Shop.open();
    const id = await shop.order({ hammer: 2 });
    await shop.app.quiet();
    const before = await shop.seen(id);
    await shop.app.run('Dispatch', { orderId: id });
    expect(await shop.seen(id)).toEqual(before);
    const failed = await shop.order({ hammer: 2 }, 'declines');
    await shop.app.quiet();
    await shop.app.run('Dispatch', { orderId: failed });
    expect(await shop.seen(failed)).toMatchObject({ state: 'failed' });
  });
});

describe('an order over the limit', () => {
  const open = async (): Promise<[Shop, string]> => {
    const shop = await Shop.open();
    const id = await shop.order({ lathe: 1 }, 'pays', { cartId: 'ana', approver: 'kim' });
    await shop.app.quiet();
    expect(await shop.seen(id)).toMatchObject({ state: 'awaiting-approval' });
    expect(await shop.stock('lathe')).toEqual([4, 1, 0]);
    return [shop, id];
  };

  it('waits, and is bought once it is approved', async () => {
    const [shop, id] = await open();
    await shop.app.skip({ days: 3 });
    expect(await shop.seen(id)).toMatchObject({ state: 'awaiting-approval' });
    await shop.decide(id, 'approved', 'kim');
    expect(await shop.seen(id)).toMatchObject({ state: 'dispatched' });
    expect(await shop.payments()).toEqual(new Map([[id, { state: 'captured', amount: LATHE }]]));
    expect(await shop.storage.notifications()).toMatchObject([
      { to: 'kim', subject: 'Please decide: An order of ana for 2450.00 EUR' },
      { to: 'ana', subject: 'Approved: An order of ana for 2450.00 EUR' },
      { to: 'ana', subject: `Your order ${id} is dispatched` },
    ]);
  });

  it('is rejected with the words of who rejected it', async () => {
    const [shop, id] = await open();
    await shop.decide(id, 'rejected', 'kim', 'Too expensive');
    expect(await shop.seen(id)).toMatchObject({
      state: 'rejected',
      reason: 'Rejected by kim: Too expensive',
    });
    expect([await shop.stock('lathe'), await shop.lines('ana')]).toEqual([[5, 0, 0], ['1 lathe']]);
  });

  it('is rejected after a week in which nobody has decided, neither the approver nor the operator', async () => {
    const [shop, id] = await open();
    await shop.app.skip({ days: 6 });
    expect(await shop.seen(id)).toMatchObject({ state: 'awaiting-approval' });
    await shop.app.skip({ days: 1 });
    expect(await shop.seen(id)).toMatchObject({
      state: 'rejected',
      reason: 'Nobody has approved it in time.',
    });
    expect([await shop.stock('lathe'), await shop.lines('ana')]).toEqual([[5, 0, 0], ['1 lathe']]);
    expect((await shop.storage.notifications()).map(({ to }) => to)).toEqual([
      'kim',
      'operator',
      'ana',
      'ana',
    ]);
  });

  it('is cancelled while it waits, and nobody has to decide any more', async () => {
    const [shop, id] = await open();
    const { approval } = await shop.seen(id);
    expect((await shop.cancel(id)).status).toBe(202);
    await shop.app.quiet();
    expect(await shop.seen(id)).toMatchObject({ state: 'cancelled' });
    expect(await (await shop.app.get(approval!)).json()).toMatchObject({ state: 'withdrawn' });
    expect([await shop.stock('lathe'), await shop.lines('ana')]).toEqual([[5, 0, 0], ['1 lathe']]);
    expect(await shop.app.instance(id)).toMatchObject({ runtimeStatus: 'Completed' });
  });

  it('takes its limit from a setting', async () => {
    const shop = await Shop.open({ nails: 9 }, { settings: { ORDER_APPROVAL_LIMIT: '1297' } });
    const [under, over] = [await shop.order({ nails: 1 }), await shop.order({ nails: 2 })];
    await shop.app.quiet();
    expect([(await shop.seen(under)).state, (await shop.seen(over)).state]).toEqual([
      'dispatched',
      'awaiting-approval',
    ]);
  });

  it('is not placed while the setting of the limit is not a number', async () => {
    const settings = { ORDER_APPROVAL_LIMIT: '1.000,00' };
    const shop = await Shop.open({ nails: 9 }, { settings });
    await shop.put('ana', 'nails', 1);
    await shop.app.quiet();
    expect((await shop.checkOut('ana', 'pays', { key: 'one' })).status).toBe(500);
    expect([await shop.stock('nails'), await shop.lines('ana')]).toEqual([[9, 0, 0], ['1 nails']]);
    expect((await shop.app.instances()).filter(({ name }) => name === 'OrderOrchestrator')).toEqual([]);
    const { approvalLimit } = await import('../../src/orders/approval-limit.js');
    vi.stubEnv('ORDER_APPROVAL_LIMIT', settings.ORDER_APPROVAL_LIMIT);
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    expect(approvalLimit).toThrow("whole number of minor units, not '1.000,00'");
  });
});
