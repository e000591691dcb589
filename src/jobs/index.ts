/** Jobs: an async HTTP API for long work. */
export { goOn } from './endpoints.js';
export { supervised } from './supervised.js';
