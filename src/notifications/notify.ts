import type { InvocationContext } from '@azure/functions';
import { queue } from '../storage/index.js';

/** The queue from which messages to people are sent on. */
export const NOTIFICATIONS = 'notifications';

/** A message to a person, as it is queued: this, as JSON, in base64. */
export interface Notification {
  /** Whom it is for, by the name or address the app knows them by. */
  to: string;
  subject: string;
  text: string;
  /** What it is about: the path of a resource of this app. */
  about: string;
  /** The same when an activity runs twice, so that whoever delivers can tell a repeat. */
  key: string;
}

/** Queues a message to a person, and says so in one line of the log. */
export async function notify(notification: Notification, context: InvocationContext): Promise<void> {
  const notifications = await queue(NOTIFICATIONS);
  // Base64 is what a queue trigger expects unless host.json says otherwise.
  await notifications.sendMessage(Buffer.from(JSON.stringify(notification)).toString('base64'));
  context.log('To %s: %s (%s)', notification.to, notification.subject, notification.about);
}
