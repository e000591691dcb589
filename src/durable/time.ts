import type { OrchestrationContext, TimerTask } from 'durable-functions';
import moment, { type Moment } from 'moment';
import { typed, type TypedTask } from './task.js';

/**
 * The time of the episode, in UTC: the same in every replay.
 *
 * @example
 * const deadline = now(context).add(2, 'hours');
 */
export function now(context: OrchestrationContext): Moment {
  return moment.utc(context.df.currentUtcDateTime);
}

/**
 * Sleeps until a time; if it has passed, the timer fires at once. A real host may fire it up to a second
 * early. A timer that is neither awaited nor cancelled keeps the instance Running until it fires.
 *
 * @example
 * yield* sleepUntil(context, now(context).add(1, 'day'));
 */
export function sleepUntil(context: OrchestrationContext, until: Moment): TimerTask & TypedTask<void> {
  return typed<void, TimerTask>(context.df.createTimer(until.toDate()));
}
