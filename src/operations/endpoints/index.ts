/** What operators and monitors call. */
export { getHealth, getHealthDetails } from './health.js';
export { actOnInstance, getHistory, getInstance, listInstances } from './instances.js';
