import type { OrchestrationContext, Task } from 'durable-functions';
import type { Moment } from 'moment';
import { event, eventOrDeadline, now, orchestrator, forSideEffects } from '../durable/index.js';
import { finishReminders, readState, sendReminder } from './activities.js';
import type { Progress, ReminderPlan, ReminderState } from './model.js';
import { dueAt } from './rules.js';

/** Wakes the workflow of reminders that were acknowledged or cancelled. Whether they were, the record says. */
export const ended = event<null>('Ended');

/** After so many reminders the workflow continues as new, to keep its history short. */
const PER_EXECUTION = 20;

/** Sends reminders when they are due, until all are sent or somebody ends them. Gives how many were sent, and how it ended. */
export const reminderOrchestrator = orchestrator(
  'ReminderOrchestrator',
  function* (context, plan: ReminderPlan) {
    const { id, count, sent = 0 } = plan;
    for (let number = sent; number < count; number += 1) {
      const due = dueAt(plan, number);
      report(context, { sent: number, next: due.toISOString() });
      let state = yield* endBefore(context, id, due);
      if (state === undefined) {
        if (number === sent + PER_EXECUTION) {
          context.df.continueAsNew({ ...plan, sent: number });
          return undefined;
        }
        state = yield* sendReminder(context, { id, number }, forSideEffects);
      }
      if (state !== 'active') {
        report(context, { sent: number });
        return { sent: number, state };
      }
    }
    report(context, { sent: count });
    return { sent: count, state: yield* finishReminders(context, { id }, forSideEffects) };
  },
);

/** Waits until a reminder is due. Gives the state of the reminders if they have ended before. */
function* endBefore(
  context: OrchestrationContext,
  id: string,
  due: Moment,
): Generator<Task, ReminderState | undefined, unknown> {
  while (due.isAfter(now(context)) && (yield* eventOrDeadline(context, ended, due)).raised) {
    // Anybody may raise an event; only the record decides.
    const state = yield* readState(context, { id }, forSideEffects);
    if (state !== 'active') {
      return state;
    }
  }
  return undefined;
}

function report(context: OrchestrationContext, progress: Progress): void {
  context.df.setCustomStatus(progress);
}
