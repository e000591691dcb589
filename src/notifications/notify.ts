import type { InvocationContext } from '@azure/functions';
import type { Notification } from './message.js';
import { enqueue, NOTIFICATIONS } from './queues.js';

/** Queues a message to a person, and logs one line. */
export async function notify(notification: Notification, context: InvocationContext): Promise<void> {
  await enqueue(NOTIFICATIONS, notification);
  context.log('To %s: %s (%s)', notification.to, notification.subject, notification.about);
}
