/** Jobs: an async HTTP API for long work. */
export { goOn } from './endpoints.js';
export { purgeable, supervised } from './supervised.js';
