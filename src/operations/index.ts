/** Functions that run the app without an operator. */
export { sweepAll } from './functions.js';
