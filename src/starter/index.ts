/** Starts orchestrators by name. */
export { startOrchestrator } from './endpoints.js';
