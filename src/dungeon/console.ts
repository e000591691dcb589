import { queue } from '../storage/index.js';

/** The queue that the console program reads. */
const CONSOLE = 'console';

/** A line that nobody reads is deleted by the queue after this long, in seconds. */
const EXPIRES_AFTER = 60 * 60;

/** Lines of refused requests are dropped while about this many lines wait. */
const REFUSALS_UP_TO = 250;

/** Puts lines on the console's queue, in their order, each as its text in base64. */
export async function sendToConsole(lines: readonly string[]): Promise<void> {
  if (lines.length === 0) {
    return;
  }
  const lineQueue = await queue(CONSOLE);
  for (const line of lines) {
    await lineQueue.sendMessage(Buffer.from(line).toString('base64'), { messageTimeToLive: EXPIRES_AFTER });
  }
}

/** Puts the line of a refused request on the queue. Anybody can cause any number of them, so a full queue takes no more. */
export async function sendRefusalToConsole(line: string): Promise<void> {
  const { approximateMessagesCount = 0 } = await (await queue(CONSOLE)).getProperties();
  if (approximateMessagesCount < REFUSALS_UP_TO) {
    await sendToConsole([line]);
  }
}
