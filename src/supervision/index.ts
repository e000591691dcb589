/** The interface between a feature and what keeps it in order: the sweep restarts workflows, the purge removes records. */
export type { Purgeable } from './purgeable.js';
export type { Supervised } from './supervised.js';
