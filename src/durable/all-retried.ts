import type { OrchestrationContext, Task } from 'durable-functions';
import type { RetryPolicy } from './retry.js';
import { all, type Results, type TypedTask } from './task.js';
import { now, sleepUntil } from './time.js';

/**
 * All the results of tasks that are tried again together: after a failure `make` makes all of them anew, also those that had succeeded.
 *
 * Give none of them a policy of its own. {@link all} goes on at the first failure, a host waits for the others too, and numbers their
 * retries before what comes next, which the SDK has numbered by then: if two fail, one's timer is taken for another's task.
 *
 * @throws the first failure of the last attempt; others may still be running then
 */
export function* allRetried<const Tasks extends readonly TypedTask<unknown>[]>(
  context: OrchestrationContext,
  policy: RetryPolicy,
  make: () => Tasks,
): Generator<Task, Results<Tasks>, unknown> {
  // A policy need not have it, whatever the SDK's type says.
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
