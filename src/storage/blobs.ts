import type { Readable } from 'node:stream';
import type { BlobGetPropertiesResponse, ContainerClient } from '@azure/storage-blob';
import { RestError } from '@azure/storage-blob';

/** A blob is not as it was when its tag was read: it was overwritten, or deleted. */
export class BlobChangedError extends Error {
  override readonly name = 'BlobChangedError';
}

/** Bytes in each block of an upload, and how many blocks are under way: what an upload holds in memory is their product. */
const BLOCK = 4 * 1024 * 1024;
const BLOCKS_AT_ONCE = 2;

/** What a blob is read by. */
export interface BlobRange {
  /** The first byte; 0 when it is left out. */
  from?: number;
  /** Behind the last byte; the end of the blob when it is left out. */
  to?: number;
  /** The tag that the blob must have. */
  etag?: string;
}

/** Reads a blob, or a part of it, bit by bit. It goes on by itself after a connection broke. @throws {BlobChangedError} also when there is none */
export async function readBlob(
  container: ContainerClient,
  name: string,
  { from = 0, to, etag }: BlobRange = {},
): Promise<Readable> {
  const conditions = etag === undefined ? {} : { conditions: { ifMatch: etag } };
  try {
    const { readableStreamBody } = await container
      .getBlobClient(name)
      .download(from, to === undefined ? undefined : to - from, { ...conditions, maxRetryRequests: 3 });
    return readableStreamBody as Readable;
  } catch (error) {
    if (hasStatus(error, 404, 412)) {
      throw new BlobChangedError(`The blob ${name} is gone, or has changed`, { cause: error });
    }
    throw error;
  }
}

/** The whole of a small blob, as text in UTF-8. @throws {BlobChangedError} when there is none */
export async function readText(container: ContainerClient, name: string): Promise<string> {
  const parts = (await (await readBlob(container, name)).toArray()) as Buffer[];
  return Buffer.concat(parts).toString();
}

/** What a blob carries besides its content. */
export interface BlobHeaders {
  contentType: string;
  metadata?: Record<string, string>;
}

/** Writes a blob over what is there. */
export async function writeText(
  container: ContainerClient,
  name: string,
  text: string,
  { contentType, metadata }: BlobHeaders,
): Promise<void> {
  const bytes = Buffer.from(text);
  await container.getBlockBlobClient(name).upload(bytes, bytes.length, {
    blobHTTPHeaders: { blobContentType: contentType },
    ...(metadata && { metadata }),
  });
}

/**
 * Writes a blob bit by bit over what is there. Where `content` fails nothing is left: blocks that no list names are not a blob, and
 * storage drops them after a week.
 *
 * @returns the tag of what was written
 */
export async function writeBlob(
  container: ContainerClient,
  name: string,
  content: Readable,
  { contentType, metadata }: BlobHeaders,
): Promise<string> {
  const { etag } = await container.getBlockBlobClient(name).uploadStream(content, BLOCK, BLOCKS_AT_ONCE, {
    blobHTTPHeaders: { blobContentType: contentType },
    ...(metadata && { metadata }),
  });
  return etag!;
}

/** What is known of a blob without reading it; `undefined` when there is none. */
export async function findBlob(
  container: ContainerClient,
  name: string,
): Promise<BlobGetPropertiesResponse | undefined> {
  try {
    return await container.getBlobClient(name).getProperties();
  } catch (error) {
    if (hasStatus(error, 404)) return undefined;
    throw error;
  }
}

/** A blob in a list. */
export interface ListedBlob {
  name: string;
  metadata: Record<string, string>;
}

/** The blobs whose names begin with a prefix, ordered by name. */
export async function* listBlobs(container: ContainerClient, prefix: string): AsyncGenerator<ListedBlob> {
  for await (const { name, metadata = {} } of container.listBlobsFlat({ prefix, includeMetadata: true })) {
    yield { name, metadata };
  }
}

/** Deletes the blobs whose names begin with a prefix. */
export async function deleteBlobs(container: ContainerClient, prefix: string): Promise<void> {
  const names = listBlobs(container, prefix);
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (;;) {
        const next = await names.next();
        if (next.done === true) return;
        await container
          .deleteBlob(next.value.name, { deleteSnapshots: 'include' })
          .catch((error: unknown) => {
            if (!hasStatus(error, 404)) throw error;
          });
      }
    }),
  );
}

function hasStatus(error: unknown, ...statuses: number[]): boolean {
  return error instanceof RestError && statuses.includes(error.statusCode ?? 0);
}
