import { nameOf, type RetryOptions } from './actions.js';
import type { TaskSlot } from './episode.js';

/**
 * How long the framework waits before it makes a failed call again, by `ComputeNextDelay` of its
 * `RetryInterceptor`. Where that gives zero, the framework makes no other attempt, and the SDK waits for one.
 *
 * @param slot a call whose attempt has failed, and was not the last
 * @param now milliseconds since the epoch
 * @returns milliseconds; a text when there is no other attempt
 */
export function retryDelay(slot: TaskSlot, retry: RetryOptions, now: number): number | string {
  const name = nameOf(slot.action);
  if (now >= slot.firstAttemptAt + retry.retryTimeout) {
    return (
      `'${name}' failed for the ${ordinal(slot.attempt)} time after its retryTimeout had passed. The host stops ` +
      'retrying, but the SDK goes on waiting for another attempt: this instance will wait for ever. Use maxNumberOfAttempts instead of retryTimeout.'
    );
  }
  const delay = Math.min(
    retry.firstRetryInterval * retry.backoffCoefficient ** (slot.attempt - 1),
    retry.maxRetryInterval,
  );
  return delay === 0
    ? `'${name}' failed, and its retry options say to wait for no time: backoffCoefficient or maxRetryIntervalInMilliseconds is 0. ` +
        'The host stops retrying, but the SDK goes on waiting for another attempt: this instance will wait for ever.'
    : delay;
}

function ordinal(n: number): string {
  return `${n}${n % 10 === 1 && n !== 11 ? 'st' : n % 10 === 2 && n !== 12 ? 'nd' : n % 10 === 3 && n !== 13 ? 'rd' : 'th'}`;
}
