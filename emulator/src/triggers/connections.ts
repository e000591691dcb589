/** Storage by the name of a setting, as a binding's `connection` gives it. */
import type { ContainerClient } from '@azure/storage-blob';
import type { QueueServiceClient } from '@azure/storage-queue';
import type { TokenCredential } from '@azure/identity';
import type { Setting } from '../config/settings.js';

/** How a storage service is reached. */
export type StorageConnection =
  | { connectionString: string }
  /** By identity: that of the given client id, or the one of whoever runs the emulator. */
  | { serviceUri: string; clientId: string | undefined };

/**
 * Looks a connection up as the host's extensions do: `AzureWebJobs<name>` before `<name>`, each first among the connection
 * strings and then among the settings, and last the settings `<name>__queueServiceUri` and its like.
 * @returns undefined when nothing is set
 */
export function findConnection(
  setting: Setting,
  name: string,
  service: 'blob' | 'queue',
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

/** The setting that a binding's `connection` stands for. */
export function connectionName(connection: unknown): string {
  return typeof connection === 'string' && connection !== '' ? connection : 'AzureWebJobsStorage';
}

const OPTIONS = { retryOptions: { maxTries: 3, retryDelayInMs: 50, maxRetryDelayInMs: 400 } };

/** @throws Error when the connection string is none, or `@azure/identity` is needed and not installed */
export async function queueService(connection: StorageConnection): Promise<QueueServiceClient> {
  // Only now: the storage libraries take a while to load, and most apps have no queues.
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

async function credential(clientId: string | undefined): Promise<TokenCredential> {
  const { DefaultAzureCredential } = await import('@azure/identity');
  return new DefaultAzureCredential(clientId === undefined ? {} : { managedIdentityClientId: clientId });
}
