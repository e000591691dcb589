import { RetryOptions } from 'durable-functions';
import moment, { type Duration } from 'moment';

/** How often the host retries, and after how long. Made by {@link retryPolicy}. */
export type RetryPolicy = Readonly<RetryOptions>;

/** The options of {@link retryPolicy}. */
export interface RetryPolicyOptions {
  /** Between the first failure and the second attempt. More than zero. */
  firstInterval: Duration;
  /** The number of attempts, including the first. */
  maxAttempts: number;
  /** The factor from one interval to the next. Default: 1. */
  backoff?: number;
  /** No interval is longer than this. */
  maxInterval?: Duration;
}

/**
 * Makes a retry policy. Name it for its purpose, and document what happens after the last attempt. It has no
 * time limit: with one, the host would give up without an answer to the SDK, and the SDK would wait for ever.
 *
 * @example
 * const whileSomebodyWaits = retryPolicy({
 *   firstInterval: moment.duration(2, 'seconds'),
 *   maxAttempts: 4,
 *   backoff: 2,
 * });
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
 * For the side effects of a supervised workflow: 5 seconds after the first failure, then after twice as long
 * each time, up to 5 minutes, for about two hours. That is longer than most outages, so a workflow seldom
 * fails. After the last attempt it fails, and the sweep starts it again as long as its record is not final.
 *
 * @example
 * yield* sendReminder(context, { id }, forSideEffects);
 */
export const forSideEffects = retryPolicy({
  firstInterval: moment.duration(5, 'seconds'),
  maxAttempts: 30,
  backoff: 2,
  maxInterval: moment.duration(5, 'minutes'),
});
