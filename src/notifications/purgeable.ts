import type { Purgeable } from '../supervision/index.js';
import { deliveries } from './store.js';

/** Removes old deliveries, with the messages of the outbox. */
export const purgeable: Purgeable = { name: 'deliveries', records: deliveries };
