/**
 * How an entity knows an order again, although it remembers few of those that have ended.
 *
 * Each order has a ticket, a number that only grows: the moment of its checkout, and later ones if it needs one. The entity keeps
 * the orders that it is dealing with (`open`) and the last that it is done with (`closed`). When it forgets one of the latter, it
 * notes its ticket in `horizon`, and admits nobody any more whose ticket is not beyond that. So an operation that comes late, after
 * any time, finds its order open, or closed, or is `stale`; it is never taken for a new one. An order that really is new and stale,
 * as one can be that waited long to begin, gets a later ticket in its record and asks again; an order that has turned back gets none.
 */
export interface Tickets<Entry> {
  open: Readonly<Record<string, Entry & { ticket: number }>>;
  closed: Readonly<Record<string, number>>;
  /** The highest ticket that was forgotten. */
  horizon: number;
}

/** How many closed orders an entity remembers. Fewer would be as right, and make more orders ask twice. */
export const REMEMBERED = 100;

/** An operation's order. */
export interface Ticket {
  id: string;
  ticket: number;
}

/** Answers an order that needs a ticket beyond this one. */
export interface Stale {
  stale: number;
}

/** Nothing known yet. */
export const noTickets = { open: {}, closed: {}, horizon: 0 };

/** What the entity knows of an order. */
export function standing(
  { open, closed, horizon }: Tickets<unknown>,
  { id, ticket }: Ticket,
): 'open' | 'closed' | 'stale' | 'new' {
  if (Object.hasOwn(open, id)) {
    return 'open';
  }
  if (Object.hasOwn(closed, id)) {
    return 'closed';
  }
  return ticket <= horizon ? 'stale' : 'new';
}

/** The tickets with this order among the open ones. */
export function withOpen<Entry>(
  { open, closed, horizon }: Tickets<Entry>,
  { id, ticket }: Ticket,
  entry: NoInfer<Entry>,
): Tickets<Entry> {
  const known = Object.hasOwn(open, id) ? open[id]!.ticket : 0;
  return { closed, horizon, open: { ...open, [id]: { ...entry, ticket: Math.max(ticket, known) } } };
}

/** The tickets with this order among the closed ones, also if it never was open: what comes for it later is refused. */
export function withClosed<Entry>(tickets: Tickets<Entry>, { id, ticket }: Ticket): Tickets<Entry> {
  const { [id]: ended, ...open } = tickets.open;
  const all = Object.entries({ ...tickets.closed, [id]: Math.max(ticket, ended?.ticket ?? 0) });
  const byTicket = all.toSorted(([, one], [, other]) => other - one);
  const horizon = byTicket[REMEMBERED]?.[1] ?? 0;
  return {
    open,
    closed: Object.fromEntries(byTicket.slice(0, REMEMBERED)),
    horizon: Math.max(tickets.horizon, horizon),
  };
}
