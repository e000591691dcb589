import { TableClient } from '@azure/data-tables';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { type QueueClient, QueueServiceClient } from '@azure/storage-queue';
import { credential } from '../identity/index.js';

const SETTING = 'AppStorage';

/**
 * The settings of the app's storage: a connection string, or one address for each service and an identity.
 */
type Settings = { connectionString: string } | { uri: string; clientId: string | undefined };

/** The table of that name, created at its first use. */
export function table(name: string): Promise<TableClient> {
  return once('table', name, async (settings) => {
    const client =
      'uri' in settings
        ? new TableClient(settings.uri, name, await credential(settings.clientId))
        : // The connection string may have HTTP addresses, as Azurite's has.
          TableClient.fromConnectionString(settings.connectionString, name, {
            allowInsecureConnection: true,
          });
    await client.createTable();
    return client;
  });
}

/** The queue of that name, created at its first use. */
export function queue(name: string): Promise<QueueClient> {
  return once('queue', name, async (settings) => {
    const service =
      'uri' in settings
        ? new QueueServiceClient(settings.uri, await credential(settings.clientId))
        : QueueServiceClient.fromConnectionString(settings.connectionString);
    const client = service.getQueueClient(name);
    await client.createIfNotExists();
    return client;
  });
}

/** The blob container of that name, created at its first use. */
export function container(name: string): Promise<ContainerClient> {
  return once('blob', name, async (settings) => {
    const service =
      'uri' in settings
        ? new BlobServiceClient(settings.uri, await credential(settings.clientId))
        : BlobServiceClient.fromConnectionString(settings.connectionString);
    const client = service.getContainerClient(name);
    await client.createIfNotExists();
    return client;
  });
}

/** The services of a storage account that the app uses. */
type Service = 'table' | 'queue' | 'blob';

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
