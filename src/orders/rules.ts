import moment, { type Moment } from 'moment';
import { productOf, CURRENCY } from './catalogue.js';
import type { CartLine, Checkout, Order, OrderLine, OrderState, Plan } from './model.js';
import { has, noting, turnedBack } from './return-rules.js';

/** The record of a new order, which has taken nothing yet. */
export function placed(
  id: string,
  checkout: Checkout,
  { requestHash, approvalLimit }: Pick<Order, 'requestHash' | 'approvalLimit'>,
  at: Moment,
): Order {
  const { payment, ...rest } = checkout;
  const order: Order = {
    ...rest,
    id,
    token: payment.token,
    ticket: at.valueOf(),
    stage: 'taking',
    lines: [],
    total: { amount: 0, currency: CURRENCY },
    steps: [],
    createdAt: at.toISOString(),
    requestHash,
    approvalLimit,
  };
  return noting(order, 'checkout', 'done', `The cart ${checkout.cartId} was checked out.`, at);
}

/** A line with what it costs; `undefined` when the product is no longer sold. */
export function priced({ sku, quantity }: CartLine): OrderLine | undefined {
  const product = productOf(sku);
  return (
    product && {
      sku,
      name: product.name,
      quantity,
      price: product.price,
      amount: product.price.amount * quantity,
    }
  );
}

/** What priced lines cost together. */
export function totalOf(lines: readonly OrderLine[]): { amount: number; currency: string } {
  return { amount: lines.reduce((sum, { amount }) => sum + amount, 0), currency: CURRENCY };
}

/** The order with a ticket beyond `horizon`, while it still needs one. */
export function withTicketBeyond(order: Order, horizon: number, at: Moment): Order {
  const needsOne = order.stage === 'taking' || order.stage === 'reserving';
  return needsOne && order.ticket <= horizon
    ? { ...order, ticket: Math.max(horizon + 1, at.valueOf()) }
    : order;
}

/** The order with the lines that its cart gave, priced; without lines it ends. */
export function linesTaken(order: Order, taken: readonly CartLine[], at: Moment): Order {
  if (order.stage !== 'taking') {
    return order;
  }
  const lines = taken.map(priced).filter((line) => line !== undefined);
  if (taken.length === 0) {
    return turnedBack(
      order,
      'failed',
      ['cart', 'refused', 'The cart was empty: another order had its lines.'],
      at,
    );
  }
  if (lines.length < taken.length) {
    const gone = taken.find((line) => priced(line) === undefined)?.sku;
    return turnedBack(order, 'failed', ['cart', 'refused', `The product ${gone} is no longer sold.`], at);
  }
  const text = `${count(lines.length, 'line')} taken from the cart.`;
  return noting({ ...order, stage: 'reserving', lines, total: totalOf(lines) }, 'cart', 'done', text, at);
}

/** A line that the stock could not fill. */
export interface Shortage {
  sku: string;
  available: number;
}

/** The order after all its lines were reserved, or one was not. Over its limit it waits for an approval. */
export function reservationsAnswered(order: Order, shortages: readonly Shortage[], at: Moment): Order {
  if (order.stage !== 'reserving') {
    return order;
  }
  if (shortages.length > 0) {
    const text = shortages.map(({ sku, available }) => `Of ${sku} there are only ${available}.`).join(' ');
    return turnedBack(order, 'failed', ['reservation', 'refused', text], at);
  }
  const reserved = noting(order, 'reservation', 'done', 'Everything is reserved.', at);
  return order.total.amount > order.approvalLimit
    ? noting(
        { ...reserved, stage: 'approving' },
        'approval',
        'waiting',
        `The total is over ${order.approvalLimit}: somebody has to approve.`,
        at,
      )
    : { ...reserved, stage: 'authorising' };
}

/** An approval as the approvals feature takes it. */
export interface ApprovalRequest {
  id: string;
  wanted: Record<
    'subject' | 'details' | 'requestedBy' | 'approver' | 'escalateTo' | 'respondWithin' | 'escalateWithin',
    string
  >;
}

/** The approval that an order over the limit needs: five days to answer, then two more for the operator. */
export function approvalWanted(order: Order, operator: string): ApprovalRequest {
  const { id, buyer, approver = operator, lines, total } = order;
  return {
    // No caller can take this id before: `keyFor` never makes such an underscore.
    id: `approval-_${id}`,
    wanted: {
      subject: `An order of ${buyer} for ${(total.amount / 100).toFixed(2)} ${total.currency}`,
      details: [`/api/orders/${id}`, ...lines.map(({ quantity, name }) => `${quantity} ${name}`)].join('\n'),
      requestedBy: buyer,
      approver,
      escalateTo: operator,
      respondWithin: 'P5D',
      escalateWithin: 'P2D',
    },
  };
}

/** The order whose approval was asked for. */
export function approvalAsked(order: Order, approval: string): Order {
  return order.stage === 'approving' && order.approval === undefined ? { ...order, approval } : order;
}

/** How an approval is. */
export interface ApprovalOutcome {
  state: 'pending' | 'escalated' | 'approved' | 'rejected' | 'expired' | 'withdrawn';
  decidedBy?: string | undefined;
  comment?: string | undefined;
}

/** The order after its approval ended; the same while it waits. */
export function approvalEnded(
  order: Order,
  { state, decidedBy, comment }: ApprovalOutcome,
  at: Moment,
): Order {
  if (order.stage !== 'approving') {
    return order;
  }
  const said = comment ? `: ${comment}` : '.';
  switch (state) {
    case 'approved':
      return noting(
        { ...order, stage: 'authorising' },
        'approval',
        'done',
        `Approved by ${decidedBy}${said}`,
        at,
      );
    case 'rejected':
      return turnedBack(order, 'rejected', ['approval', 'refused', `Rejected by ${decidedBy}${said}`], at);
    case 'pending':
    case 'escalated':
      return order;
    case 'expired':
    case 'withdrawn':
      return turnedBack(order, 'rejected', ['approval', 'refused', 'Nobody has approved it in time.'], at);
  }
}

/** The order after the payment provider answered. */
export function authorisationAnswered(order: Order, answer: 'authorised' | 'declined', at: Moment): Order {
  if (order.stage !== 'authorising') {
    return order;
  }
  return answer === 'authorised'
    ? noting({ ...order, stage: 'committing' }, 'authorisation', 'done', 'The payment is authorised.', at)
    : turnedBack(order, 'failed', ['authorisation', 'refused', 'The payment was declined.'], at);
}

/** The order from whose payment the money is taken now: from here on nobody can cancel it. */
export function capturing(order: Order, at: Moment): Order {
  return order.stage === 'committing'
    ? noting({ ...order, stage: 'capturing' }, 'stock', 'done', 'The goods have left the stock.', at)
    : order;
}

/** The order that is paid. */
export function captured(order: Order, at: Moment): Order {
  return order.stage === 'capturing'
    ? noting({ ...order, stage: 'dispatching' }, 'capture', 'done', 'The order is paid.', at)
    : order;
}

/** The paid order, once dispatch has been asked to send it. */
export function handedOver(order: Order, at: Moment): Order {
  return order.stage === 'dispatching' && !has(order, 'dispatch', 'waiting')
    ? noting(order, 'dispatch', 'waiting', 'Dispatch was asked to send it.', at)
    : order;
}

/** The order that dispatch has sent. */
export function dispatched(order: Order, at: Moment): Order {
  return order.stage === 'dispatching'
    ? noting({ ...order, stage: 'dispatched' }, 'dispatch', 'done', 'The order is on its way.', at)
    : order;
}

/** The order whose buyer knows how it ended. */
export function notified(order: Order, at: Moment): Order {
  return isOver(order) ? order : noting(order, 'notification', 'done', 'The buyer was notified.', at);
}

/** Whether nothing has to happen any more. */
export function isOver(order: Order): boolean {
  return has(order, 'notification', 'done');
}

/**
 * By when something must have happened to an order. What may wait long is only watched: an order that waits for its approval every
 * hour, one that needs an operator every day.
 */
export function dueAt(order: Order): string | undefined {
  if (isOver(order)) {
    return undefined;
  }
  const { stage, attention, watchedAt, steps, createdAt } = order;
  const last = steps.at(-1)?.at ?? createdAt;
  const seen = moment.utc(watchedAt !== undefined && watchedAt > last ? watchedAt : last);
  if (attention !== undefined) {
    return slotAfter(seen.add(1, 'day').toISOString());
  }
  return slotAfter(stage === 'approving' ? seen.add(1, 'hour').toISOString() : last);
}

/** Since when nothing has to happen to an order; `undefined` before. */
export function overSince(order: Order): string | undefined {
  return isOver(order) ? order.steps.at(-1)!.at : undefined;
}

/** The order that was looked at while it may wait. */
export function watched(order: Order, at: Moment): Order {
  return order.stage === 'approving' || order.attention !== undefined
    ? { ...order, watchedAt: at.toISOString() }
    : order;
}

/** Ten to twenty minutes later, on the full ten minutes: the index changes only when the slot does, not with each step. */
export function slotAfter(time: string): string {
  const slot = 10 * 60_000;
  return moment.utc((Math.floor(Date.parse(time) / slot) + 2) * slot).toISOString();
}

/** The order's state, as callers see it. */
export function stateOf({ stage, ending, attention }: Order): OrderState {
  if (attention !== undefined) {
    return 'needs-attention';
  }
  switch (stage) {
    case 'approving':
      return 'awaiting-approval';
    case 'dispatched':
      return stage;
    case 'undone':
      return ending?.outcome ?? 'failed';
    default:
      return 'in-progress';
  }
}

/** What the workflow needs of an order. */
export function planOf({ id, cartKey, ticket, stage, lines, approval, ending }: Order): Plan {
  return {
    id,
    cart: cartKey,
    ticket,
    stage,
    lines: lines.map(({ sku, quantity }) => ({ sku, quantity })),
    approval,
    undo: ending?.undo ?? [],
  };
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
