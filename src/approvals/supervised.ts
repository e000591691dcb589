import type { Supervised } from '../supervision/index.js';
import { goOn } from './endpoints.js';
import { decided } from './orchestrators.js';
import { approvals } from './store.js';

/** Approvals whose workflow is late: it failed, never started, or does not know of a decision. */
export const supervised: Supervised = {
  name: 'approvals',
  records: approvals,
  goOn: async (client, id) => {
    const approval = await approvals.read(id);
    if (approval !== undefined) await goOn(client, approval, decided);
  },
};
