import type { Supervised } from '../supervision/index.js';
import { goOn } from './endpoints.js';
import { jobs } from './store.js';

/** Jobs whose workflow is late: it failed or never started; and results that have expired. */
export const supervised: Supervised = {
  name: 'jobs',
  records: jobs,
  goOn: async (client, id) => {
    const job = await jobs.read(id);
    if (job !== undefined) await goOn(client, job);
  },
};
