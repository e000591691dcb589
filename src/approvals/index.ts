/** Approvals: requested by one person, decided by another, with deadlines. */
// oxlint-disable-next-line import/no-unassigned-import -- it registers the functions
import './link.js';

export { startApproval, startSimulation } from './endpoints.js';
export { approvalOrchestrator, approvalSimulation } from './orchestrators.js';
export { withdrawApproval } from './requests.js';
export { purgeable, supervised } from './supervised.js';
export { awaitApproval } from './waiting.js';
