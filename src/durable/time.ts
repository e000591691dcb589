import type { OrchestrationContext, TimerTask } from 'durable-functions';
import moment, { type Moment } from 'moment';
import { typed, type TypedTask } from './task.js';

/** The time as this episode has it, in UTC: the same in every replay. */
export function now(context: OrchestrationContext): Moment {
  return moment.utc(context.df.currentUtcDateTime);
}

/**
 * Sleeps until a moment, at once if it has passed. A real host may wake up to a second early. A timer that is neither
 * awaited to its end nor cancelled keeps the instance Running until it fires.
 */
export function sleepUntil(context: OrchestrationContext, until: Moment): TimerTask & TypedTask<void> {
  return typed<void, TimerTask>(context.df.createTimer(until.toDate()));
}
