/** Ingestion: files of sales lines, of any length, through a bounded fan-out. */
export { goOn } from './endpoints.js';
export { datasetOrchestrator } from './orchestrators.js';
export { purgeable, supervised } from './supervised.js';
