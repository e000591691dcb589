import { createHash, randomUUID } from 'node:crypto';
import type { HttpRequest } from '@azure/functions';
import {
  check,
  cutShort,
  invalid,
  notFound,
  Problem,
  queryOf,
  readJson,
  streamBody,
  unlessCutShort,
} from '../http/index.js';
import { PREAMBLE_LIMIT, type Format } from '../sales/index.js';
import { BlobChangedError, container, findBlob, readBlob, readBytes } from '../storage/index.js';
import { blobRequest, ingestionQuery, type BlobRequest } from './model.js';
import { preambleOf, receive, tooLarge, UPLOAD_LIMIT, drop } from './receive.js';
import type { Beginning } from './rules.js';

/** The container of files that were not uploaded by HTTP. */
export const INCOMING = 'incoming';

const formats: Readonly<Record<string, Format>> = {
  'text/csv': 'csv',
  'application/csv': 'csv',
  'application/x-ndjson': 'ndjson',
  'application/ndjson': 'ndjson',
  'application/jsonl': 'ndjson',
};

/**
 * The file of a request: its body, which is stored, or a blob that it names.
 *
 * @throws {Problem} 400, 404, 413 or 415
 */
export async function requested(request: HttpRequest): Promise<Beginning> {
  const { maxParallel } = check(ingestionQuery, queryOf(request), 'query');
  const type = mediaType(request.headers.get('content-type'));
  if (type === 'application/json') {
    return requestedBlob({ maxParallel, ...check(blobRequest, await readJson(request)) });
  }
  const format = formats[type];
  const encoding = (request.headers.get('content-encoding') ?? 'identity').trim().toLowerCase();
  if (format === undefined || !['gzip', 'x-gzip', 'identity'].includes(encoding)) {
    throw new Problem(415, 'unsupported-type', 'Files of this type are not taken', {
      detail:
        'Send text/csv or application/x-ndjson, packed with gzip or not; or application/json, such as { "blob": "sales.csv" }.',
    });
  }
  const body = streamBody(request);
  try {
    const beginning = await receive(body.chunks, { format, isGzip: encoding !== 'identity', maxParallel });
    const declared = request.headers.get('content-length');
    if (declared !== null && body.read() < Number(declared)) {
      await drop(beginning);
      throw cutShort();
    }
    return beginning;
  } catch (error) {
    await body.drop();
    throw unlessCutShort(error);
  }
}

/**
 * A blob of the container `incoming`. A small one is copied like an upload, so that its content identifies
 * it. A larger one is read in place, and its name and version identify it.
 *
 * @throws {Problem} 400, 404, 409 or 413
 */
export async function requestedBlob(wanted: BlobRequest): Promise<Beginning> {
  try {
    return await readIncoming(wanted);
  } catch (error) {
    if (!(error instanceof BlobChangedError)) throw error;
    throw new Problem(409, 'conflict', `The blob ${wanted.blob} was changed meanwhile`, {
      detail: 'Send the same request again when it is complete.',
    });
  }
}

async function readIncoming({
  blob,
  format: requestedFormat,
  maxParallel = 8,
}: BlobRequest): Promise<Beginning> {
  const incoming = await container(INCOMING);
  const found = await findBlob(incoming, blob);
  if (found?.etag === undefined) throw notFound(`There is no blob ${blob} in the container ${INCOMING}.`);
  if (found.accessTier === 'Archive') {
    throw new Problem(409, 'conflict', `The blob ${blob} is archived`, {
      detail:
        'Storage reads it when it is in another access tier. Move it there, and send the same request again.',
    });
  }
  const { etag, contentLength: bytes = 0, contentType, contentEncoding } = found;
  const isGzip = /\.gz$/i.test(blob) || contentEncoding === 'gzip';
  const format = requestedFormat ?? formatOf(blob) ?? formats[mediaType(contentType ?? null)];
  if (format === undefined) {
    throw invalid([
      { field: 'format', message: 'Neither name nor type of the blob show it: give csv or ndjson' },
    ]);
  }
  if (bytes <= UPLOAD_LIMIT) {
    return receive(await readBlob(incoming, blob, { etag }), { format, isGzip, maxParallel });
  }
  if (isGzip) throw tooLarge();
  const start = await readBytes(incoming, blob, { to: PREAMBLE_LIMIT, etag });
  const { columns, ...before } = preambleOf(format, start);
  const version = createHash('sha256')
    .update(JSON.stringify([format, INCOMING, blob, etag]))
    .digest('hex');
  return {
    id: `ingestion-${version}`,
    files: randomUUID(),
    source: { container: INCOMING, blob, etag, bytes },
    layout: columns === undefined ? { format: 'ndjson' } : { format: 'csv', columns },
    start: before,
    maxParallel,
  };
}

function mediaType(header: string | null): string {
  return (header?.split(';')[0] ?? '').trim().toLowerCase();
}

function formatOf(name: string): Format | undefined {
  const [, extension] = /\.(csv|ndjson|jsonl)(?:\.gz)?$/i.exec(name) ?? [];
  return extension === undefined ? undefined : extension.toLowerCase() === 'csv' ? 'csv' : 'ndjson';
}
