import type { Purgeable, Supervised } from '../supervision/index.js';
import moment from 'moment';
import { goOn } from './endpoints.js';
import { remove } from './rules.js';
import { ingestions } from './store.js';

/** Makes late ingestions continue: their workflow failed or never started, or blobs wait to be removed. */
export const supervised: Supervised = {
  name: 'ingestions',
  records: ingestions,
  goOn: async (client, id) => {
    const ingestion = await ingestions.read(id);
    if (ingestion !== undefined) await goOn(client, ingestion);
  },
};

/**
 * Ingestions that have ended. A completed one still has its results: it is removed as a caller removes it, and
 * its record remains as long again.
 */
export const purgeable: Purgeable = {
  name: 'ingestions',
  records: ingestions,
  clear: async (client, id) => {
    const ingestion = await ingestions.read(id);
    if (ingestion?.state !== 'completed') return true;
    await ingestions.change(id, (current) => remove(current, moment.utc()));
    const removed = await ingestions.read(id);
    if (removed !== undefined) await goOn(client, removed);
    return false;
  },
};
