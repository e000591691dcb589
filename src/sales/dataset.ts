import { Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { container, readBlob, readBytes, writeBlob, writeBytes } from '../storage/index.js';
import { readLines, type Layout, type Receiver } from './read.js';
import type { Chunk } from './split.js';
import { decodeBlock, encodeBlock, mergeTotals, type Total } from './totals.js';

/** The container of uploaded files and of the blobs made from them. */
export const INGESTIONS = 'ingestions';

/** A file with lines of sales. */
export const source = z.object({
  container: z.string(),
  blob: z.string(),
  /** The tag of the content: the blob is read only while it has this tag. */
  etag: z.string(),
  bytes: z.number(),
});
export type Source = z.infer<typeof source>;

/** The layout of a file. */
export const layout = z.discriminatedUnion('format', [
  z.object({ format: z.literal('ndjson') }),
  z.object({
    format: z.literal('csv'),
    columns: z.object({ count: z.number(), places: z.array(z.number()) }),
  }),
]) satisfies z.ZodType<Layout>;

/** The blobs that an ingestion has made from a file, for other features. */
export interface Dataset {
  source: Source;
  layout: Layout;
  /** The blob that {@link readChunks} reads, and how many chunks it lists. */
  index: string;
  chunks: number;
  /** The blob of the totals. */
  totals: string;
}

/** A chunk in an index: three numbers of eight bytes. */
const ENTRY = 24;

/** Writes the list of a file's chunks, from which a few can be read without reading all. */
export async function writeChunks(name: string, chunks: readonly Chunk[]): Promise<void> {
  const entries = Float64Array.from(chunks.flatMap(({ from, to, line }) => [from, to, line]));
  await writeBytes(await container(INGESTIONS), name, Buffer.from(entries.buffer), {
    contentType: 'application/octet-stream',
  });
}

/** Reads a range of chunks from the list: `from` inclusive, `to` exclusive. */
export async function readChunks(name: string, from: number, to: number): Promise<Chunk[]> {
  const bytes = await readBytes(await container(INGESTIONS), name, { from: from * ENTRY, to: to * ENTRY });
  return Array.from({ length: bytes.length / ENTRY }, (_, entry) => {
    const [start, end, line] = [0, 8, 16].map((at) => bytes.readDoubleLE(entry * ENTRY + at));
    return { from: start!, to: end!, line: line! };
  });
}

/** Reads a part of the file. @throws {BlobChangedError} */
export async function readSource(
  { container: name, blob, etag }: Source,
  range: { from: number; to?: number },
): Promise<Readable> {
  return readBlob(await container(name), blob, { ...range, etag });
}

/**
 * Reads the lines of a chunk. It receives the whole chunk before it parses, so that one chunk after the other
 * is parsed, however many are requested at the same time.
 *
 * @throws {BlobChangedError}
 */
export async function readChunk(
  dataset: Pick<Dataset, 'source' | 'layout'>,
  chunk: Chunk,
  receiver: Receiver,
): Promise<void> {
  const parts = (await (await readSource(dataset.source, chunk)).toArray()) as Buffer[];
  await readLines(dataset.layout, parts, chunk.line, receiver);
}

/** Writes totals. */
export async function writeTotals(
  name: string,
  blocks: Iterable<Total[]>,
  metadata: Record<string, string> = {},
): Promise<void> {
  const text = Array.from(blocks, encodeBlock).join('');
  await writeBytes(await container(INGESTIONS), name, Buffer.from(text), {
    contentType: 'application/x-ndjson',
    metadata,
  });
}

/** Merges totals from several blobs into one, a block of each at a time. */
export async function mergeBlobs(names: readonly string[], into: string): Promise<void> {
  async function* lines(): AsyncGenerator<string> {
    for await (const block of mergeTotals(names.map((name) => readTotals(name)))) yield encodeBlock(block);
  }
  await writeBlob(await container(INGESTIONS), into, Readable.from(lines(), { objectMode: false }), {
    contentType: 'application/x-ndjson',
  });
}

/** Reads totals a block at a time. */
export async function* readTotals(name: string): AsyncGenerator<Total[]> {
  const input = await readBlob(await container(INGESTIONS), name);
  for await (const line of createInterface({ input, crlfDelay: Infinity })) yield decodeBlock(line);
}
