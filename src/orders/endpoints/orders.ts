import { createHash, randomUUID } from 'node:crypto';
import * as df from 'durable-functions';
import moment from 'moment';
import {
  accepted,
  callerOf,
  check,
  fingerprint,
  idempotencyKey,
  keyReused,
  problemOf,
  readJson,
  requireInvolved,
  requireOperator,
  resourceRoute,
  unlessRefused,
  withProblems,
  type Handler,
} from '../../http/index.js';
import { refuse } from '../../refusals/index.js';
import { approvalLimit } from '../approval-limit.js';
import { cart } from '../entities.js';
import { checkoutRequest, type Order } from '../model.js';
import { cancelled } from '../return-rules.js';
import { isOver, placed, stateOf } from '../rules.js';
import { orders } from '../store.js';
import { goOnWithOrder } from '../workflows.js';
import { cartOf } from './carts.js';

/** What {@link checkOut} makes. */
const { idOf, unknown } = resourceRoute({
  missing: 'There is no order',
  pattern: /^order-[0-9a-f]{32}$/,
  parameter: 'orderId',
});

/** `POST /api/carts/{cartId}/checkout` `{ payment: { token }, shipTo, approver? }` */
export const checkOut: Handler = async (request, client) => {
  const { id: cartId, key: cartKey, location } = cartOf(request);
  const wanted = check(checkoutRequest, await readJson(request));
  const buyer = callerOf(request, { field: 'cartId', name: cartId });
  const requestHash = fingerprint({ ...wanted, cartId, buyer });
  const key = idempotencyKey(request) ?? randomUUID();
  const id = `order-${createHash('sha256').update(key).digest('hex').slice(0, 32)}`;

  let order = await orders.read(id);
  let isNew = false;
  if (order === undefined) {
    // Whether the cart is another order's by the time this one takes its lines, the workflow finds out.
    if ((await cart.read(client, cartKey)).lines.length === 0) {
      throw problemOf(
        refuse('conflict', 'The cart is empty', `Put something in: PUT ${location}/items/{sku}`),
      );
    }
    const decided = { requestHash, approvalLimit: approvalLimit() };
    const placing = placed(id, { ...wanted, cartId, cartKey, buyer }, decided, moment.utc());
    const { record, inserted } = await orders.insert(placing, { isNew: true });
    order = record;
    isNew = inserted;
  }
  if (order.requestHash !== requestHash) {
    throw keyReused();
  }
  await goOnWithOrder(client, order, { isNew });
  return accepted(`/api/orders/${id}`, view(order));
};

/** `GET /api/orders/{orderId}` */
export const getOrder: Handler = async (request) => {
  const order = (await orders.read(idOf(request))) ?? unknown(request);
  requireInvolved(request, [order.buyer, order.approver]);
  return { jsonBody: view(order) };
};

/** `DELETE /api/orders/{orderId}`: cancels it, unless its money is being taken. */
export const cancelOrder: Handler = async (request, client, context) => {
  const id = idOf(request);
  const { record } =
    unlessRefused(
      await orders.change(id, (order) => {
        requireInvolved(request, [order.buyer]);
        return cancelled(order, moment.utc());
      }),
    ) ?? unknown(request);
  // It is cancelled, also if its workflow only finds out later.
  await goOnWithOrder(client, record).catch((error: unknown) => {
    context.warn('The workflow of %s was not woken', id, error);
  });
  return accepted(`/api/orders/${id}`, view(record));
};

/** `POST /api/orders/{orderId}/retry`: for operators, once the cause of a failure is gone. */
export const retryOrder: Handler = async (request, client) => {
  requireOperator(request);
  const order = (await orders.read(idOf(request))) ?? unknown(request);
  if (isOver(order)) {
    throw problemOf(
      refuse('over', `The order is ${stateOf(order)}`, `Get /api/orders/${order.id} for what happened.`),
    );
  }
  await goOnWithOrder(client, order);
  return accepted(`/api/orders/${order.id}`, view(order));
};

/** The order as callers see it. */
function view(order: Order): object {
  const { id, cartId, buyer, lines, total, shipTo, approver, steps, createdAt, approval, ending, attention } =
    order;
  return {
    id,
    state: stateOf(order),
    reason: attention ?? ending?.reason,
    cartId,
    buyer,
    approval: approval === undefined ? undefined : `/api/approvals/${approval}`,
    lines,
    total,
    shipTo,
    approver,
    createdAt,
    steps,
  };
}

df.app.client.http('CheckOut', {
  route: 'api/carts/{cartId}/checkout',
  methods: ['POST'],
  authLevel: 'function',
  handler: withProblems(checkOut),
});
df.app.client.http('GetOrder', {
  route: 'api/orders/{orderId}',
  methods: ['GET'],
  authLevel: 'function',
  handler: withProblems(getOrder),
});
df.app.client.http('CancelOrder', {
  route: 'api/orders/{orderId}',
  methods: ['DELETE'],
  authLevel: 'function',
  handler: withProblems(cancelOrder),
});
df.app.client.http('RetryOrder', {
  route: 'api/orders/{orderId}/retry',
  methods: ['POST'],
  authLevel: 'function',
  handler: withProblems(retryOrder),
});
