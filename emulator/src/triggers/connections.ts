/** Storage connections by the name of a setting, as in the property `connection` of a binding. */
import type { ContainerClient } from '@azure/storage-blob';
import type { QueueServiceClient } from '@azure/storage-queue';
import type { TableClient } from '@azure/data-tables';
import type { TokenCredential } from '@azure/identity';
import type { Setting } from '../config/settings.js';
import { escapeLineSeparators } from '../line-separators.js';

/** How to reach a storage service. */
export type StorageConnection =
  | { connectionString: string }
  /** By identity: that of the client id, or without one the identity of the user who runs the emulator. */
  | { serviceUri: string; clientId: string | undefined };

/**
 * Finds a connection as the host's extensions do. `AzureWebJobs<name>` comes before `<name>`; each is read
 * first from the connection strings, then from the settings, and last from settings such as
 * `<name>__queueServiceUri`.
 * @returns undefined when no such setting is set
 */
export function findConnection(
  setting: Setting,
  name: string,
  service: 'blob' | 'queue' | 'table',
): StorageConnection | undefined {
  for (const candidate of [`AzureWebJobs${name}`, name]) {
    const connectionString = setting(`ConnectionStrings:${candidate}`) ?? setting(candidate);
    if (connectionString !== undefined) return { connectionString };
    const account = setting(`${candidate}__accountName`);
    const serviceUri =
      setting(`${candidate}__${service}ServiceUri`) ??
      setting(`${candidate}__serviceUri`) ??
      setting(`${candidate}__endpoint`) ??
      (account === undefined ? undefined : `https://${account}.${service}.core.windows.net`);
    if (serviceUri !== undefined) return { serviceUri, clientId: setting(`${candidate}__clientId`) };
  }
  return undefined;
}

/** The name of the setting in a binding's `connection`. */
export function connectionName(connection: unknown): string {
  return typeof connection === 'string' && connection !== '' ? connection : 'AzureWebJobsStorage';
}

const OPTIONS = { retryOptions: { maxTries: 3, retryDelayInMs: 50, maxRetryDelayInMs: 400 } };

/** @throws Error when the connection string is invalid, or `@azure/identity` is needed and not installed */
export async function queueService(connection: StorageConnection): Promise<QueueServiceClient> {
  // The storage libraries load slowly, and most apps have no queues.
  const { QueueServiceClient } = await import('@azure/storage-queue');
  return 'connectionString' in connection
    ? QueueServiceClient.fromConnectionString(connection.connectionString, OPTIONS)
    : new QueueServiceClient(connection.serviceUri, await credential(connection.clientId), OPTIONS);
}

/** @throws as {@link queueService} */
export async function blobContainer(connection: StorageConnection, name: string): Promise<ContainerClient> {
  const { BlobServiceClient } = await import('@azure/storage-blob');
  const service =
    'connectionString' in connection
      ? BlobServiceClient.fromConnectionString(connection.connectionString, OPTIONS)
      : new BlobServiceClient(connection.serviceUri, await credential(connection.clientId), OPTIONS);
  return service.getContainerClient(name);
}

/** @throws as {@link queueService} */
export async function tableClient(connection: StorageConnection, name: string): Promise<TableClient> {
  const { TableClient } = await import('@azure/data-tables');
  // Storage on this machine is reached without TLS.
  const options = {
    allowInsecureConnection: true,
    retryOptions: { maxRetries: 3, retryDelayInMs: 50, maxRetryDelayInMs: 400 },
  };
  const client =
    'connectionString' in connection
      ? TableClient.fromConnectionString(connection.connectionString, name, options)
      : new TableClient(connection.serviceUri, name, await credential(connection.clientId), options);
  escapeLineSeparators(client);
  return client;
}

/**
 * Why a binding's storage cannot be reached, as the end of a sentence; undefined when it can.
 * @param what the storage: `its queue 'orders'`
 */
export function connectionProblem(
  setting: Setting,
  connection: unknown,
  service: 'blob' | 'queue' | 'table',
  what: string,
): string | undefined {
  const name = connectionName(connection);
  return findConnection(setting, name, service) === undefined
    ? `${what} needs a storage account, and the setting '${name}' is not set`
    : undefined;
}

async function credential(clientId: string | undefined): Promise<TokenCredential> {
  const { DefaultAzureCredential } = await import('@azure/identity');
  return new DefaultAzureCredential(clientId === undefined ? {} : { managedIdentityClientId: clientId });
}
