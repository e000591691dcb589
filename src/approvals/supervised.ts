import type { Supervised } from '../supervision/index.js';
import { goOn } from './endpoints.js';
import { decided } from './orchestrators.js';
import { approvals } from './store.js';

/** Makes late approvals continue: their workflow failed, never started, or missed a decision. */
export const supervised: Supervised = {
  name: 'approvals',
  records: approvals,
  goOn: async (client, id) => {
    const approval = await approvals.read(id);
    if (approval !== undefined) await goOn(client, approval, decided);
  },
};
