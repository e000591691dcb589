import { RetryOptions } from 'durable-functions';
import moment, { type Duration } from 'moment';

/** How often the host retries, and after how long. Made by {@link retryPolicy}. */
export type RetryPolicy = Readonly<RetryOptions>;

/** What {@link retryPolicy} takes. */
export interface RetryPolicyOptions {
  /** Between the first failure and the second attempt. More than zero. */
  firstInterval: Duration;
  /** Attempts in all, the first among them. */
  maxAttempts: number;
  /** Each interval is the one before times this; 1 when it is left out. */
  backoff?: number;
  /** No interval is longer than this. */
  maxInterval?: Duration;
}

/**
 * A retry policy. Name it for what it is for, and say what happens when it gives up. It has no limit of time: the host
 * would give up without an answer to the SDK, which waits for ever then.
 *
 * @example
 * const whileSomebodyWaits = retryPolicy({ firstInterval: moment.duration(2, 'seconds'), maxAttempts: 4, backoff: 2 });
 * yield* makeRoom(context, player, whileSomebodyWaits);
 */
export function retryPolicy({
  firstInterval,
  maxAttempts,
  backoff = 1,
  maxInterval,
}: RetryPolicyOptions): RetryPolicy {
  return Object.assign(new RetryOptions(firstInterval.asMilliseconds(), maxAttempts), {
    backoffCoefficient: backoff,
    ...(maxInterval && { maxRetryIntervalInMilliseconds: maxInterval.asMilliseconds() }),
  });
}

/**
 * For the side effects of a supervised workflow: 5 seconds after the first failure, then after twice as long each time,
 * up to 5 minutes, for about two hours. That outlasts most outages without an entry in any list of failures. After it
 * the workflow fails; the sweep starts it again as long as its record is not final, and it does what was not done.
 */
export const forSideEffects = retryPolicy({
  firstInterval: moment.duration(5, 'seconds'),
  maxAttempts: 30,
  backoff: 2,
  maxInterval: moment.duration(5, 'minutes'),
});
