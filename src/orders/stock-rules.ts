import {
  withClosed,
  noTickets,
  withOpen,
  standing,
  type Stale,
  type Ticket,
  type Tickets,
} from './ticket-rules.js';

/** What is open in a stock: goods that an order has reserved or bought, or a receipt that was just counted. */
interface Entry {
  quantity: number;
  as: 'reserved' | 'sold' | 'received';
}

/** The stock of one SKU. At every moment, received = available + reserved + sold. */
export interface Stock extends Tickets<Entry> {
  available: number;
  sold: number;
}

/** Nothing was ever received. */
export const emptyStock: Stock = { ...noTickets, available: 0, sold: 0 };

/** A quantity for an order, or from a receipt. */
export interface Portion extends Ticket {
  quantity: number;
}

type Operation<Input, Result> = (stock: Stock, input: Input) => readonly [Stock, Result];

/** Goods have arrived. */
export const receive: Operation<Portion, { counted: true } | Stale> = (stock, portion) => {
  switch (standing(stock, portion)) {
    case 'new': {
      const { quantity } = portion;
      const counted = withOpen(stock, portion, { quantity, as: 'received' });
      return [{ ...stock, ...counted, available: stock.available + quantity }, { counted: true }];
    }
    case 'stale':
      return [stock, { stale: stock.horizon }];
    default:
      return [stock, { counted: true }];
  }
};

/** What {@link reserve} gives: `available` is what there was instead. */
export type Reserved = { reserved: true } | { reserved: false; available: number } | Stale;

/** Sets the quantity aside for an order, all of it or none. */
export const reserve: Operation<Portion, Reserved> = (stock, portion) => {
  const { quantity } = portion;
  switch (standing(stock, portion)) {
    case 'open':
      return [stock, { reserved: true }];
    case 'stale':
      return [stock, { stale: stock.horizon }];
    case 'new':
      if (quantity <= stock.available) {
        const reserved = withOpen(stock, portion, { quantity, as: 'reserved' });
        return [{ ...stock, ...reserved, available: stock.available - quantity }, { reserved: true }];
      }
      break;
    case 'closed':
  }
  return [stock, { reserved: false, available: stock.available }];
};

/** Sells what an order has reserved. */
export const commit: Operation<Ticket, { sold: boolean }> = (stock, order) => {
  const entry = entryOf(stock, order);
  if (entry?.as !== 'reserved') {
    return [stock, { sold: entry?.as === 'sold' }];
  }
  const sold = withOpen(stock, order, { ...entry, as: 'sold' });
  return [{ ...stock, ...sold, sold: stock.sold + entry.quantity }, { sold: true }];
};

/** Takes back what an order has reserved or bought; nothing can be reserved for it any more. */
export const release: Operation<Ticket, { released: true }> = (stock, order) => {
  const known = standing(stock, order);
  if (known !== 'open' && known !== 'new') {
    return [stock, { released: true }];
  }
  const entry = entryOf(stock, order);
  const quantity = entry?.quantity ?? 0;
  return [
    {
      ...stock,
      ...withClosed(stock, order),
      available: stock.available + quantity,
      sold: stock.sold - (entry?.as === 'sold' ? quantity : 0),
    },
    { released: true },
  ];
};

/** Forgets an order that has bought, or a receipt whose record says that it was counted. */
export const close: Operation<Ticket, null> = (stock, ticket) => {
  const entry = entryOf(stock, ticket);
  return [
    entry === undefined || entry.as === 'reserved' ? stock : { ...stock, ...withClosed(stock, ticket) },
    null,
  ];
};

/** The stock in numbers. */
export function levels({ available, sold, open }: Stock): {
  available: number;
  reserved: number;
  sold: number;
} {
  const reserved = Object.values(open)
    .filter(({ as }) => as === 'reserved')
    .reduce((sum, { quantity }) => sum + quantity, 0);
  return { available, reserved, sold };
}

function entryOf({ open }: Stock, { id }: Ticket): Entry | undefined {
  return Object.hasOwn(open, id) ? open[id] : undefined;
}
