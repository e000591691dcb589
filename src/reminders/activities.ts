import moment from 'moment';
import { activity } from '../durable/index.js';
import { notify } from '../notifications/index.js';
import { Refusal } from '../refusals/index.js';
import type { Rule } from '../storage/index.js';
import { ACKNOWLEDGE_PAGE, type Progress, type Reminders } from './model.js';
import { lastDue, markSent, progress, unsent } from './rules.js';
import { reminders } from './store.js';

/** The reminders that an activity is about. */
export type RemindersId = Pick<Reminders, 'id'>;

/**
 * Sends the reminder that is due, if there is one, and records that it was sent. If a run was interrupted
 * between the two, the next run sends it again, with the same key.
 */
export const sendReminder = activity(
  'SendReminder',
  async ({ id }: RemindersId, context): Promise<Progress> => {
    const current = await change(id, (record) => record);
    const number = unsent(current, moment.utc());
    if (number === undefined) {
      return progress(current);
    }
    const { to, message, count } = current;
    const until = lastDue(current);
    await notify(
      {
        to,
        subject: `Reminder ${number + 1} of ${count}`,
        text: message,
        about: `/api/reminders/${id}`,
        key: `${id}-${number}`,
        ...(number < count - 1 && {
          link: {
            label: 'I have read it',
            allows: { page: ACKNOWLEDGE_PAGE, id, person: to, actions: ['acknowledged'], until },
          },
        }),
      },
      context,
    );
    return progress(await change(current, (record) => markSent(record, number, moment.utc())));
  },
);

/** Reads the progress of reminders. */
export const readProgress = activity('ReadReminders', async ({ id }: RemindersId): Promise<Progress> =>
  progress(await change(id, (record) => record)),
);

async function change(which: string | Reminders, rule: Rule<Reminders>): Promise<Reminders> {
  const result = await reminders.change(which, rule);
  if (result === undefined || result instanceof Refusal) {
    throw new Error(`There are no reminders ${typeof which === 'string' ? which : which.id}`);
  }
  return result.record;
}
