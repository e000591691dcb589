/** The Durable Dungeon: a game in five workflows. */
export { startGame } from './endpoints.js';
export { runUserParallel } from './orchestrators.js';
export { supervised } from './supervised.js';
