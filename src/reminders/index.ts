/** Reminders: the same message again and again, until somebody has read it. */
export { startReminders } from './endpoints.js';
export { reminderOrchestrator } from './orchestrators.js';
export { supervised } from './supervised.js';
