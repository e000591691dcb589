import type { DurableOrchestrationContext, OrchestrationContext, Task } from 'durable-functions';
import type { Moment } from 'moment';
import { typed, type TypedTask } from './task.js';
import { sleepUntil } from './time.js';

/** An external event by reference. */
export interface ExternalEvent<Payload> {
  /**
   * Case matters: the host accepts an event raised as `approved`, but a wait for `Approved` never gets it.
   */
  readonly eventName: string;
  /** Holds the payload's type; never set. */
  readonly payload?: Payload;
}

/** The result of {@link eventOrDeadline}. */
export type WaitResult<Payload> =
  | { readonly raised: true; readonly payload: Payload }
  | { readonly raised: false };

/**
 * Defines an external event. Its name must not be a number, because the SDK would take that for a task id.
 *
 * @example
 * export const decided = event<{ by: string }>('Decided');
 */
export function event<Payload>(eventName: string): ExternalEvent<Payload> {
  return { eventName };
}

/**
 * Waits for an event. An event that came before the wait counts. A payload `undefined` arrives as `null`.
 *
 * @example
 * const { by } = yield* waitFor(context, decided);
 */
export function waitFor<Payload>(
  context: OrchestrationContext,
  awaited: ExternalEvent<Payload>,
): TypedTask<Payload> {
  const waits = abandonedWaits(context, awaited);
  const caught = waits.findIndex((wait) => wait.isCompleted);
  return typed(
    caught >= 0 ? waits.splice(caught, 1)[0]! : context.df.waitForExternalEvent(awaited.eventName),
  );
}

/**
 * Waits for an event until a deadline. If the event comes first, the timer is cancelled: otherwise it would
 * keep the instance Running until it fires.
 *
 * @param orEnd a task that ends the wait too, when it completes or fails. Do not yield it elsewhere
 * @example
 * const result = yield* eventOrDeadline(context, decided, now(context).add(1, 'day'));
 * return result.raised ? result.payload.by : 'nobody';
 */
export function* eventOrDeadline<Payload>(
  context: OrchestrationContext,
  awaited: ExternalEvent<Payload>,
  deadline: Moment,
  orEnd?: Task,
): Generator<Task, WaitResult<Payload>, unknown> {
  const raised = waitFor(context, awaited);
  if (!raised.isCompleted) {
    const timer = sleepUntil(context, deadline);
    const first = yield context.df.Task.any([raised, timer, ...(orEnd ? [orEnd] : [])]);
    if (first !== raised) {
      abandonedWaits(context, awaited).push(raised);
      if (first !== timer) {
        timer.cancel();
      }
      return { raised: false };
    }
    timer.cancel();
  }
  return { raised: true, payload: raised.result as Payload };
}

/**
 * The waits that a deadline has ended. The SDK cannot withdraw them: it gives an event that comes later to
 * one of them. The next wait for that event looks here first, so that the event is not lost.
 */
const abandoned = new WeakMap<DurableOrchestrationContext, Record<string, Task[]>>();

function abandonedWaits(context: OrchestrationContext, { eventName }: ExternalEvent<unknown>): Task[] {
  const byName = abandoned.get(context.df) ?? {};
  abandoned.set(context.df, byName);
  return (byName[eventName] ??= []);
}
