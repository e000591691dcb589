/** Functions that run the app without an operator, and what operators call. */
export {
  actOnInstance,
  getHealth,
  getHealthDetails,
  getHistory,
  getInstance,
  listInstances,
} from './endpoints/index.js';
export { purgeAll, sendHeartbeat, sweepAll } from './functions.js';
