import type { OrchestrationContext, Task } from 'durable-functions';
import type { RetryPolicy } from './retry.js';
import { all, type Results, type TypedTask } from './task.js';
import { now, sleepUntil } from './time.js';

/**
 * The results of tasks that are retried together: after a failure `make` makes all of them again, also those
 * that had succeeded.
 *
 * Give none of them a policy of its own. At the first failure {@link all} continues, and the SDK numbers the
 * next tasks. The host still waits for the other tasks, and numbers their retries first. If two tasks fail,
 * the two numberings differ, and the host takes a timer for another task.
 *
 * @throws the first failure of the last attempt; others may still be running then
 * @example
 * yield* allRetried(context, whileSomebodyWaits, () => [makeRoom(context, player), makeMonster(context, player)]);
 */
export function* allRetried<const Tasks extends readonly TypedTask<unknown>[]>(
  context: OrchestrationContext,
  policy: RetryPolicy,
  make: () => Tasks,
): Generator<Task, Results<Tasks>, unknown> {
  // Optional, although the SDK's type says otherwise.
  const limits: Partial<RetryPolicy> = policy;
  const longest = limits.maxRetryIntervalInMilliseconds ?? Infinity;
  let interval = policy.firstRetryIntervalInMilliseconds;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return yield* all(context, make());
    } catch (error) {
      if (attempt === policy.maxNumberOfAttempts) {
        throw error;
      }
    }
    yield* sleepUntil(context, now(context).add(Math.min(interval, longest), 'milliseconds'));
    interval *= policy.backoffCoefficient;
  }
}
