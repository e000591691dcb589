/** The page behind the links in reminders: `/acknowledge`. */
import moment from 'moment';
import { linkPage, refused, utc, type LinkPage } from '../links/index.js';
import { markup } from '../pages/index.js';
import { Refusal } from '../refusals/index.js';
import { wakeEnded } from './endpoints.js';
import { ACKNOWLEDGE_PAGE, type Reminders } from './model.js';
import { acknowledge, dueAt } from './rules.js';
import { reminders } from './store.js';

linkPage('Acknowledge', ACKNOWLEDGE_PAGE, {
  async show({ id, person }) {
    const record = await reminders.read(id);
    if (record === undefined) return refused('expired');
    if (record.to !== person) return refused('altered');
    const next = dueAt(record);
    if (next === undefined) return ended(record);
    return {
      title: 'A reminder',
      content: markup`<p class="details panel">${record.message}</p>
        <p>You have received ${record.sent} of ${record.count}. The next comes on ${utc(next)}.</p>`,
      form: { buttons: [{ action: 'acknowledged', label: 'I have read it: send no more' }] },
    };
  },

  async act({ id, person }, _, client, context) {
    const result = await reminders.change(id, (record) =>
      record.to === person ? acknowledge(record, moment.utc()) : record,
    );
    if (result instanceof Refusal) {
      return result.reason === 'too-late' ? refused('expired') : ended((await reminders.read(id))!);
    }
    if (result === undefined) return refused('expired');
    if (!result.changed) return result.record.to === person ? ended(result.record) : refused('altered');
    await wakeEnded(result.record, client, context);
    return {
      title: 'Thank you',
      content: markup`<p>No more reminders are sent.</p>
        <p class="details">${result.record.message}</p>`,
    };
  },
});

function ended({ message, state, endedAt }: Reminders): LinkPage {
  return refused(
    'used',
    markup`<p>These reminders are ${state}${endedAt && ` since ${utc(endedAt)}`}.</p>
      <p class="details">${message}</p>`,
  );
}
