/** The interface between a feature and the sweep, which restarts workflows that failed or never started. */
export type { Supervised } from './supervised.js';
