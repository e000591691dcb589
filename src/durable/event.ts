import type { DurableOrchestrationContext, OrchestrationContext, Task } from 'durable-functions';
import type { Moment } from 'moment';
import { typed, type TypedTask } from './task.js';
import { sleepUntil } from './time.js';

/** An external event by reference. */
export interface ExternalEvent<Payload> {
  /** Matched to the letter: raised as `approved`, an event `Approved` is accepted by the host and never arrives. */
  readonly eventName: string;
  /** Holds the payload's type; never set. */
  readonly payload?: Payload;
}

/** What {@link eventOrDeadline} gives. */
export type WaitResult<Payload> =
  | { readonly raised: true; readonly payload: Payload }
  | { readonly raised: false };

/** An external event. Its name must not be a number, which the SDK would take for a task's id. */
export function event<Payload>(eventName: string): ExternalEvent<Payload> {
  return { eventName };
}

/** Waits for an event, of which one that came earlier is the first. `undefined` was raised as `null`. */
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
 * Waits for an event until a moment, whichever comes first. The timer is cancelled when it loses: one that is left
 * would keep the instance Running until it fires.
 *
 * @param orEnd ends the wait too, when it has ended or failed. Yield it nowhere else
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
 * The waits that a deadline has ended. The SDK cannot withdraw them: an event that comes while nobody else waits goes to
 * one of them and would be lost, had not the next wait for that event looked here.
 */
const abandoned = new WeakMap<DurableOrchestrationContext, Record<string, Task[]>>();

function abandonedWaits(context: OrchestrationContext, { eventName }: ExternalEvent<unknown>): Task[] {
  const byName = abandoned.get(context.df) ?? {};
  abandoned.set(context.df, byName);
  return (byName[eventName] ??= []);
}
