import type { InvocationContext } from '@azure/functions';
import { queue } from '../storage/index.js';

/** The queue from which messages to people are delivered. */
export const NOTIFICATIONS = 'notifications';

/** A message to a person, as it is queued: this, as JSON, in base64. */
export interface Notification {
  /** The receiver's name or address. */
  to: string;
  subject: string;
  text: string;
  /** The path of the resource that it is about. */
  about: string;
  /** The same when an activity runs twice, so that the deliverer can recognize a repeat. */
  key: string;
}

/** Queues a message to a person, and logs one line. */
export async function notify(notification: Notification, context: InvocationContext): Promise<void> {
  const notifications = await queue(NOTIFICATIONS);
  // A queue trigger expects base64 unless host.json configures another encoding.
  await notifications.sendMessage(Buffer.from(JSON.stringify(notification)).toString('base64'));
  context.log('To %s: %s (%s)', notification.to, notification.subject, notification.about);
}
