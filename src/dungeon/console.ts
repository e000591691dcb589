import { queue } from '../storage/index.js';

/** The queue that the console program reads. */
const CONSOLE = 'console';

/** Puts lines on the console's queue, in their order, each as its text in base64. */
export async function say(lines: readonly string[]): Promise<void> {
  const lineQueue = await queue(CONSOLE);
  for (const line of lines) {
    await lineQueue.sendMessage(Buffer.from(line).toString('base64'));
  }
}
