/** Approvals: somebody asks, somebody decides, and time may run out. */
export { startApproval, startSimulation } from './endpoints.js';
export { approvalOrchestrator, approvalSimulation } from './orchestrators.js';
export { openApproval, readApproval, withdrawApproval } from './requests.js';
export { supervised } from './supervised.js';
