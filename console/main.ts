/** `npm run console`: prints the lines of all dungeon games as they happen. */
import { QueueServiceClient, type QueueClient } from '@azure/storage-queue';
import { Screen } from './screen.ts';
import { printLines } from './print-lines.ts';

const AZURITE = 'UseDevelopmentStorage=true';

/** The queue to which the dungeon writes its lines. */
const QUEUE = 'console';

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    process.stdout.write('\n');
    process.exit(0);
  });
}
// The reader of standard output has closed it.
process.stdout.on('error', () => {
  process.exit(0);
});

try {
  const connection = process.env['STORAGE_CONNECTION']?.trim() || AZURITE;
  const queue = open(connection);
  const { origin, pathname } = new URL(queue.url);
  const why =
    connection === AZURITE ? ', Azurite as "npm start" has it (STORAGE_CONNECTION names another)' : '';
  const screen = new Screen(process.stdout, process.stderr);
  await screen.aside(`Listening at ${origin}${pathname}${why}. Ctrl-C leaves.`);
  await printLines(queue, screen);
} catch (error) {
  process.stderr.write(`${(error as Error).message.split('\n')[0]!}\n`);
  process.exitCode = 1;
}

function open(connection: string): QueueClient {
  try {
    // printLines retries, and reports the failure.
    return QueueServiceClient.fromConnectionString(connection, {
      retryOptions: { maxTries: 1 },
    }).getQueueClient(QUEUE);
  } catch (cause) {
    throw new Error('STORAGE_CONNECTION is not a storage connection string.', { cause });
  }
}
