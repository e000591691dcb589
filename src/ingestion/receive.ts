import { createHash, randomUUID } from 'node:crypto';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { Problem } from '../http/index.js';

import {
  FileSplitter,
  HeaderError,
  INGESTIONS,
  PREAMBLE_LIMIT,
  readPreamble,
  writeChunks,
  type Chunk,
  type Format,
  type Preamble,
} from '../sales/index.js';
import { container, deleteBlobs, writeBlob } from '../storage/index.js';
import { chunkSize } from './chunk-size.js';
import { contentOf, indexOf } from './files.js';
import type { Beginning } from './rules.js';

/** The size limit of an uploaded file, compressed and uncompressed: the request limit of a Functions host. */
export const UPLOAD_LIMIT = 100 * 1024 * 1024;

/** A received file. */
export interface Upload {
  format: Format;
  isGzip: boolean;
  maxParallel: number;
}

/**
 * Stores a file while it is received, uncompressed, under a name made from its content, and lists its chunks.
 * If this throws, nothing stays stored.
 *
 * @throws {Problem} 413 when it is too large; 400 when it is incomplete, not valid gzip, or without a header
 */
export async function receive(
  packed: AsyncIterable<Buffer>,
  { format, isGzip, maxParallel }: Upload,
): Promise<Beginning> {
  const files = randomUUID();
  const hash = createHash('sha256').update(`${format}\n`);
  const chunks: Chunk[] = [];
  let bytes = 0;
  let start: Buffer[] = [];
  let preamble: Preamble | undefined;
  let splitter: FileSplitter | undefined;

  /** Reads the header when enough of the file is there. */
  function begin(): FileSplitter {
    const first = Buffer.concat(start);
    start = [];
    preamble = preambleOf(format, first);
    splitter = new FileSplitter(format, preamble, chunkSize());
    chunks.push(...splitter.push(first.subarray(preamble.bytes)));
    return splitter;
  }

  async function* measured(): AsyncGenerator<Buffer> {
    for await (const part of isGzip ? unpacked(packed) : packed) {
      bytes += part.length;
      if (bytes > UPLOAD_LIMIT) throw tooLarge();
      hash.update(part);
      if (splitter !== undefined) chunks.push(...splitter.push(part));
      else if (start.push(part) > 0 && bytes >= PREAMBLE_LIMIT) begin();
      yield part;
    }
    chunks.push(...(splitter ?? begin()).end());
  }

  const blobs = await container(INGESTIONS);
  const blob = contentOf(files);
  const etag = await writeBlob(blobs, blob, Readable.from(measured(), { objectMode: false }), {
    contentType: format === 'csv' ? 'text/csv' : 'application/x-ndjson',
  });
  await writeChunks(indexOf(files), chunks);
  const { columns, ...before } = preamble!;
  return {
    id: `ingestion-${hash.digest('hex')}`,
    files,
    source: { container: INGESTIONS, blob, etag, bytes },
    layout: columns === undefined ? { format: 'ndjson' } : { format: 'csv', columns },
    start: before,
    chunks: chunks.length,
    maxParallel,
  };
}

/** Removes a received file that is not needed. */
export async function drop({ files }: Pick<Beginning, 'files'>): Promise<void> {
  await deleteBlobs(await container(INGESTIONS), `${files}/`);
}

async function* unpacked(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* pipeline(chunks, createGunzip(), () => {}) as AsyncIterable<Buffer>;
  } catch (error) {
    if (!(error as NodeJS.ErrnoException).code?.startsWith('Z_')) throw error;
    throw new Problem(400, 'not-gzip', 'The body is not gzip', {
      detail: `Content-Encoding says gzip. ${(error as Error).message}.`,
    });
  }
}

/** @throws {Problem} 400 when the header is missing or wrong */
export function preambleOf(format: Format, start: Buffer): Preamble {
  try {
    return readPreamble(format, start);
  } catch (error) {
    if (!(error instanceof HeaderError)) throw error;
    throw new Problem(400, 'invalid-header', 'The file has no header that names its columns', {
      detail: error.message,
    });
  }
}

export function tooLarge(): Problem {
  return new Problem(413, 'too-large', 'The file is too large', {
    detail: `At most ${UPLOAD_LIMIT} bytes are taken, unpacked. Put a larger file into the container incoming, not packed, and name it: { "blob": "name" }.`,
  });
}
