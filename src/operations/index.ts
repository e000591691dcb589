/** What keeps the app right while nobody watches. */
export { sweepAll } from './functions.js';
