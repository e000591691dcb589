import { Readable } from 'node:stream';
import moment from 'moment';
import { activity } from '../durable/index.js';
import { Refusal } from '../refusals/index.js';
import {
  FileSplitter,
  INGESTIONS,
  mergeBlobs,
  readChunk,
  readChunks,
  readSource,
  readTotals,
  SumTooLargeError,
  Totals,
  writeChunks,
  writeTotals,
  type Chunk,
  type Dataset,
  type Receiver,
  type Total,
} from '../sales/index.js';
import {
  BlobChangedError,
  container,
  deleteBlobs,
  readBlob,
  writeBlob,
  writeBytes,
} from '../storage/index.js';
import {
  batchRejects,
  batchTotals,
  groupRejects,
  groupTotals,
  indexOf,
  resultsOf,
  totalsOf,
  waveOf,
} from './files.js';
import type {
  Batch,
  ChunkRange,
  Counts,
  DatasetRequest,
  Failure,
  Ingestion,
  IngestionState,
  Run,
  Wave,
} from './model.js';
import { chunkSize } from './chunk-size.js';
import { complete, cut, fail, goesOn, nextWave, swept, waveDone } from './rules.js';
import { resultsJson } from './results.js';
import { ingestions } from './store.js';

/** A batch with more rejected lines ends, because they are in memory until then. */
const MOST_REJECTS = 16 * 1024;
const NDJSON = { contentType: 'application/x-ndjson' };

/** Finds the ends of records at which the file can be cut, and lists its chunks. */
export const splitIngestion = activity('SplitIngestion', async (run: Run): Promise<void> => {
  const ingestion = await recordOf(run);
  if (!goesOn(ingestion, run) || ingestion.chunks !== undefined) return;
  await unlessHopeless(run, [BlobChangedError], async () => {
    const { source, layout, start } = ingestion;
    const splitter = new FileSplitter(layout.format, start, chunkSize());
    const chunks: Chunk[] = [];
    for await (const bytes of await readSource(source, { from: start.bytes })) {
      chunks.push(...splitter.push(bytes as Buffer));
    }
    chunks.push(...splitter.end());
    await writeChunks(indexOf(run.files), chunks);
    await change(run, (current) => cut(current, run, chunks.length, moment.utc()));
  });
});

/** Finds the chunks to read next. */
export const findNextWave = activity('FindNextWave', async (run: Run): Promise<Wave> => {
  const ingestion = await recordOf(run);
  return goesOn(ingestion, run) ? nextWave(ingestion) : { number: ingestion.waves, groups: [] };
});

/** The chunks of a group. */
export const listChunks = activity(
  'ListChunks',
  async ({ from, to, ...run }: Run & ChunkRange): Promise<Chunk[]> =>
    goesOn(await recordOf(run), run) ? readChunks(indexOf(run.files), from, to) : [],
);

/**
 * Reads a batch of adjacent chunks, and writes its totals and rejected lines. It ends before all chunks are read
 * when the totals or the rejected lines are many, or when a chunk after the first one cannot be read. The names of
 * the blobs have the range, so a second run that ends elsewhere overwrites nothing.
 *
 * @param input `from` is the number of the first chunk
 * @returns the chunks that were read; `null` when the attempt has ended
 */
export const ingestChunks = activity(
  'IngestChunks',
  async ({
    wave,
    from,
    chunks,
    ...run
  }: Run & { wave: number; from: number; chunks: Chunk[] }): Promise<Batch | null> => {
    const totals = new Totals();
    const rejects: string[] = [];
    const batch: Batch = { from, to: from, lines: 0, rejected: 0 };
    const receiver: Receiver = {
      take: (line) => {
        batch.lines++;
        totals.add(line);
      },
      reject: (reject) => {
        batch.lines++;
        batch.rejected++;
        rejects.push(`${JSON.stringify(reject)}\n`);
      },
    };
    for (const chunk of chunks) {
      if (totals.areFull || rejects.length > MOST_REJECTS) break;
      try {
        const ingestion = await recordOf(run);
        if (!goesOn(ingestion, run) || ingestion.waves !== wave) return null;
        // It receives the whole chunk first, so that none of its lines count when that fails.
        const read = (): Promise<void> => readChunk(ingestion, chunk, receiver);
        const place = { number: batch.to, ...chunk };
        if (!(await unlessHopeless(run, [BlobChangedError], read, place))) return null;
      } catch (error) {
        if (batch.to === from) throw error;
        // The next batch begins with this chunk.
        break;
      }
      batch.to++;
    }
    if (rejects.length > 0) {
      await writeBytes(
        await container(INGESTIONS),
        batchRejects(run.files, wave, batch),
        Buffer.from(rejects.join('')),
        NDJSON,
      );
    }
    const metadata = Object.fromEntries(Object.entries(batch).map(([name, value]) => [name, String(value)]));
    await writeTotals(batchTotals(run.files, wave, batch), totals.blocks(), metadata);
    return batch;
  },
);

/** Adds up the batches of a group. */
export const mergeGroup = activity(
  'MergeGroup',
  async ({
    wave,
    from,
    batches,
    ...run
  }: Run & { wave: number; from: number; batches: Batch[] }): Promise<void> => {
    const ingestion = await recordOf(run);
    if (!goesOn(ingestion, run) || ingestion.waves !== wave) return;
    const names = batches.map((batch) => batchTotals(run.files, wave, batch));
    const withRejects = batches.filter(({ rejected }) => rejected > 0);
    const blobs = await container(INGESTIONS);
    async function* rejects(): AsyncGenerator<Buffer> {
      for (const batch of withRejects) {
        yield* (await readBlob(blobs, batchRejects(run.files, wave, batch))) as AsyncIterable<Buffer>;
      }
    }
    await unlessHopeless(run, [SumTooLargeError], async () => {
      await mergeBlobs(names, groupTotals(run.files, wave, from));
      if (withRejects.length > 0)
        await writeBlob(blobs, groupRejects(run.files, from), Readable.from(rejects()), NDJSON);
    });
  },
);

/**
 * Adds the groups of a wave to the totals of earlier waves, records the wave, and removes blobs that are no
 * longer needed.
 */
export const mergeWave = activity(
  'MergeWave',
  async ({ number, groups, lines, rejected, ...run }: Run & Wave & Counts): Promise<void> => {
    const ingestion = await recordOf(run);
    if (goesOn(ingestion, run) && ingestion.waves === number) {
      const before = number === 0 ? [] : [totalsOf(run.files, number)];
      const names = [...before, ...groups.map(({ from }) => groupTotals(run.files, number, from))];
      const chunks = groups.reduce((sum, { from, to }) => sum + to - from, 0);
      await unlessHopeless(run, [SumTooLargeError], async () => {
        await mergeBlobs(names, totalsOf(run.files, number + 1));
        await change(run, (current) =>
          waveDone(current, run, { number, chunks, lines, rejected }, moment.utc()),
        );
      });
    }
    if ((await recordOf(run)).waves === number + 1) {
      const blobs = await container(INGESTIONS);
      await deleteBlobs(blobs, waveOf(run.files, number));
      await deleteBlobs(blobs, totalsOf(run.files, number));
    }
  },
);

/** Writes the results, and records the completion. */
export const completeIngestion = activity('CompleteIngestion', async (run: Run): Promise<void> => {
  const ingestion = await recordOf(run);
  if (!goesOn(ingestion, run)) return;
  if (ingestion.waves === 0) await writeTotals(totalsOf(run.files, 0), []);
  const totals = (): AsyncIterable<Total[]> => readTotals(totalsOf(run.files, ingestion.waves));
  await writeBlob(
    await container(INGESTIONS),
    resultsOf(run.files),
    Readable.from(resultsJson(ingestion, totals()), { objectMode: false }),
    { contentType: 'application/json' },
  );
  await change(run, (current) => complete(current, run, moment.utc()));
});

/** Records that the ingestion has failed. */
export const failIngestion = activity(
  'FailIngestion',
  async ({ failure, ...run }: Run & { failure: Failure }, context): Promise<void> => {
    context.warn('The ingestion %s failed: %s', run.id, failure.reason);
    await change(run, (current) => fail(current, run, failure, moment.utc()));
  },
);

/**
 * Removes the blobs of attempts that failed, were cancelled or removed.
 *
 * @returns the state of the ingestion
 */
export const removeFiles = activity('RemoveFiles', async (run: Run): Promise<IngestionState> => {
  const { garbage } = await recordOf(run);
  const blobs = await container(INGESTIONS);
  for (const files of garbage) await deleteBlobs(blobs, `${files}/`);
  return (await change(run, (current) => swept(current, garbage))).state;
});

/** Reads the state of an ingestion, and the blobs of its lines and totals if it is completed. */
export const describeDataset = activity(
  'DescribeDataset',
  async ({
    id,
    onlyOf,
  }: DatasetRequest): Promise<{ dataset: Dataset | null; state: IngestionState | null }> => {
    const ingestion = await ingestions.read(id);
    const isOthers = onlyOf !== undefined && ingestion?.requestedBy !== onlyOf;
    if (ingestion === undefined || isOthers || ingestion.state === 'removed')
      return { dataset: null, state: null };
    const { state, source, layout, files, chunks = 0, waves } = ingestion;
    const dataset = { source, layout, index: indexOf(files), chunks, totals: totalsOf(files, waves) };
    return { dataset: state === 'completed' ? dataset : null, state };
  },
);

/**
 * Runs the work. An error of one of these classes would recur at every attempt, so the ingestion fails.
 *
 * @returns whether the work was done
 */
async function unlessHopeless(
  run: Run,
  hopeless: readonly (typeof BlobChangedError | typeof SumTooLargeError)[],
  task: () => Promise<void>,
  chunk?: Failure['chunk'],
): Promise<boolean> {
  try {
    await task();
    return true;
  } catch (error) {
    if (!(error instanceof Error) || !hopeless.some((kind) => error instanceof kind)) throw error;
    // Changes nothing if the blobs are missing because the attempt has ended.
    await change(run, (current) => fail(current, run, { reason: error.message, chunk }, moment.utc()));
    return false;
  }
}

async function recordOf({ id }: Run): Promise<Ingestion> {
  return (await ingestions.read(id)) ?? unknown(id);
}

async function change({ id }: Run, rule: (ingestion: Ingestion) => Ingestion): Promise<Ingestion> {
  const result = (await ingestions.change(id, rule)) ?? unknown(id);
  if (result instanceof Refusal) throw new Error(`${result.title}. ${result.detail}`);
  return result.record;
}

function unknown(id: string): never {
  throw new Error(`There is no ingestion ${id}`);
}
