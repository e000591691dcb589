import type { Moment } from 'moment';
import moment from 'moment';
import { Refusal } from '../refusals/index.js';
import { queue, recordStore } from '../storage/index.js';
import { orderRecord, receiptRecord, type Order, type Receipt } from './model.js';
import { dueAt, overSince, slotAfter } from './rules.js';

/** The orders. */
export const orders = recordStore({
  table: 'Orders',
  schema: orderRecord,
  indexVersion: 2,
  dueAt,
  endedAt: overSince,
});

/** The receipts of goods. */
export const receipts = recordStore({
  table: 'Receipts',
  schema: receiptRecord,
  indexVersion: 2,
  dueAt: ({ state, receivedAt }) => (state === 'closed' ? undefined : slotAfter(receivedAt)),
  endedAt: ({ state, receivedAt }) => (state === 'closed' ? receivedAt : undefined),
});

/** The queue of the orders that are to be sent. */
export const DISPATCH = 'dispatch';

/** An order to be sent, as it is queued: this, as JSON, in base64. */
export interface DispatchMessage {
  orderId: string;
}

/** Asks dispatch to send an order. */
export async function sendToDispatch(message: DispatchMessage): Promise<void> {
  // Base64 is what a queue trigger expects unless host.json says otherwise.
  await (await queue(DISPATCH)).sendMessage(Buffer.from(JSON.stringify(message)).toString('base64'));
}

/** The order of that id. @throws Error when there is none */
export async function orderOf(id: string): Promise<Order> {
  return (await orders.read(id)) ?? unknown(id);
}

/**
 * The order after a rule that never refuses.
 *
 * @param which its id, or the order as it was read
 * @throws Error when there is none of that id
 */
export async function changeOrder(
  which: string | Order,
  rule: (order: Order, at: Moment) => Order,
): Promise<Order> {
  const result = await orders.change(which, (order) => rule(order, moment.utc()));
  const id = typeof which === 'string' ? which : which.id;
  return result === undefined || result instanceof Refusal ? unknown(id) : result.record;
}

/** The receipt after a rule that never refuses. @throws Error when there is none of that id */
export async function changeReceipt(id: string, rule: (receipt: Receipt) => Receipt): Promise<Receipt> {
  const result = await receipts.change(id, rule);
  return result === undefined || result instanceof Refusal ? unknown(id) : result.record;
}

function unknown(id: string): never {
  throw new Error(`There is no record ${id}`);
}
