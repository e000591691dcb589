import { TableClient, TableServiceClient } from '@azure/data-tables';
import { BlobServiceClient, newPipeline } from '@azure/storage-blob';

/** What storage usually runs on the same machine: a few quick tries, then the caller decides. */
const RETRIES = { count: 3, delay: 50, longestDelay: 400 };

/** After as many milliseconds an answer will not come any more. The service itself gives up after 30 seconds. */
const TIMEOUT = 30_000;

/** The clients of one hub: made once, since each keeps its connections and its signing key. */
export class StorageClients {
  readonly tables: TableServiceClient;
  readonly blobs: BlobServiceClient;
  readonly #connection: string;
  readonly #table: (name: string) => TableClient;
  #requests = 0;

  /** @param connection a storage account's connection string, or `UseDevelopmentStorage=true` */
  constructor(connection: string) {
    this.#connection = connection;
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
          sendRequest: (request, next) => {
            prepare(request);
            return next(request);
          },
        },
        { afterPhase: 'Retry' },
      );
      return client;
    };
    this.tables = counted(TableServiceClient.fromConnectionString(connection, options));
    this.#table = (name) => counted(TableClient.fromConnectionString(connection, name, options));

    const { url, credential } = BlobServiceClient.fromConnectionString(connection);
    const pipeline = newPipeline(credential, {
      retryOptions: {
        maxTries: RETRIES.count + 1,
        retryDelayInMs: RETRIES.delay,
        maxRetryDelayInMs: RETRIES.longestDelay,
      },
    });
    pipeline.factories.push({
      create: (next) => ({
        sendRequest: (request) => {
          prepare(request);
          return next.sendRequest(request);
        },
      }),
    });
    this.blobs = new BlobServiceClient(url, pipeline);
  }

  table(name: string): TableClient {
    return this.#table(name);
  }

  async queueExists(name: string): Promise<boolean> {
    // Asked once in a hub's life, so not worth loading at every start.
    const { QueueServiceClient } = await import('@azure/storage-queue');
    return QueueServiceClient.fromConnectionString(this.#connection).getQueueClient(name).exists();
  }

  async tableExists(name: string): Promise<boolean> {
    const tables = this.tables.listTables({ queryOptions: { filter: `TableName eq ${literal(name)}` } });
    return (await tables.next()).done !== true;
  }

  /** How many requests were made so far, retries included. */
  get requests(): number {
    return this.#requests;
  }
}

/** Storage's text literals in filters. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** What was read does not fit together, because it was replaced meanwhile: reading again helps. */
export class StaleReadError extends Error {
  override name = 'StaleReadError';
}

const READS = 5;

/** Reads until nothing changes meanwhile; gives up on what stays wrong. @throws StaleReadError */
export async function readWhole<T>(read: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof StaleReadError) || tries === READS) throw error;
    }
  }
}
