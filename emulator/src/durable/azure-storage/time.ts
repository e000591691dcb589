import type { BlockBlobClient } from '@azure/storage-blob';
import { statusOf } from '../../storage-errors.js';
import type { TimeStore } from '../time-store.js';
import type { StorageClients } from './clients.js';

/** The blob `clock` beside the lease of a hub, with the JSON `{ "ahead": milliseconds }`. */
export class ClockBlob implements TimeStore {
  readonly #blob: BlockBlobClient;
  readonly #checkOwner: () => void;

  /** @param checkOwner throws while another host may own the hub */
  constructor(hubName: string, { blobs }: StorageClients, checkOwner: () => void) {
    this.#blob = blobs.getContainerClient(`${hubName.toLowerCase()}-applease`).getBlockBlobClient('clock');
    this.#checkOwner = checkOwner;
  }

  async read(): Promise<number> {
    try {
      return (JSON.parse((await this.#blob.downloadToBuffer()).toString()) as { ahead: number }).ahead;
    } catch (error) {
      if (statusOf(error) === 404) return 0;
      throw error;
    }
  }

  async write(ahead: number): Promise<void> {
    this.#checkOwner();
    const text = JSON.stringify({ ahead });
    await this.#blob.upload(text, text.length);
  }
}
