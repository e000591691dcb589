import { RetryOptions } from 'durable-functions';
import moment, { type Duration } from 'moment';

/** How often the host tries again, and after how long. Made by {@link retryPolicy}, and given a name where it is made. */
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
 * A retry policy. There is no limit of time among its options: the host would give up without telling the SDK, which
 * waits on for ever.
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

/** For side effects that must happen: after 5 seconds, then twice as long each time up to 5 minutes, for about two hours. */
export const persistently = retryPolicy({
  firstInterval: moment.duration(5, 'seconds'),
  maxAttempts: 30,
  backoff: 2,
  maxInterval: moment.duration(5, 'minutes'),
});
