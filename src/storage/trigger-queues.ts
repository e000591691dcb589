const names = new Set<string>();

/**
 * The name of a queue with a trigger. The app creates the queue when it starts (setup.ts).
 *
 * @example
 * df.app.client.storageQueue('IngestFromQueue', { queueName: triggerQueue('ingest'), connection: 'AppStorage', handler });
 */
export function triggerQueue(name: string): string {
  names.add(name);
  return name;
}

/** The names that {@link triggerQueue} got. */
export const triggerQueues: Iterable<string> = names;
