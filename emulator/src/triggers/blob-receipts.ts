/** Which blobs a blob function has had. The records are those of the real host, so that a restart repeats none. */
import type { ContainerClient } from '@azure/storage-blob';
import { statusOf } from '../storage-errors.js';
import type { Setting } from '../config/settings.js';
import { blobContainer, findConnection, type StorageConnection } from './connections.js';
import { hostId } from './schedule-statuses.js';

/** One version of a blob, and the function that it is for. */
export interface BlobReceipt {
  functionName: string;
  etag: string;
  container: string;
  blob: string;
}

export interface BlobReceipts {
  has(receipt: BlobReceipt): Promise<boolean>;
  add(receipt: BlobReceipt): Promise<void>;
}

/** Names a receipt: `Host.Functions.<function>/<etag>/<container>/<blob>`. */
export function receiptPath({ functionName, etag, container, blob }: BlobReceipt): string {
  return `Host.Functions.${functionName}/${etag}/${container}/${blob}`;
}

/** Keeps receipts in memory: every blob is new after a start. */
export class MemoryBlobReceipts implements BlobReceipts {
  readonly #paths = new Set<string>();

  async has(receipt: BlobReceipt): Promise<boolean> {
    return this.#paths.has(receiptPath(receipt));
  }

  async add(receipt: BlobReceipt): Promise<void> {
    this.#paths.add(receiptPath(receipt));
  }
}

/** Keeps receipts in `azure-webjobs-hosts/blobreceipts/<host id>/`. */
export class StoredBlobReceipts implements BlobReceipts {
  readonly #options: { connection: StorageConnection; hostId: string };
  #container: Promise<ContainerClient> | undefined;

  constructor(options: { connection: StorageConnection; hostId: string }) {
    this.#options = options;
  }

  async has(receipt: BlobReceipt): Promise<boolean> {
    return (await this.#open()).getBlobClient(this.#path(receipt)).exists();
  }

  async add(receipt: BlobReceipt): Promise<void> {
    const container = await this.#open();
    const blob = container.getBlockBlobClient(this.#path(receipt));
    try {
      await blob.upload('', 0);
    } catch (error) {
      if (statusOf(error) !== 404) throw error;
      await container.createIfNotExists();
      await blob.upload('', 0);
    }
  }

  async #open(): Promise<ContainerClient> {
    this.#container ??= blobContainer(this.#options.connection, 'azure-webjobs-hosts');
    return this.#container;
  }

  #path(receipt: BlobReceipt): string {
    return `blobreceipts/${this.#options.hostId}/${receiptPath(receipt)}`;
  }
}

/** The receipts of an app: in the storage of the host, or in memory when it has none. */
export function blobReceipts(inMemory: boolean, setting: Setting, directory: string): BlobReceipts {
  const connection = inMemory ? undefined : findConnection(setting, 'AzureWebJobsStorage', 'blob');
  return connection === undefined
    ? new MemoryBlobReceipts()
    : new StoredBlobReceipts({ connection, hostId: hostId(directory, setting) });
}
