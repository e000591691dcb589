import { TableClient, TableServiceClient } from '@azure/data-tables';
import { BlobServiceClient, newPipeline } from '@azure/storage-blob';
import { escapeLineSeparators } from '../../line-separators.js';
import { Semaphore } from '../../parallel.js';

/** A few quick retries, because storage usually runs on the same machine. After them the caller decides. */
const RETRIES = { count: 3, delay: 50, longestDelay: 400 };

/** How long a request waits for its answer, in milliseconds. The service itself gives up after 30 seconds. */
const TIMEOUT = 30_000;

/**
 * How many requests are under way at once; the others wait in the order in which they came, and their time limit
 * begins when they are sent. Azurite answers no more in a second when more are under way, and some thousands
 * at once would all time out.
 */
const UNDER_WAY = 50;

/**
 * The storage clients of one hub. They are made once, because each keeps its connections and its signing key.
 */
export class StorageClients {
  readonly tables: TableServiceClient;
  readonly blobs: BlobServiceClient;
  /** For requests that must not wait for others: those that keep the hub's lease. */
  readonly leases: BlobServiceClient;
  readonly #connection: string;
  readonly #table: (name: string) => TableClient;
  readonly #places: Semaphore;
  #requests = 0;

  /** @param connection a storage account's connection string, or `UseDevelopmentStorage=true` */
  constructor(connection: string, underWay = UNDER_WAY) {
    this.#connection = connection;
    this.#places = new Semaphore(underWay);
    const options = {
      allowInsecureConnection: true,
      retryOptions: {
        maxRetries: RETRIES.count,
        retryDelayInMs: RETRIES.delay,
        maxRetryDelayInMs: RETRIES.longestDelay,
      },
    };
    const prepare = (request: { timeout: number }): void => {
      this.#requests++;
      request.timeout = TIMEOUT;
    };
    const counted = <Client extends TableClient | TableServiceClient>(client: Client): Client => {
      client.pipeline.addPolicy(
        {
          name: 'countAndLimit',
          sendRequest: (request, next) =>
            this.#places.run(() => {
              prepare(request);
              return next(request);
            }),
        },
        { afterPhase: 'Retry' },
      );
      escapeLineSeparators(client);
      return client;
    };
    this.tables = counted(TableServiceClient.fromConnectionString(connection, options));
    this.#table = (name) => counted(TableClient.fromConnectionString(connection, name, options));

    const { url, credential } = BlobServiceClient.fromConnectionString(connection);
    const blobClient = (inTurn: <T>(send: () => Promise<T>) => Promise<T>): BlobServiceClient => {
      const pipeline = newPipeline(credential, {
        retryOptions: {
          maxTries: RETRIES.count + 1,
          retryDelayInMs: RETRIES.delay,
          maxRetryDelayInMs: RETRIES.longestDelay,
        },
      });
      pipeline.factories.push({
        create: (next) => ({
          sendRequest: (request) =>
            inTurn(() => {
              prepare(request);
              return next.sendRequest(request);
            }),
        }),
      });
      return new BlobServiceClient(url, pipeline);
    };
    this.blobs = blobClient((send) => this.#places.run(send));
    this.leases = blobClient((send) => send());
  }

  table(name: string): TableClient {
    return this.#table(name);
  }

  async queueExists(name: string): Promise<boolean> {
    // The library is loaded here, because a hub needs it only once.
    const { QueueServiceClient } = await import('@azure/storage-queue');
    return QueueServiceClient.fromConnectionString(this.#connection).getQueueClient(name).exists();
  }

  async tableExists(name: string): Promise<boolean> {
    const tables = this.tables.listTables({ queryOptions: { filter: `TableName eq ${literal(name)}` } });
    return (await tables.next()).done !== true;
  }

  /** The number of requests so far, including retries. */
  get requests(): number {
    return this.#requests;
  }
}

/** A text as a literal in a filter. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The rows that were read do not fit together, because a write came in between. A second read helps. */
export class StaleReadError extends Error {
  override name = 'StaleReadError';
}

const READS = 5;

/** Repeats a read that a write has disturbed, a few times. @throws StaleReadError */
export async function readWhole<T>(read: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof StaleReadError) || tries === READS) throw error;
    }
  }
}
