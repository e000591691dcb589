import { setTimeout as sleep } from 'node:timers/promises';
import { isRestError, type QueueClient } from '@azure/storage-queue';
import type { Screen } from './screen.ts';

/** Milliseconds between two reads of an empty queue. */
const PAUSE = 500;
/** Milliseconds to wait after the first failure, doubled after each further one, and the maximum. */
const BACK_OFF = { first: 500, most: 15_000 };
/** Milliseconds after which a request counts as failed. */
const REQUEST_TIMEOUT = 10_000;
/** Seconds for printing and deleting a line. After that, another console can read it. */
const HOLD = 15;

/**
 * Prints lines from the queue for ever, and dots while there are none. It deletes a line after printing it.
 * When storage fails, it reports that once and retries with growing intervals. Rejects when it can no longer
 * print.
 */
export async function printLines(queue: QueueClient, screen: Screen): Promise<never> {
  /** Ids of lines that were printed but perhaps not deleted: they are not printed again. */
  const printed = new Set<string>();
  for (let failures = 0; ;) {
    try {
      const some = await printNext(queue, screen, printed);
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

/** @returns whether there was a line */
async function printNext(queue: QueueClient, screen: Screen, printed: Set<string>): Promise<boolean> {
  const messages = await receive(queue);
  for (const { messageId, messageText } of messages) {
    if (printed.has(messageId)) continue;
    await screen.line(decoded(messageText));
    printed.add(messageId);
  }
  await Promise.all(
    messages.map(async ({ messageId, popReceipt }) => {
      await unlessGone(
        queue.deleteMessage(messageId, popReceipt, { abortSignal: AbortSignal.timeout(REQUEST_TIMEOUT) }),
      );
      printed.delete(messageId);
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
      abortSignal: AbortSignal.timeout(REQUEST_TIMEOUT),
    }),
  );
  return answer?.receivedMessageItems ?? [];
}

/**
 * @returns undefined when the queue does not exist yet, or when the message does not (another console has it)
 */
async function unlessGone<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isRestError(error) && (error.statusCode === 404 || error.code === 'PopReceiptMismatch'))
      return undefined;
    throw error;
  }
}

/** Decodes base64, which Azure's queue clients and bindings write. Other text is returned unchanged. */
function decoded(messageText: string): string {
  const bytes = Buffer.from(messageText, 'base64');
  return bytes.toString('base64') === messageText ? bytes.toString('utf8') : messageText;
}

/** @returns in a few words why storage failed; undefined when the error does not come from storage */
function storageFailure(error: unknown): string | undefined {
  if (error instanceof Error && error.name === 'AbortError')
    return `nothing came within ${REQUEST_TIMEOUT / 1000} seconds`;
  if (!isRestError(error)) return undefined;
  return error.statusCode === undefined
    ? error.message.split('\n')[0]!
    : `${error.statusCode} ${error.code ?? ''}`.trim();
}
