import type { Purgeable, Supervised } from '../supervision/index.js';
import { goOn } from './endpoints.js';
import { decided } from './orchestrators.js';
import { approvals } from './store.js';

/** Makes late approvals continue: their workflow failed, never started, or missed a decision. */
export const supervised: Supervised = {
  name: 'approvals',
  records: approvals,
  goOn: async (client, id) => {
    const approval = await approvals.read(id);
    if (approval !== undefined) await goOn(client, approval, { wake: decided });
  },
};

/** Decided, expired and withdrawn approvals. */
export const purgeable: Purgeable = { name: 'approvals', records: approvals };
