import type { Purgeable, Supervised } from '../supervision/index.js';
import { deliveries } from './store.js';

/** Deliveries are due at no time. */
export const supervised: Supervised = { name: 'deliveries', records: deliveries };

/** Removes old deliveries, with the messages of the outbox. */
export const purgeable: Purgeable = { name: 'deliveries', records: deliveries };
