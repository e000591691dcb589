/** What becomes of an order when people cancel, steps fail, and workflows die. */
import moment from 'moment';
import { describe, expect, it } from 'vitest';
import type { Activity } from '../../src/durable/index.js';
import type { Order } from '../../src/orders/model.js';
import { failed, stuck } from '../../src/orders/return-rules.js';
import { dueAt, linesTaken, placed, reservationsAnswered, watched } from '../../src/orders/rules.js';
import { Shop, steps, type SeenOrder } from './shop.js';

interface Reference {
  id: string;
}

/** The activities of an order on its way forward, in their order. */
const FORWARD = ['PriceLines', 'NoteReservations', 'AuthorisePayment', 'CapturePayment', 'HandOver'] as const;

/** The app's own activity, to be called from one that replaces it. */
async function own(name: string): Promise<(input: Reference) => Promise<unknown>> {
  const all = Object.values(await import('../../src/orders/activities.js')) as unknown as Activity<
    Reference,
    unknown
  >[];
  const { handler } = all.find(({ activityName }) => activityName === name)!;
  const context = { log() {}, error() {}, warn() {} };
  return async (input) => handler(input, context as never);
}

/** Goods, cart and money are as if there had been no order. */
async function expectNothingKept(shop: Shop, id: string, lines = ['2 hammer', '3 nails']): Promise<void> {
  expect([await shop.stock('hammer'), await shop.stock('nails'), await shop.lines('ana')]).toEqual([
    [10, 0, 0],
    [100, 0, 0],
    lines,
  ]);
  expect((await shop.payments()).get(id)?.state ?? 'reversed').toBe('reversed');
}

/** The order is bought, once. */
async function expectBought(shop: Shop, bought: SeenOrder): Promise<void> {
  expect(bought).toMatchObject({ state: 'dispatched', total: { amount: 5647 } });
  expect([await shop.stock('hammer'), await shop.stock('nails'), await shop.lines('ana')]).toEqual([
    [8, 0, 2],
    [97, 0, 3],
    [],
  ]);
  expect(await shop.payments()).toEqual(new Map([[bought.id, { state: 'captured', amount: 5647 }]]));
}

const order = async (shop: Shop, token = 'pays'): Promise<string> =>
  shop.order({ hammer: 2, nails: 3 }, token, { cartId: 'ana' });

describe('a cancel', () => {
  it.each(FORWARD.map((name) => ({ name, late: name === 'HandOver' })))(
    'before $name wins unless the money was captured',
    async ({ name, late }) => {
      const shop = await Shop.open();
      const real = await own(name);
      let status = 0;
      shop.app.replace(name, async (input: Reference) => {
        status ||= (await shop.cancel(input.id)).status;
        return real(input);
      });
      const id = await order(shop);
      await shop.app.quiet();
      const seen = await shop.seen(id);
      expect(status).toBe(late ? 409 : 202);
      if (late) return expectBought(shop, seen);
      expect(seen.state).toBe('cancelled');
      expect(seen.steps.at(-1)).toMatchObject({ step: 'notification', outcome: 'done' });
      return expectNothingKept(shop, id);
    },
  );

  it('at the moment of the capture wins or loses, and the money says the same', async () => {
    const shop = await Shop.open();
    const ids = await Promise.all(
      Array.from({ length: 6 }, async (_, index) =>
        shop.order({ nails: 2 }, 'pays', { cartId: `cart-${index}` }),
      ),
    );
    const answers = await Promise.all(ids.map(async (id) => (await shop.cancel(id)).status));
    await shop.app.quiet();
    const payments = await shop.payments();
    for (const [index, id] of ids.entries()) {
      const { state } = await shop.seen(id);
      expect([answers[index], state]).toEqual(state === 'dispatched' ? [409, state] : [202, 'cancelled']);
      expect(payments.get(id)?.state === 'captured').toBe(state === 'dispatched');
    }
    const [available, reserved, sold] = await shop.stock('nails');
    expect([available + sold, reserved]).toEqual([100, 0]);
  });

  it('of an order that has ended is refused, and its repeat is answered as it was', async () => {
    const shop = await Shop.open();
    const declined = await order(shop, 'declines');
    await shop.app.quiet();
    expect((await shop.cancel(declined)).status).toBe(409);
    shop.app.replace('AuthorisePayment', () => {
      throw new Error('Not yet');
    });
    const id = ((await (await shop.checkOut('ana', 'pays')).json()) as Reference).id;
    await shop.app.quiet();
    expect([(await shop.cancel(id)).status, (await shop.cancel(id)).status]).toEqual([202, 202]);
    await shop.app.skip({ minutes: 5 });
    expect([(await shop.cancel(id)).status, (await shop.seen(id)).state]).toEqual([202, 'cancelled']);
  });
});

describe('a step that fails for good', () => {
  it.each([
    ['PriceLines', 'The cart did not answer.'],
    ['NoteReservations', 'The stock did not answer.'],
    ['AuthorisePayment', 'The payment could not be authorised.'],
    ['CapturePayment', 'The goods could not be taken from the stock.'],
    ['HandOver', 'Dispatch could not send it.'],
  ])('%s: what was done is undone', async (name, reason) => {
    const shop = await Shop.open();
    shop.app.replace(name, () => {
      throw new Error('The ceiling came down');
    });
    const id = await order(shop);
    await shop.app.skip('idle');
    expect(await shop.seen(id)).toMatchObject({ state: 'failed', reason });
    await expectNothingKept(shop, id);
  });

  it('the capture, once it is decided and done: the money is given back', async () => {
    const shop = await Shop.open();
    const { changeOrder } = await import('../../src/orders/store.js');
    const { capturing } = await import('../../src/orders/rules.js');
    const { payments } = await import('../../src/orders/payments/index.js');
    // The money is taken, and the record never gets to know.
    shop.app.replace('CapturePayment', async ({ id }: Reference) => {
      await changeOrder(id, capturing);
      await payments().capture(id);
      throw new Error('The ceiling came down');
    });
    const id = await order(shop);
    await shop.app.quiet();
    expect((await shop.payments()).get(id)).toEqual({ state: 'captured', amount: 5647 });
    expect((await shop.cancel(id)).status).toBe(409);
    await shop.app.skip('idle');
    expect(await shop.seen(id)).toMatchObject({ state: 'failed', reason: 'The payment could not be taken.' });
    expect((await shop.payments()).get(id)).toMatchObject({ state: 'reversed' });
    await expectNothingKept(shop, id);
  });

  it('an entity: what was done is undone once it answers again', async () => {
    const shop = await Shop.open();
    await shop.put('ana', 'hammer', 2);
    await shop.put('ana', 'nails', 3);
    shop.app.replace('Stock', () => {
      throw new Error('The ceiling came down');
    });
    const { id } = (await (await shop.checkOut('ana', 'pays')).json()) as Reference;
    await shop.app.skip({ minutes: 2 });
    expect(await shop.seen(id)).toMatchObject({ state: 'in-progress', reason: 'The stock did not answer.' });
    shop.app.restore('Stock');
    await shop.app.skip({ minutes: 5 });
    expect(await shop.seen(id)).toMatchObject({ state: 'failed' });
    await expectNothingKept(shop, id);
  });

  it('dispatch: the operator is sent its messages, and in the end the money is given back', async () => {
    const shop = await Shop.open(undefined, { dispatchPoison: true });
    shop.app.replace('Dispatch', () => {
      throw new Error('No van');
    });
    const id = await order(shop);
    await shop.app.skip({ minutes: 5 });
    expect(await shop.seen(id)).toMatchObject({ state: 'in-progress' });
    await shop.app.skip({ hours: 8 });
    expect(await shop.seen(id)).toMatchObject({ state: 'failed', reason: 'Dispatch could not send it.' });
    await expectNothingKept(shop, id);
    expect((await shop.storage.notifications()).map(({ to, about }) => `${to} ${about}`)).toEqual([
      ...Array.from({ length: 3 }, () => `operator /api/orders/${id}`),
      `ana /api/orders/${id}`,
    ]);
  });

  it('dispatch for an hour: the order is asked for again, and sent', async () => {
    const shop = await Shop.open(undefined, { dispatchPoison: true });
    shop.app.replace('Dispatch', () => {
      throw new Error('No van');
    });
    const id = await order(shop);
    await shop.app.skip({ minutes: 30 });
    shop.app.restore('Dispatch');
    await shop.app.skip({ hours: 2 });
    expect(await shop.seen(id)).toMatchObject({ state: 'dispatched' });
    await expectBought(shop, await shop.seen(id));
  });

  it('a compensation: an operator is asked once, and the order ends when it can', async () => {
    const shop = await Shop.open();
    for (const name of ['CapturePayment', 'ReversePayment'])
      shop.app.replace(name, () => {
        throw new Error('The bank is on fire');
      });
    const id = await order(shop);
    await shop.app.skip('idle');
    const waiting = await shop.seen(id);
    expect(waiting).toMatchObject({ state: 'needs-attention' });
    expect(steps(waiting).slice(-2)).toEqual(['stock failed', 'authorisation undoing-failed']);
    expect(await shop.lines('ana')).toEqual([]);
    // Trying again while nothing has changed asks nobody again.
    await shop.app.post(`/api/orders/${id}/retry`);
    await shop.app.skip('idle');
    const notifications = await shop.storage.notifications();
    expect(notifications).toMatchObject([{ to: 'operator', about: `/api/orders/${id}` }]);
    expect(notifications[0]!.text).toContain('The bank is on fire');

    shop.app.restore('ReversePayment');
    expect((await shop.app.post(`/api/orders/${id}/retry`)).status).toBe(202);
    await shop.app.quiet();
    expect(await shop.seen(id)).toMatchObject({ state: 'failed' });
    await expectNothingKept(shop, id);
    expect((await shop.app.post(`/api/orders/${id}/retry`)).status).toBe(409);
  });
});

it('an order that waits for a person is watched, and is not overdue', () => {
  const at = moment.utc('2030-01-01T12:03:00Z');
  const due = (each: Order): string | undefined => dueAt(each)?.slice(5, 16);
  const checkout = {
    cartId: 'ana',
    cartKey: 'ana',
    buyer: 'ana',
    payment: { token: 'pays' },
    shipTo: 'Here',
  };
  const taking = placed('order-1', checkout, { requestHash: 'hash', approvalLimit: 0 }, at);
  const reserving = linesTaken(taking, [{ sku: 'lathe', quantity: 1 }], at);
  const approving = reservationsAnswered(reserving, [], at);
  const attention = stuck(failed(approving, at), 'approval', at);
  expect([taking, approving, attention].map(due)).toEqual(['01-01T12:20', '01-01T13:20', '01-02T12:20']);
  const later = at.clone().add(30, 'hours');
  expect([taking, approving, attention].map((each) => due(watched(each, later)))).toEqual([
    '01-01T12:20',
    '01-02T19:20',
    '01-03T18:20',
  ]);
});

describe('a workflow', () => {
  it('that does everything twice buys once', async () => {
    const shop = await Shop.open();
    for (const name of [...FORWARD, 'Conclude']) {
      const real = await own(name);
      shop.app.replace(name, async (input: Reference) => {
        await real(input);
        return real(input);
      });
    }
    const id = await order(shop);
    await shop.app.quiet();
    const seen = await shop.seen(id);
    await expectBought(shop, seen);
    expect(steps(seen)).toHaveLength(new Set(steps(seen)).size);
  });

  it('that dies at any step is started again by the sweep, and buys once', async () => {
    const shop = await Shop.open({ nails: 100 }, { sweep: true });
    const ids = new Map<string, string>();
    for (const name of FORWARD) {
      const real = await own(name);
      // The step is done, and the workflow does not get to know.
      shop.app.replace(name, async (input: Reference) => {
        await real(input);
        throw new Error('The host was killed');
      });
      const id = await shop.order({ nails: 2 });
      await shop.app.quiet();
      await shop.app.terminate(id);
      shop.app.restore(name);
      ids.set(id, name);
    }
    await shop.app.skip({ minutes: 25 });
    for (const [id, name] of ids) {
      expect(await shop.seen(id), name).toMatchObject({ state: 'dispatched' });
      expect(await shop.app.instance(id), name).toMatchObject({ runtimeStatus: 'Completed' });
    }
    expect(await shop.stock('nails')).toEqual([100 - 2 * ids.size, 0, 2 * ids.size]);
    const payments = [...(await shop.payments()).values()];
    expect(payments).toEqual(payments.map(() => ({ state: 'captured', amount: 1298 })));
  });

  it('that dies on its way back is started again by the sweep, and undoes all', async () => {
    const shop = await Shop.open(undefined, { sweep: true });
    shop.app.replace('NoteUndone', () => {
      throw new Error('The host was killed');
    });
    const id = await order(shop, 'declines');
    await shop.app.quiet();
    await shop.app.terminate(id);
    shop.app.restore('NoteUndone');
    await shop.app.skip({ minutes: 25 });
    expect(await shop.seen(id)).toMatchObject({ state: 'failed', reason: 'The payment was declined.' });
    expect(await shop.lines('ana')).toEqual(['2 hammer', '3 nails']);
  });

  it('whose approval is decided at the moment at which it is opened goes on at once', async () => {
    const shop = await Shop.open();
    const { openApproval } = await import('../../src/approvals/requests.js');
    const opening = async (
      input: Parameters<typeof openApproval.handler>[0],
      context: Parameters<typeof openApproval.handler>[1],
    ): Promise<unknown> => {
      const opened = await openApproval.handler(input, context);
      const decision = { decision: 'approved', by: 'kim' };
      expect((await shop.app.post(`/api/approvals/${input.id}/decision`, decision)).status).toBe(200);
      return opened;
    };
    shop.app.replace('OpenApproval', opening as unknown as (input: never) => unknown);
    const id = await shop.order({ lathe: 1 }, 'pays', { approver: 'kim' });
    await shop.app.quiet();
    expect(await shop.seen(id)).toMatchObject({ state: 'dispatched' });
    // A real host loses the start of a sub-orchestration whose instance the decision has started: the order would wait in vain.
    const answer = await shop.app.get(`/api/operations/instances/${id}/history`);
    const { status, history } = (await answer.json()) as { status: string; history: { EventType: string }[] };
    expect(status).toBe('Completed');
    expect(history.map(({ EventType }) => EventType).filter((type) => type.startsWith('Sub'))).toEqual([]);
  });

  it('that dies while it waits for an approval goes on once that is decided', async () => {
    const shop = await Shop.open(undefined, { sweep: true });
    const id = await shop.order({ lathe: 1 }, 'pays', { approver: 'kim' });
    await shop.app.quiet();
    await shop.app.terminate(id);
    await shop.decide(id, 'approved', 'kim');
    expect(await shop.seen(id)).toMatchObject({ state: 'awaiting-approval' });
    await shop.app.skip({ minutes: 82 });
    expect(await shop.seen(id)).toMatchObject({ state: 'dispatched' });
    expect(await shop.stock('lathe')).toEqual([4, 0, 1]);
  });
});
