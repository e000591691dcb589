import moment from 'moment';
import { event, eventOrDeadline, forSideEffects, orchestrator } from '../durable/index.js';
import { readProgress, sendReminder, type RemindersId } from './activities.js';

/** Makes the workflow of reminders read their record, which contains the end. */
export const ended = event<null>('Ended');

/** The number of waits after which the workflow continues as new, to keep its history short. */
const WAITS_PER_EXECUTION = 20;

/**
 * Sends reminders when they are due, until all are sent or a caller ends them. Returns how many were sent,
 * and the final state. It keeps no state of its own: restarted at any time, it reads the record and sends
 * what was not sent.
 */
export const reminderOrchestrator = orchestrator(
  'ReminderOrchestrator',
  function* (context, { id }: RemindersId) {
    let { state, ...status } = yield* sendReminder(context, { id }, forSideEffects);
    context.df.setCustomStatus(status);

    for (let wait = 1; status.next !== undefined; wait += 1) {
      // Any caller may raise the event, and a timer may fire early: only the record decides.
      const { raised } = yield* eventOrDeadline(context, ended, moment.utc(status.next));
      if (wait === WAITS_PER_EXECUTION) {
        context.df.continueAsNew({ id });
        return undefined;
      }
      ({ state, ...status } = raised
        ? yield* readProgress(context, { id }, forSideEffects)
        : yield* sendReminder(context, { id }, forSideEffects));
      context.df.setCustomStatus(status);
    }

    return { sent: status.sent, state };
  },
);
