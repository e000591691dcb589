import { queue } from '../storage/index.js';
import type { Notification, Queued } from './message.js';

/** The queue from which messages to people are delivered. */
export const NOTIFICATIONS = 'notifications';
/** The queue of messages that could not be delivered. The host has the same name for it. */
export const UNDELIVERED = `${NOTIFICATIONS}-poison`;

/** A queue deletes a message after a week unless it is told that it may stay. */
const FOR_EVER = { messageTimeToLive: -1 };

/**
 * Puts a message into a queue.
 *
 * @param after seconds until it is visible
 */
export async function enqueue(
  name: typeof NOTIFICATIONS | typeof UNDELIVERED,
  message: Notification | Queued | object,
  after = 0,
): Promise<void> {
  // A queue trigger expects base64 unless host.json configures another encoding.
  const text = Buffer.from(JSON.stringify(message)).toString('base64');
  await (await queue(name)).sendMessage(text, { ...FOR_EVER, visibilityTimeout: after });
}
