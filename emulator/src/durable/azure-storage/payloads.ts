import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { BlobServiceClient, ContainerClient } from '@azure/storage-blob';
import { StaleReadError } from './clients.js';
import { inParallel } from '../../parallel.js';
import { statusOf } from '../../storage-errors.js';
import { blobColumn, blobsOf, type Columns, type Row } from './rows.js';

/**
 * The longest text that stays in a column, in UTF-16 units. The service takes 64 KB. The provider and the
 * emulator put texts over 60 KB into blobs.
 */
export const MAX_TEXT = 30 * 1024;

const PARALLEL = 16;
const compress = promisify(gzip);
const decompress = promisify(gunzip);

/**
 * Texts that are too large for a column, as gzip in the container `<hub>-largemessages`, under the instance's
 * key. Each blob belongs to one column of one row. It is written before the row and deleted after it.
 */
export class Payloads {
  readonly #container: ContainerClient;

  constructor(service: BlobServiceClient, hubName: string) {
    this.#container = service.getContainerClient(`${hubName.toLowerCase()}-largemessages`);
  }

  async create(): Promise<void> {
    await this.#container.createIfNotExists();
  }

  /**
   * Moves texts that are too large for their columns into blobs. The column is then empty or has the blob's
   * URL.
   * @param label names the kind of row in the blob's name
   * @returns the names of the blobs
   */
  async store(key: string, label: string, columns: Columns, left: 'nothing' | 'url'): Promise<string[]> {
    const large = Object.entries(columns).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1].length > MAX_TEXT,
    );
    return Promise.all(
      large.map(async ([name, text]) => {
        const blob = `${key}/${label}-${randomUUID().slice(0, 8)}-${name}.json.gz`;
        const content = await compress(text);
        const client = this.#container.getBlockBlobClient(blob);
        await client.upload(content, content.length);
        columns[name] = left === 'url' ? client.url : '';
        columns[blobColumn(name)] = blob;
        return blob;
      }),
    );
  }

  /** {@link store} for many rows, a few at a time. */
  async storeAll(key: string, rows: readonly Columns[], labels: readonly string[]): Promise<string[]> {
    if (!rows.some(isLarge)) return [];
    const blobs = await inParallel(rows, PARALLEL, (columns, index) =>
      this.store(key, labels[index]!, columns, 'nothing'),
    );
    return blobs.flat();
  }

  /**
   * The row with the texts of its blobs in their columns.
   * @throws StaleReadError when a blob is gone
   */
  async restore(row: Row): Promise<Row> {
    const blobs = blobsOf(row);
    if (blobs.length === 0) return row;
    const texts = await Promise.all(
      blobs.map(async ([column, blob]) => [column, await this.#read(blob)] as const),
    );
    return { ...row, ...Object.fromEntries(texts) };
  }

  /** {@link restore} for many rows, a few at a time. */
  async restoreAll(rows: readonly Row[]): Promise<readonly Row[]> {
    if (rows.every((row) => blobsOf(row).length === 0)) return rows;
    return inParallel(rows, PARALLEL, (row) => this.restore(row));
  }

  /**
   * Deletes blobs that no row refers to. A blob that cannot be deleted does no harm: a purge of the instance
   * deletes it.
   */
  async discard(blobs: readonly string[]): Promise<void> {
    await inParallel(blobs, PARALLEL, (blob) => this.#container.deleteBlob(blob).catch(() => {}));
  }

  /** Deletes all blobs of an instance. */
  async purge(key: string): Promise<void> {
    for await (const page of this.#container
      .listBlobsFlat({ prefix: `${key}/` })
      .byPage({ maxPageSize: 1000 })) {
      await inParallel(page.segment.blobItems, PARALLEL, ({ name }) =>
        this.#container.getBlobClient(name).deleteIfExists(),
      );
    }
  }

  async #read(blob: string): Promise<string> {
    try {
      const { readableStreamBody } = await this.#container.getBlobClient(blob).download();
      const chunks: Buffer[] = [];
      for await (const chunk of readableStreamBody!) chunks.push(chunk as Buffer);
      return (await decompress(Buffer.concat(chunks))).toString();
    } catch (error) {
      if (statusOf(error) === 404) throw new StaleReadError(`Blob '${blob}' is missing.`, { cause: error });
      throw error;
    }
  }
}

function isLarge(columns: Columns): boolean {
  return Object.values(columns).some((cell) => typeof cell === 'string' && cell.length > MAX_TEXT);
}
