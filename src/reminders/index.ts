/** Reminders: the same message several times, until the person acknowledges it. */
// oxlint-disable-next-line import/no-unassigned-import -- it registers the functions
import './link.js';

export { startReminders } from './endpoints.js';
export { reminderOrchestrator } from './orchestrators.js';
export { purgeable, supervised } from './supervised.js';
