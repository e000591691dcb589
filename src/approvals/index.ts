/** Approvals: requested by one person, decided by another, with deadlines. */
export { startApproval, startSimulation } from './endpoints.js';
export { approvalOrchestrator, approvalSimulation } from './orchestrators.js';
export { openApproval, readApproval, withdrawApproval } from './requests.js';
export { purgeable, supervised } from './supervised.js';
