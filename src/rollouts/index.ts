/** Rollouts: firmware for a fleet of devices, in waves that people can stop. */
export {
  abortRollout,
  createRollout,
  getRollout,
  listRollouts,
  listRolloutDevices,
  pauseRollout,
  resumeRollout,
} from './endpoints.js';
export { rolloutOrchestrator } from './orchestrators.js';
export { receiveReport, reportUpdate } from './reports.js';
export { purgeable, supervised } from './workflows.js';
