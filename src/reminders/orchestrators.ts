import moment from 'moment';
import { event, eventOrDeadline, forSideEffects, orchestrator } from '../durable/index.js';
import { readProgress, sendReminder, type RemindersId } from './activities.js';

/** Makes the workflow of reminders read their record. Whether they were acknowledged or cancelled, the record says. */
export const ended = event<null>('Ended');

/** After so many waits the workflow continues as new, to keep its history short. */
const WAITS_PER_EXECUTION = 20;

/**
 * Sends reminders when they are due, until all are sent or somebody ends them. Gives how many were sent, and how they
 * ended. All it knows is in their record: started again at any time, it sends what was not sent.
 */
export const reminderOrchestrator = orchestrator(
  'ReminderOrchestrator',
  function* (context, { id }: RemindersId) {
    let { state, ...status } = yield* sendReminder(context, { id }, forSideEffects);
    context.df.setCustomStatus(status);

    for (let wait = 1; status.next !== undefined; wait += 1) {
      // Anybody may raise an event, and a timer may fire early: only the record decides.
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
