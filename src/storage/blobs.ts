import { createHash, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { BlobGetPropertiesResponse, BlockBlobUploadOptions, ContainerClient } from '@azure/storage-blob';
import { RestError } from '@azure/storage-blob';

/** A blob does not have the expected tag: it was overwritten or deleted. */
export class BlobChangedError extends Error {
  override readonly name = 'BlobChangedError';
}

/**
 * The bytes in a block of an upload, and the number of blocks at once. Their product is the memory of an
 * upload.
 */
const BLOCK = 4 * 1024 * 1024;
const BLOCKS_AT_ONCE = 2;

/** Which part of a blob to read. */
export interface BlobRange {
  /** The first byte. Default: 0. */
  from?: number;
  /** The byte after the last one. Default: the end of the blob. */
  to?: number;
  /** The tag that the blob must have. */
  etag?: string;
}

/**
 * Reads a blob, or a part of it, as a stream. It resumes after a broken connection.
 *
 * @throws {BlobChangedError} also when there is no such blob
 */
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

/** Reads a small blob, or a part of a blob, into memory. @throws {BlobChangedError} as {@link readBlob} */
export async function readBytes(
  container: ContainerClient,
  name: string,
  range: BlobRange = {},
): Promise<Buffer> {
  return Buffer.concat((await (await readBlob(container, name, range)).toArray()) as Buffer[]);
}

/** Content type and metadata of a blob. */
export interface BlobHeaders {
  contentType: string;
  metadata?: Record<string, string>;
}

/** Writes a blob in one request; replaces an existing one. @returns the tag of the blob */
export async function writeBytes(
  container: ContainerClient,
  name: string,
  bytes: Buffer,
  headers: BlobHeaders,
): Promise<string> {
  const { etag } = await container.getBlockBlobClient(name).upload(bytes, bytes.length, optionsOf(headers));
  return etag!;
}

/**
 * Writes a blob from a stream; replaces an existing one. If `content` fails, no blob is written: storage
 * drops uncommitted blocks after a week. Each block is sent with its MD5, which storage compares. Shorter content
 * than a block is written in one request.
 *
 * @returns the tag of the blob
 */
export async function writeBlob(
  container: ContainerClient,
  name: string,
  content: Readable,
  headers: BlobHeaders,
): Promise<string> {
  const blocks = blocksOf(content);
  const first = await blocks.next();
  if (first.done === true || first.value.length < BLOCK)
    return writeBytes(container, name, first.value ?? Buffer.alloc(0), headers);
  const blob = container.getBlockBlobClient(name);
  // Storage refuses a blob whose blocks have ids of different lengths, and each attempt has blocks of its own.
  const attempt = randomUUID();
  let count = 0;
  async function* all(): AsyncGenerator<Buffer> {
    try {
      yield first.value!;
      yield* blocks;
    } finally {
      // Destroys `content` also when the first block cannot be sent.
      await blocks.return(undefined);
    }
  }
  const staged = Readable.from(all(), { highWaterMark: 1 }).map(
    async (block: Buffer) => {
      const id = Buffer.from(`${attempt}-${String(count++).padStart(6, '0')}`).toString('base64');
      await blob.stageBlock(id, block, block.length, {
        transactionalContentMD5: createHash('md5').update(block).digest(),
      });
      return id;
    },
    { concurrency: BLOCKS_AT_ONCE },
  );
  const { etag } = await blob.commitBlockList((await staged.toArray()) as string[], optionsOf(headers));
  return etag!;
}

function optionsOf({ contentType, metadata }: BlobHeaders): BlockBlobUploadOptions {
  return { blobHTTPHeaders: { blobContentType: contentType }, ...(metadata && { metadata }) };
}

/** The content in blocks of at least {@link BLOCK} bytes: parts of the stream are not cut. The last one may be shorter. */
async function* blocksOf(content: Readable): AsyncGenerator<Buffer, undefined> {
  let parts: Buffer[] = [];
  let length = 0;
  for await (const part of content as AsyncIterable<Buffer | string>) {
    const bytes = typeof part === 'string' ? Buffer.from(part) : part;
    parts.push(bytes);
    length += bytes.length;
    if (length >= BLOCK) {
      yield Buffer.concat(parts);
      parts = [];
      length = 0;
    }
  }
  if (length > 0) yield Buffer.concat(parts);
}

/** The properties of a blob; `undefined` when there is none, or no blob can have that name. */
export async function findBlob(
  container: ContainerClient,
  name: string,
): Promise<BlobGetPropertiesResponse | undefined> {
  try {
    return await container.getBlobClient(name).getProperties();
  } catch (error) {
    if (hasStatus(error, 400, 404)) return undefined;
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
