import type { CartLine } from './model.js';
import {
  withClosed,
  noTickets,
  withOpen,
  standing,
  type Stale,
  type Ticket,
  type Tickets,
} from './ticket-rules.js';

/** The most lines a cart holds. */
export const MAX_LINES = 100;
/** How many refused lines a cart shows. */
const MAX_REFUSED = 10;

/** A line that a cart did not take. */
export interface RefusedLine extends CartLine {
  reason: string;
}

/** A cart. What is open in it are the lines that orders have taken. */
export interface Cart extends Tickets<{ lines: CartLine[] }> {
  lines: readonly CartLine[];
  /** The last that were refused, oldest first. */
  refused: readonly RefusedLine[];
}

/** Nothing was ever put in. */
export const emptyCart: Cart = { ...noTickets, lines: [], refused: [] };

type Operation<Input, Result> = (cart: Cart, input: Input) => readonly [Cart, Result];

/** Sets the quantity of a line. */
export const set: Operation<CartLine, null> = (cart, line) => {
  const known = cart.lines.find(({ sku }) => sku === line.sku);
  if (known?.quantity === line.quantity) {
    return [cart, null];
  }
  return [withLine(cart, line, known), null];
};

/** Removes a line. */
export const remove: Operation<{ sku: string }, null> = (cart, { sku }) => {
  const differs = (line: CartLine): boolean => line.sku !== sku;
  return cart.lines.every(differs) && cart.refused.every(differs)
    ? [cart, null]
    : [{ ...cart, lines: cart.lines.filter(differs), refused: cart.refused.filter(differs) }, null];
};

/** Removes all lines. */
export const clear: Operation<null, null> = (cart) =>
  cart.lines.length === 0 && cart.refused.length === 0
    ? [cart, null]
    : [{ ...cart, lines: [], refused: [] }, null];

/** What {@link take} gives: no lines when another order was first. */
export type Taken = { lines: CartLine[] } | Stale;

/** Takes all lines out, for an order. */
export const take: Operation<Ticket, Taken> = (cart, order) => {
  switch (standing(cart, order)) {
    case 'open':
      return [cart, { lines: cart.open[order.id]!.lines }];
    case 'stale':
      return [cart, { stale: cart.horizon }];
    case 'closed':
      return [cart, { lines: [] }];
    case 'new': {
      const lines = [...cart.lines];
      return lines.length === 0
        ? [cart, { lines }]
        : [{ ...cart, ...withOpen(cart, order, { lines }), lines: [] }, { lines }];
    }
  }
};

/**
 * Puts back what an order took; the order can take nothing any more. A line that the cart has got again meanwhile keeps its newer
 * quantity, because that is what was last asked for; a line for which there is no room is refused.
 */
export const putBack: Operation<Ticket, null> = (cart, order) => {
  const known = standing(cart, order);
  if (known !== 'open' && known !== 'new') {
    return [cart, null];
  }
  const taken = known === 'open' ? cart.open[order.id]!.lines : [];
  const after = { ...cart, ...withClosed(cart, order) };
  const missing = taken.filter(({ sku }) => cart.lines.every((line) => line.sku !== sku));
  return [missing.reduce((filled, line) => withLine(filled, line), after), null];
};

/** Forgets the lines of an order that is paid for. */
export const close: Operation<Ticket, null> = (cart, order) => [
  standing(cart, order) === 'open' ? { ...cart, ...withClosed(cart, order) } : cart,
  null,
];

function withLine(cart: Cart, line: CartLine, replaced?: CartLine): Cart {
  const refused = cart.refused.filter(({ sku }) => sku !== line.sku);
  if (replaced !== undefined) {
    return { ...cart, refused, lines: cart.lines.map((each) => (each === replaced ? line : each)) };
  }
  if (cart.lines.length < MAX_LINES) {
    return { ...cart, refused, lines: [...cart.lines, line] };
  }
  const reason = `A cart holds at most ${MAX_LINES} lines`;
  return { ...cart, refused: [...refused, { ...line, reason }].slice(-MAX_REFUSED) };
}
