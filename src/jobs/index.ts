/** Jobs: an HTTP API in front of work that takes its time. */
export { goOn } from './endpoints.js';
export { supervised } from './supervised.js';
