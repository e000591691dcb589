import type { Purgeable, Supervised } from '../supervision/index.js';
import { goOn } from './endpoints.js';
import { ended } from './orchestrators.js';
import { reminders } from './store.js';

/** Makes late reminders continue: their workflow failed, or never started. */
export const supervised: Supervised = {
  name: 'reminders',
  records: reminders,
  goOn: async (client, id) => {
    const record = await reminders.read(id);
    if (record !== undefined) await goOn(client, record, { wake: ended });
  },
};

/** Reminders that have ended. */
export const purgeable: Purgeable = { name: 'reminders', records: reminders };
