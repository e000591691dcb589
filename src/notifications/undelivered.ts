import { RestError } from '@azure/storage-queue';
import { queue } from '../storage/index.js';
import { queued, type Queued } from './message.js';
import { enqueue, NOTIFICATIONS, UNDELIVERED } from './queues.js';

/** A batch of a storage queue. */
const BATCH = 32;
/** How many messages one request sends again. */
const LIMIT = 1000;
/** Seconds in which a message that is being moved is invisible. */
const INVISIBLE = 60;

/** The messages that could not be delivered: about how many, and the first of them. */
export async function undelivered(): Promise<{ count: number; first: Partial<Queued>[] }> {
  const from = await queue(UNDELIVERED);
  const { approximateMessagesCount = 0 } = await from.getProperties();
  const { peekedMessageItems } = await from.peekMessages({ numberOfMessages: BATCH });
  return {
    count: approximateMessagesCount,
    first: peekedMessageItems.map(({ messageText }) => read(messageText)),
  };
}

/**
 * Puts messages that could not be delivered back into the queue, with all their attempts. What is no message
 * stays. If it is interrupted, a message may be in both queues; it is delivered once.
 *
 * @returns how many it has put back
 */
export async function sendAgain(): Promise<number> {
  const from = await queue(UNDELIVERED);
  const seen = new Set<string>();
  let sent = 0;
  while (sent < LIMIT) {
    const { receivedMessageItems } = await from.receiveMessages({
      numberOfMessages: BATCH,
      visibilityTimeout: INVISIBLE,
    });
    // Those that fail again come back while this runs.
    const items = receivedMessageItems.filter(({ messageId }) => !seen.has(messageId));
    if (items.length === 0) break;
    for (const { messageId, popReceipt, messageText } of items) {
      seen.add(messageId);
      const { key, attempts: _, failure: __, ...message } = read(messageText);
      if (key === undefined) continue;
      await enqueue(NOTIFICATIONS, { ...message, key });
      await from.deleteMessage(messageId, popReceipt).catch(unlessTaken);
      sent += 1;
    }
  }
  return sent;
}

/** Another request has taken the message, because moving the ones before it took longer than it was invisible. */
function unlessTaken(error: unknown): void {
  if (!(error instanceof RestError) || ![400, 404].includes(error.statusCode ?? 0)) throw error;
}

function read(text: string): Partial<Queued> {
  try {
    return queued.safeParse(JSON.parse(Buffer.from(text, 'base64').toString())).data ?? {};
  } catch {
    return {};
  }
}
