import type { OrchestrationContext, Task } from 'durable-functions';
import moment, { type Moment } from 'moment';
import { awaitApproval, withdrawApproval } from '../approvals/index.js';
import {
  allRetried,
  event,
  eventOrDeadline,
  now,
  orchestrator,
  forSideEffects,
  retryPolicy,
} from '../durable/index.js';
import {
  askOperator,
  authorisePayment,
  capturePayment,
  conclude,
  giveUp,
  handOver,
  noteReceipt,
  noteReservations,
  noteUndone,
  priceLines,
  noteApproval,
  noteApprovalAsked,
  readPlan,
  readReceipt,
  renewTicket,
  reversePayment,
  type Reference,
} from './activities.js';
import { cart, stock } from './entities.js';
import type { OrderState, Plan, Step } from './model.js';

/** Wakes the workflow of an order that may have been cancelled or dispatched. The workflow then reads the record. */
export const changed = event<null>('OrderChanged');

/** The input of the workflow of an order. */
export interface Started extends Reference {
  /**
   * What the record said when the workflow was started. The record may have changed since then: each step that changes it
   * finds that out. Absent in workflows that an earlier version of the app started.
   */
  plan?: Plan;
}

/** Five attempts within half a minute. After the last one the order is undone. */
const briefly = retryPolicy({ firstInterval: moment.duration(2, 'seconds'), maxAttempts: 5, backoff: 2 });

/** How long the workflow waits for dispatch each time before it asks again. After the last time the order is undone. */
const patience = [moment.duration(10, 'minutes'), moment.duration(1, 'hour'), moment.duration(6, 'hours')];

/**
 * An order, from its cart to dispatch. When a step fails at every attempt or somebody cancels, the steps are undone in reverse order.
 * The record has the current stage, so a new execution continues there. Returns the order's state.
 */
export const orderOrchestrator = orchestrator(
  'OrderOrchestrator',
  function* (context, { id, plan }: Started): Generator<Task, OrderState, unknown> {
    let order = plan ?? (yield* readPlan(context, { id }, forSideEffects));
    try {
      order = yield* goForward(context, order);
    } catch (error) {
      order = yield* giveUp(context, { id, error: String(error) }, forSideEffects);
    }
    for (const step of order.undo) {
      try {
        yield* undo(context, order, step);
      } catch (error) {
        return yield* askOperator(context, { id, step, error: String(error) }, forSideEffects);
      }
    }
    if (order.stage === 'dispatched') {
      closeLines(context, order);
    }
    return yield* conclude(context, { id }, forSideEffects);
  },
);

type Steps<Result> = Generator<Task, Result, unknown>;

/** Each step leads to the next stage, or to `undoing`, which skips the others. */
function* goForward(context: OrchestrationContext, found: Plan): Steps<Plan> {
  let order = found;
  const { id } = order;
  if (order.stage === 'taking') {
    order = yield* takeLines(context, order);
  }
  if (order.stage === 'reserving') {
    order = yield* reserveLines(context, order);
  }
  if (order.stage === 'approving') {
    order = yield* awaitDecision(context, order);
  }
  if (order.stage === 'authorising') {
    order = yield* authorisePayment(context, { id }, briefly);
  }
  if (order.stage === 'committing') {
    yield* commitLines(context, order);
    order = yield* capturePayment(context, { id }, forSideEffects);
  }
  if (order.stage === 'capturing') {
    order = yield* capturePayment(context, { id }, forSideEffects);
  }
  if (order.stage === 'dispatching') {
    order = yield* dispatch(context, order);
  }
  return order;
}

function* takeLines(context: OrchestrationContext, found: Plan): Steps<Plan> {
  let order = found;
  while (order.stage === 'taking') {
    const { id, ticket } = order;
    const [taken] = yield* allRetried(context, briefly, () => [
      cart.call(context, order.cart, 'take', { id, ticket }),
    ]);
    order =
      'stale' in taken
        ? yield* renewTicket(context, { id, horizon: taken.stale }, forSideEffects)
        : yield* priceLines(context, { id, lines: taken.lines }, forSideEffects);
  }
  return order;
}

/** Reserves all lines at once. When one is refused, the others are released on the way back. */
function* reserveLines(context: OrchestrationContext, found: Plan): Steps<Plan> {
  let order = found;
  while (order.stage === 'reserving') {
    const { id, ticket, lines } = order;
    const answers = yield* allRetried(context, briefly, () =>
      lines.map(({ sku, quantity }) => stock.call(context, sku, 'reserve', { id, ticket, quantity })),
    );
    const horizons = answers.flatMap((answer) => ('stale' in answer ? [answer.stale] : []));
    const shortages = answers.flatMap((answer, index) =>
      'stale' in answer || answer.reserved ? [] : [{ sku: lines[index]!.sku, available: answer.available }],
    );
    order =
      horizons.length > 0
        ? yield* renewTicket(context, { id, horizon: Math.max(...horizons) }, forSideEffects)
        : yield* noteReservations(context, { id, shortages }, forSideEffects);
  }
  return order;
}

/** Waits until the order has a decision, in a week at the latest. */
function* awaitDecision(context: OrchestrationContext, { id }: Plan): Steps<Plan> {
  const asked = yield* noteApprovalAsked(context, { id }, forSideEffects);
  let { order } = asked;
  if (order.stage === 'approving') {
    yield* awaitApproval(context, asked.approval, { caller: id, wake: changed }, function* (outcome) {
      order = yield* noteApproval(context, { id, outcome }, forSideEffects);
      return order.stage === 'approving';
    });
  }
  return order;
}

function* commitLines(context: OrchestrationContext, order: Plan): Steps<void> {
  const { id, ticket, lines } = order;
  const answers = yield* allRetried(context, briefly, () =>
    lines.map(({ sku }) => stock.call(context, sku, 'commit', { id, ticket })),
  );
  const missing = lines.find((_, index) => !answers[index]!.sold);
  if (missing !== undefined) {
    throw new Error(`The reservation of ${missing.sku} is gone`);
  }
}

/** Signals the entities to drop the order. The signals are committed with the next step, before the order is over. */
function closeLines(context: OrchestrationContext, { id, ticket, cart: key, lines }: Plan): void {
  for (const { sku } of lines) {
    stock.send(context, sku, 'close', { id, ticket });
  }
  cart.send(context, key, 'close', { id, ticket });
}

/** Asks dispatch to send the order, and waits until it is sent. @throws Error when dispatch does not send it */
function* dispatch(context: OrchestrationContext, { id }: Plan): Steps<Plan> {
  for (const time of patience) {
    yield* handOver(context, { id }, forSideEffects);
    const order = yield* whenLeft(context, id, 'dispatching', now(context).add(time));
    if (order.stage !== 'dispatching') {
      return order;
    }
  }
  throw new Error('Dispatch has not sent it');
}

/** Waits until the order has left a stage, or the deadline has passed. */
function* whenLeft(
  context: OrchestrationContext,
  id: string,
  stage: Plan['stage'],
  deadline: Moment,
): Steps<Plan> {
  for (;;) {
    const { raised } = yield* eventOrDeadline(context, changed, deadline);
    // Anybody may raise an event; only the record decides.
    const order = yield* readPlan(context, { id }, forSideEffects);
    if (!raised || order.stage !== stage) {
      return order;
    }
  }
}

function* undo(context: OrchestrationContext, order: Plan, step: Step['step']): Steps<void> {
  const { id, ticket, lines } = order;
  switch (step) {
    case 'authorisation':
      yield* reversePayment(context, { id }, forSideEffects);
      return;
    case 'approval':
      if (order.approval !== undefined) {
        yield* withdrawApproval(context, { id: order.approval }, forSideEffects);
      }
      break;
    case 'reservation':
      yield* allRetried(context, forSideEffects, () =>
        lines.map(({ sku }) => stock.call(context, sku, 'release', { id, ticket })),
      );
      break;
    case 'cart':
      yield* allRetried(context, forSideEffects, () => [
        cart.call(context, order.cart, 'putBack', { id, ticket }),
      ]);
      break;
    default:
  }
  yield* noteUndone(context, { id, step }, forSideEffects);
}

/** Adds a receipt of goods to the stock, once. */
export const receiptOrchestrator = orchestrator(
  'ReceiptOrchestrator',
  function* (context, { id }: Reference): Steps<null> {
    let receipt = yield* readReceipt(context, { id, horizon: 0 }, forSideEffects);
    while (receipt.state === 'pending') {
      const { sku, ticket, quantity } = receipt;
      const [answer] = yield* allRetried(context, forSideEffects, () => [
        stock.call(context, sku, 'receive', { id, ticket, quantity }),
      ]);
      receipt =
        'stale' in answer
          ? yield* readReceipt(context, { id, horizon: answer.stale }, forSideEffects)
          : yield* noteReceipt(context, { id, state: 'counted' }, forSideEffects);
    }
    if (receipt.state === 'counted') {
      stock.send(context, receipt.sku, 'close', { id, ticket: receipt.ticket });
      yield* noteReceipt(context, { id, state: 'closed' }, forSideEffects);
    }
    return null;
  },
);
