import { setTimeout as sleep } from 'node:timers/promises';
import { isRestError, type QueueClient } from '@azure/storage-queue';
import type { Screen } from './screen.ts';

/** Between two looks at an empty queue, in milliseconds. */
const PAUSE = 500;
/** After the first failure, and at most, in milliseconds. It doubles. */
const BACK_OFF = { first: 500, most: 15_000 };
/** An answer that takes longer, in milliseconds, counts as none. */
const PATIENCE = 10_000;
/** Seconds in which a line is printed and deleted; else it is another console's. */
const HOLD = 15;

/**
 * Prints the story from the queue as it comes, a dot while nothing does, for ever. A line is deleted once it was printed. Storage that
 * goes away is said once, and tried again ever less often. Rejects when nothing can be printed any more.
 */
export async function tellStory(queue: QueueClient, screen: Screen): Promise<never> {
  /** Printed, but not known to be deleted: not to be printed again when they come again. */
  const told = new Set<string>();
  for (let failures = 0; ;) {
    try {
      const some = await tellNext(queue, screen, told);
      if (failures > 0) await screen.aside('Storage answers again.');
      failures = 0;
      if (some) continue;
      await screen.dot();
      await sleep(PAUSE);
    } catch (error) {
      const reason = storageFailure(error);
      if (reason === undefined) throw error;
      if (failures === 0)
        await screen.aside(`Storage does not answer: ${reason}. It is tried again until it does.`);
      await sleep(Math.min(BACK_OFF.most, BACK_OFF.first * 2 ** failures++));
    }
  }
}

/** @returns whether there was something */
async function tellNext(queue: QueueClient, screen: Screen, told: Set<string>): Promise<boolean> {
  const messages = await receive(queue);
  for (const { messageId, messageText } of messages) {
    if (told.has(messageId)) continue;
    await screen.line(decoded(messageText));
    told.add(messageId);
  }
  await Promise.all(
    messages.map(async ({ messageId, popReceipt }) => {
      await unlessGone(
        queue.deleteMessage(messageId, popReceipt, { abortSignal: AbortSignal.timeout(PATIENCE) }),
      );
      told.delete(messageId);
    }),
  );
  return messages.length > 0;
}

async function receive(
  queue: QueueClient,
): Promise<{ messageId: string; messageText: string; popReceipt: string }[]> {
  const answer = await unlessGone(
    queue.receiveMessages({
      numberOfMessages: 32,
      visibilityTimeout: HOLD,
      abortSignal: AbortSignal.timeout(PATIENCE),
    }),
  );
  return answer?.receivedMessageItems ?? [];
}

/** @returns nothing when there is no such queue, before the first line was told, or no such message, which is another's by now */
async function unlessGone<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isRestError(error) && (error.statusCode === 404 || error.code === 'PopReceiptMismatch'))
      return undefined;
    throw error;
  }
}

/** The text in base64, as Azure's queue clients and bindings write it; whatever else somebody put there as it is. */
function decoded(messageText: string): string {
  const bytes = Buffer.from(messageText, 'base64');
  return bytes.toString('base64') === messageText ? bytes.toString('utf8') : messageText;
}

/** @returns in a few words why storage gave no answer; nothing when the error is not of storage */
function storageFailure(error: unknown): string | undefined {
  if (error instanceof Error && error.name === 'AbortError')
    return `nothing came within ${PATIENCE / 1000} seconds`;
  if (!isRestError(error)) return undefined;
  return error.statusCode === undefined
    ? error.message.split('\n')[0]!
    : `${error.statusCode} ${error.code ?? ''}`.trim();
}
