import { activity } from '../durable/index.js';
import { notify, operator } from '../notifications/index.js';
import type { CartLine, OrderState, Plan, Step } from './model.js';
import { payments, sure } from './payments/index.js';
import { concluded, failed, stuck, undone } from './return-rules.js';
import {
  approvalAsked,
  approvalEnded,
  approvalWanted,
  authorisationAnswered,
  captured,
  capturing,
  handedOver,
  isOver,
  linesTaken,
  notified,
  planOf,
  reservationsAnswered,
  stateOf,
  withTicketBeyond,
  type ApprovalOutcome,
  type ApprovalRequest,
  type Shortage,
} from './rules.js';
import { changeOrder, changeReceipt, orderOf, sendToDispatch } from './store.js';

/** Which order, or which receipt, an activity is about. */
export interface Reference {
  id: string;
}

/** Reads the part of an order that its workflow uses. */
export const readPlan = activity('ReadOrder', async ({ id }: Reference): Promise<Plan> =>
  planOf(await orderOf(id)),
);

/** Gives an order a later ticket, if it still needs one. */
export const renewTicket = activity(
  'RenewTicket',
  async ({ id, horizon }: Reference & { horizon: number }): Promise<Plan> =>
    planOf(await changeOrder(id, (order, at) => withTicketBeyond(order, horizon, at))),
);

/** Prices the lines that the cart gave, and records them. */
export const priceLines = activity(
  'PriceLines',
  async ({ id, lines }: Reference & { lines: CartLine[] }): Promise<Plan> =>
    planOf(await changeOrder(id, (order, at) => linesTaken(order, lines, at))),
);

/** Records what the stock answered. */
export const noteReservations = activity(
  'NoteReservations',
  async ({ id, shortages }: Reference & { shortages: Shortage[] }): Promise<Plan> =>
    planOf(await changeOrder(id, (order, at) => reservationsAnswered(order, shortages, at))),
);

/** Which approval the workflow waits for, while it still does. */
export interface ApprovalPlan {
  order: Plan;
  approval: ApprovalRequest;
}

/** Records that the order asks for an approval. @returns the approval to open */
export const noteApprovalAsked = activity(
  'NoteApprovalAsked',
  async ({ id }: Reference): Promise<ApprovalPlan> => {
    const order = await orderOf(id);
    const approval = approvalWanted(order, operator());
    return {
      order: planOf(await changeOrder(order, (current) => approvalAsked(current, approval.id))),
      approval,
    };
  },
);

/** Records the outcome of an order's approval, if there is one. */
export const noteApproval = activity(
  'NoteApproval',
  async ({ id, outcome }: Reference & { outcome: ApprovalOutcome }): Promise<Plan> =>
    planOf(await changeOrder(id, (order, at) => approvalEnded(order, outcome, at))),
);

/** Authorises the payment at the payment provider, and records its answer. */
export const authorisePayment = activity('AuthorisePayment', async ({ id }: Reference): Promise<Plan> => {
  const order = await orderOf(id);
  if (order.stage !== 'authorising') {
    return planOf(order);
  }
  const provider = payments();
  const state = await sure(provider, id, () =>
    provider.authorise({ key: id, amount: order.total, token: order.token }),
  );
  if (state !== 'authorised' && state !== 'declined') {
    throw new Error(`The payment of ${id} is not authorised: it is ${state}`);
  }
  return planOf(await changeOrder(order, (current, at) => authorisationAnswered(current, state, at)));
});

/** Records that the payment is being captured, unless the order was cancelled first, and captures it. */
export const capturePayment = activity('CapturePayment', async ({ id }: Reference): Promise<Plan> => {
  const order = await changeOrder(id, capturing);
  if (order.stage !== 'capturing') {
    return planOf(order);
  }
  const provider = payments();
  const state = await sure(provider, id, () => provider.capture(id));
  if (state === 'authorised') {
    throw new Error(`The payment of ${id} is not captured`);
  }
  return planOf(await changeOrder(order, state === 'captured' ? captured : failed));
});

/** Asks dispatch to send the order. Asking again changes nothing there. */
export const handOver = activity('HandOver', async ({ id }: Reference): Promise<Plan> => {
  const order = await orderOf(id);
  if (order.stage !== 'dispatching') {
    return planOf(order);
  }
  await sendToDispatch({ orderId: id });
  return planOf(await changeOrder(order, handedOver));
});

/** Begins to undo the order, because its current step failed at every attempt. */
export const giveUp = activity(
  'GiveUp',
  async ({ id, error }: Reference & { error: string }, context): Promise<Plan> => {
    context.error('A step of the order %s failed at every attempt, and the order is undone: %s', id, error);
    return planOf(await changeOrder(id, failed));
  },
);

/** Reverses the payment at the payment provider, whether it was authorised or captured. */
export const reversePayment = activity('ReversePayment', async ({ id }: Reference): Promise<Plan> => {
  const provider = payments();
  const state = await sure(provider, id, () => provider.reverse(id));
  if (state !== 'reversed' && state !== 'declined') {
    throw new Error(`The payment of ${id} is not reversed: it is ${state}`);
  }
  return planOf(await changeOrder(id, (order, at) => undone(order, 'authorisation', at)));
});

/** Records that a step is undone. */
export const noteUndone = activity(
  'NoteUndone',
  async ({ id, step }: Reference & { step: Step['step'] }): Promise<Plan> =>
    planOf(await changeOrder(id, (order, at) => undone(order, step, at))),
);

/** Sends the operator one message about a step that cannot be undone, and records it. */
export const askOperator = activity(
  'AskOperator',
  async (
    { id, step, error }: Reference & { step: Step['step']; error: string },
    context,
  ): Promise<OrderState> => {
    context.error('The step %s of the order %s cannot be undone: %s', step, id, error);
    const order = await orderOf(id);
    if (order.attention === undefined) {
      await notify(
        {
          to: operator(),
          subject: `An order needs attention: ${id}`,
          text: `Its step '${step}' cannot be undone: ${error.slice(0, 500)}\n\nThe app tries again every day. Once the cause is gone, POST /api/orders/${id}/retry has it try at once.`,
          about: `/api/orders/${id}`,
          key: `${id}-needs-attention`,
        },
        context,
      );
    }
    return stateOf(await changeOrder(order, (current, at) => stuck(current, step, at)));
  },
);

/** Ends an order that was dispatched or undone, and notifies its buyer. @returns its state */
export const conclude = activity('Conclude', async ({ id }: Reference, context): Promise<OrderState> => {
  const order = await changeOrder(id, concluded);
  const state = stateOf(order);
  if (!isOver(order)) {
    await notify(
      {
        to: order.buyer,
        subject: `Your order ${id} is ${state}`,
        text: order.ending?.reason ?? 'It is on its way to you.',
        about: `/api/orders/${id}`,
        key: `${id}-ended`,
      },
      context,
    );
    await changeOrder(order, notified);
  }
  return state;
});

/** The part of a receipt that its workflow uses. */
export type ReceiptPlan = Pick<
  Awaited<ReturnType<typeof changeReceipt>>,
  'id' | 'sku' | 'quantity' | 'ticket' | 'state'
>;

/** Reads a receipt, and gives it a ticket beyond `horizon` if that is needed. */
export const readReceipt = activity(
  'ReadReceipt',
  async ({ id, horizon }: Reference & { horizon: number }): Promise<ReceiptPlan> =>
    changeReceipt(id, (receipt) =>
      receipt.state === 'pending' && receipt.ticket <= horizon
        ? { ...receipt, ticket: Math.max(horizon + 1, Date.now()) }
        : receipt,
    ),
);

/** Records the state of a receipt. */
export const noteReceipt = activity(
  'NoteReceipt',
  async ({ id, state }: Reference & { state: 'counted' | 'closed' }): Promise<ReceiptPlan> =>
    changeReceipt(id, (receipt) =>
      receipt.state === state || receipt.state === 'closed' ? receipt : { ...receipt, state },
    ),
);
