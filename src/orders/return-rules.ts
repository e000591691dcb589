import type { Moment } from 'moment';
import { refuse, type Refusal } from '../refusals/index.js';
import type { Order, Stage, Step } from './model.js';

/** The cancelled order, or why it cannot be cancelled. */
export function cancelled(order: Order, at: Moment): Order | Refusal {
  if (order.ending?.outcome === 'cancelled') {
    return order;
  }
  switch (order.stage) {
    case 'capturing':
    case 'dispatching':
    case 'dispatched':
      return refuse(
        'too-late',
        'The order is paid',
        'It can no longer be cancelled. Send the goods back instead.',
      );
    case 'undoing':
    case 'undone':
      return refuse('over', 'The order has failed already', `Get /api/orders/${order.id} for what happened.`);
    default:
      return turnedBack(order, 'cancelled', ['cancellation', 'done', 'The order was cancelled.'], at);
  }
}

const failures: Readonly<Partial<Record<Stage, [step: Step['step'], text: string]>>> = {
  taking: ['cart', 'The cart did not answer.'],
  reserving: ['reservation', 'The stock did not answer.'],
  approving: ['approval', 'Nobody could be asked to approve.'],
  authorising: ['authorisation', 'The payment could not be authorised.'],
  committing: ['stock', 'The goods could not be taken from the stock.'],
  capturing: ['capture', 'The payment could not be taken.'],
  dispatching: ['dispatch', 'Dispatch could not send it.'],
};

/** The order whose present step has failed for good. */
export function failed(order: Order, at: Moment): Order {
  const [step, text] = failures[order.stage] ?? [];
  return step === undefined || text === undefined
    ? order
    : turnedBack(order, 'failed', [step, 'failed', text], at);
}

/** The steps to undo at each stage, in this order. A step that may have been done counts as done. */
const wayBack: Readonly<Partial<Record<Stage, Step['step'][]>>> = {
  taking: ['cart'],
  reserving: ['reservation', 'cart'],
  approving: ['approval', 'reservation', 'cart'],
  authorising: ['authorisation', 'reservation', 'cart'],
  committing: ['authorisation', 'reservation', 'cart'],
  capturing: ['authorisation', 'reservation', 'cart'],
  dispatching: ['authorisation', 'reservation', 'cart'],
};

const undoneTexts: Readonly<Partial<Record<Step['step'], string>>> = {
  authorisation: 'No money is kept.',
  approval: 'Nobody has to approve it any more.',
  reservation: 'The goods are back in stock.',
  cart: 'The cart has its lines.',
};

/** The order with a step undone. */
export function undone(order: Order, step: Step['step'], at: Moment): Order {
  if (order.stage !== 'undoing' || order.ending?.undo.includes(step) !== true) {
    return order;
  }
  const ending = { ...order.ending, undo: order.ending.undo.filter((each) => each !== step) };
  return noting({ ...order, ending }, step, 'undone', undoneTexts[step] ?? '', at);
}

/** The order of which a step could not be undone: an operator is needed. */
export function stuck(order: Order, step: Step['step'], at: Moment): Order {
  const attention = `The step '${step}' could not be undone.`;
  return order.stage === 'undoing' && order.attention === undefined
    ? noting({ ...order, attention }, step, 'undoing-failed', attention, at)
    : order;
}

/** The order that has turned back, once there is nothing left to undo. */
export function concluded(order: Order): Order {
  if (order.stage !== 'undoing' || order.ending?.undo.length !== 0) {
    return order;
  }
  const { attention: _, ...rest } = order;
  return { ...rest, stage: 'undone' };
}

/** The order with its reason to end, and the steps to undo. */
export function turnedBack(
  order: Order,
  outcome: NonNullable<Order['ending']>['outcome'],
  [step, how, reason]: [Step['step'], Step['outcome'], reason: string],
  at: Moment,
): Order {
  // An approval or a payment that was refused leaves nothing to undo.
  const nothing = how === 'refused' && (step === 'approval' || step === 'authorisation') ? step : undefined;
  const undo = (wayBack[order.stage] ?? []).filter((each) => each !== nothing);
  return noting({ ...order, stage: 'undoing', ending: { outcome, reason, undo } }, step, how, reason, at);
}

/** Whether a step has had an outcome. */
export function has({ steps }: Order, step: Step['step'], outcome: Step['outcome']): boolean {
  return steps.some((each) => each.step === step && each.outcome === outcome);
}

/** The order with a step noted. */
export function noting(
  order: Order,
  step: Step['step'],
  outcome: Step['outcome'],
  text: string,
  at: Moment,
): Order {
  return { ...order, steps: [...order.steps, { step, outcome, at: at.toISOString(), text }] };
}
