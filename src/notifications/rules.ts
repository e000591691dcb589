/** How often the app tries to deliver a message, over about three hours and a half. */
export const ATTEMPTS = 12;
/** Seconds. */
const FIRST_WAIT = 10;
const LONGEST_WAIT = 60 * 60;

/** The result of one attempt to deliver a message. */
export type Outcome =
  | { delivered: true }
  | {
      delivered: false;
      /** In words, without any part of the message or of an address. */
      reason: string;
      /** Whether another attempt can succeed. */
      again: boolean;
      /** When the receiver wants the next attempt, in seconds. */
      retryAfter?: number | undefined;
    };

/**
 * How long to wait before the next attempt, in seconds; `undefined` when there is none.
 *
 * @param attempts how many have failed, this one included
 */
export function waitBefore(attempts: number, failed: Outcome & { delivered: false }): number | undefined {
  if (!failed.again || attempts >= ATTEMPTS) return undefined;
  const wait = failed.retryAfter ?? FIRST_WAIT * 2 ** (attempts - 1);
  return Math.min(Math.ceil(wait), LONGEST_WAIT);
}

/**
 * The header `Retry-After`: seconds, or a date.
 *
 * @param now milliseconds since 1970
 * @returns seconds; `undefined` without a header that can be read
 */
export function retryAfter(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const seconds = /^\d+$/.test(header.trim()) ? Number(header) : (Date.parse(header) - now) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined;
}
