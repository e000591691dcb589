import type { Purgeable, Supervised } from '../supervision/index.js';
import { goOn } from './endpoints.js';
import { jobs } from './store.js';

/** Makes late jobs continue (their workflow failed or never started), and removes expired results. */
export const supervised: Supervised = {
  name: 'jobs',
  records: jobs,
  goOn: async (client, id) => {
    const job = await jobs.read(id);
    if (job !== undefined) await goOn(client, job);
  },
};

/** Jobs of which only the record is left. */
export const purgeable: Purgeable = { name: 'jobs', records: jobs };
