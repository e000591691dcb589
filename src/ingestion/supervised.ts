import type { Supervised } from '../supervision/index.js';
import { goOn } from './endpoints.js';
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
