/** Reminders: the same message several times, until the person acknowledges it. */
export { startReminders } from './endpoints.js';
export { reminderOrchestrator } from './orchestrators.js';
export { purgeable, supervised } from './supervised.js';
