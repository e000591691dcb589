/** What a feature offers so that its workflows come right also after they failed, or were never started. */
export type { Supervised } from './supervised.js';
