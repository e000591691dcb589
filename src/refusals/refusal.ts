/**
 * Why a rule refuses:
 * - `forbidden`: another person may do it;
 * - `not-found`: there is no such thing;
 * - `conflict`: the record is in a state in which this cannot be done;
 * - `over`: the record is final;
 * - `too-late`: its deadline has passed;
 * - `too-many`: a limit is reached, and later there may be room again.
 */
export type Reason = 'forbidden' | 'not-found' | 'conflict' | 'over' | 'too-late' | 'too-many';

/** Returned by a rule instead of a change. Stores pass it through, and `http/` turns it into a problem. */
export class Refusal {
  constructor(
    readonly reason: Reason,
    /** One line, without a full stop. */
    readonly title: string,
    /** What the caller can do about it. */
    readonly detail: string,
    /** When to try again, in seconds. */
    readonly retryAfter?: number,
  ) {}
}

/**
 * Refuses.
 *
 * @param options.retryAfter when to try again, in seconds
 * @example
 * if (order.state === 'shipped') return refuse('over', 'The order is shipped already', 'Return the goods
 * instead.');
 */
export function refuse(
  reason: Reason,
  title: string,
  detail: string,
  { retryAfter }: { retryAfter?: number } = {},
): Refusal {
  return new Refusal(reason, title, detail, retryAfter);
}
