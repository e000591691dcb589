/** Messages to people: queued, and delivered to a webhook or to the outbox. */
// oxlint-disable-next-line import/no-unassigned-import -- it registers the functions
import './endpoints.js';

export type { Notification } from './message.js';
export { notify } from './notify.js';
export { purgeable, supervised } from './supervised.js';
export { operator } from './operator.js';
export { NOTIFICATIONS, UNDELIVERED } from './queues.js';
