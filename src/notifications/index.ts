/** Messages to people. */
export { NOTIFICATIONS, notify, type Notification } from './notify.js';
export { operator } from './operator.js';
