import { TableClient } from '@azure/data-tables';
import {
  BlobServiceClient,
  newPipeline as blobPipeline,
  type ContainerClient,
  type RequestPolicyFactory,
} from '@azure/storage-blob';
import { newPipeline as queuePipeline, type QueueClient, QueueServiceClient } from '@azure/storage-queue';
import { credential } from '../identity/index.js';

const SETTING = 'AppStorage';

/**
 * Milliseconds until the answer of a request must begin. The service itself gives up after 30 seconds. A
 * request that takes longer fails, and is not repeated, because a caller of the app waits for it.
 */
const LIMIT = 30_000;
/** A request that fails at once is repeated for about three seconds. Delays in milliseconds. */
const RETRIES = { maxTries: 4, retryDelayInMs: 300, maxRetryDelayInMs: 1_500 } as const;

/** Whether an error of these clients says that storage is not there, or is too busy. */
export function isUnavailable(error: unknown): boolean {
  const { name, statusCode = 503 } = error as { name?: string; statusCode?: number };
  return name === 'AbortError' || (name === 'RestError' && (statusCode >= 500 || statusCode === 429));
}

/**
 * The settings of the app's storage: a connection string, or one address for each service and an identity.
 */
type Settings = { connectionString: string } | { uri: string; clientId: string | undefined };

/**
 * Azurite ends a line of a transaction at U+2028 and U+2029, which JSON has without an escape: it refuses the transaction,
 * and then also those of others, until it is started again. .NET's client escapes them, too.
 */
const lineSeparatorsEscaped: Parameters<TableClient['pipeline']['addPolicy']>[0] = {
  name: 'lineSeparatorsEscaped',
  sendRequest: (request, next) => {
    if (typeof request.body === 'string' && /[\u2028\u2029]/.test(request.body)) {
      request.body = request.body.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
      request.headers.set('content-length', String(Buffer.byteLength(request.body)));
    }
    return next(request);
  },
};

/** The table of that name, created at its first use. */
export function table(name: string): Promise<TableClient> {
  return once('table', name, async (settings) => {
    const options = { retryOptions: { ...RETRIES, maxRetries: RETRIES.maxTries - 1 } };
    const client =
      'uri' in settings
        ? new TableClient(settings.uri, name, await credential(settings.clientId), options)
        : TableClient.fromConnectionString(settings.connectionString, name, {
            ...options,
            // The connection string may have HTTP addresses, as Azurite's has.
            allowInsecureConnection: true,
          });
    client.pipeline.addPolicy(
      {
        name: 'limit',
        sendRequest: (request, next) => {
          request.timeout = LIMIT;
          return next(request);
        },
      },
      { afterPhase: 'Retry' },
    );
    client.pipeline.addPolicy(lineSeparatorsEscaped, { afterPhase: 'Serialize' });
    await client.createTable();
    return client;
  });
}

/** The queue of that name, created at its first use. */
export function queue(name: string): Promise<QueueClient> {
  return once('queue', name, async (settings) => {
    const direct =
      'uri' in settings
        ? new QueueServiceClient(settings.uri, await credential(settings.clientId))
        : QueueServiceClient.fromConnectionString(settings.connectionString);
    const pipeline = queuePipeline(direct['credential'], {
      // A copy, because this library adds a setting to it.
      retryOptions: { ...RETRIES },
    });
    pipeline.factories.push(limited);
    const service = new QueueServiceClient(direct.url, pipeline);
    const client = service.getQueueClient(name);
    await client.createIfNotExists();
    return client;
  });
}

/** The blob container of that name, created at its first use. */
export function container(name: string): Promise<ContainerClient> {
  return once('blob', name, async (settings) => {
    const direct =
      'uri' in settings
        ? new BlobServiceClient(settings.uri, await credential(settings.clientId))
        : BlobServiceClient.fromConnectionString(settings.connectionString);
    const pipeline = blobPipeline(direct['credential'], { retryOptions: RETRIES });
    pipeline.factories.push(limited);
    const service = new BlobServiceClient(direct.url, pipeline);
    const client = service.getContainerClient(name);
    await client.createIfNotExists();
    return client;
  });
}

/** The services of a storage account that the app uses. */
type Service = 'table' | 'queue' | 'blob';

/** Sends the requests of a pipeline within the limit. */
const limited: RequestPolicyFactory = {
  create: (next) => ({
    sendRequest: (request) => {
      request.timeout = LIMIT;
      return next.sendRequest(request);
    },
  }),
};

const clients = new Map<string, Promise<unknown>>();

/**
 * Keeps one client for each setting's value and name while the process lives. A failed creation is not kept.
 */
function once<Client>(
  service: Service,
  name: string,
  create: (settings: Settings) => Promise<Client>,
): Promise<Client> {
  const settings = read(service);
  const key = JSON.stringify([settings, service, name]);
  let client = clients.get(key) as Promise<Client> | undefined;
  if (client === undefined) {
    client = create(settings);
    clients.set(key, client);
    client.catch(() => clients.delete(key));
  }
  return client;
}

function read(service: Service): Settings {
  const connectionString = process.env[SETTING];
  if (connectionString) {
    return { connectionString };
  }
  const { [`${SETTING}__${service}ServiceUri`]: uri, [`${SETTING}__clientId`]: clientId } = process.env;
  if (uri) {
    return { uri, clientId };
  }
  throw new Error(
    `The app has no storage: set ${SETTING} to a connection string, or ${SETTING}__${service}ServiceUri to an address.`,
  );
}
