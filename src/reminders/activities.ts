import moment from 'moment';
import { activity } from '../durable/index.js';
import { notify } from '../notifications/index.js';
import type { ReminderState } from './model.js';
import { end } from './rules.js';
import { changeReminders, readReminders } from './store.js';

/** Which reminders an activity is about. */
export interface Reference {
  id: string;
}

/** Sends the reminder of that number, from 0, unless they have ended. @returns the state in which it found them */
export const sendReminder = activity(
  'SendReminder',
  async ({ id, number }: Reference & { number: number }, context): Promise<ReminderState> => {
    const { to, message, count, state } = (await readReminders(id)) ?? unknown(id);
    if (state === 'active') {
      await notify(
        {
          to,
          subject: `Reminder ${number + 1} of ${count}`,
          text: message,
          about: `/api/reminders/${id}`,
          key: `${id}-${number}`,
        },
        context,
      );
    }
    return state;
  },
);

/** Looks up how the reminders stand. */
export const readState = activity('ReadReminders', async ({ id }: Reference): Promise<ReminderState> => {
  const { state } = (await readReminders(id)) ?? unknown(id);
  return state;
});

/** Ends reminders that have all been sent, unless they ended first. @returns the state they are in now */
export const finishReminders = activity(
  'FinishReminders',
  async ({ id }: Reference): Promise<ReminderState> => {
    const { reminders } =
      (await changeReminders(id, (current) => end(current, 'finished', moment.utc()))) ?? unknown(id);
    return reminders.state;
  },
);

function unknown(id: string): never {
  throw new Error(`There are no reminders ${id}`);
}
