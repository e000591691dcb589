import moment from 'moment';
import { all, forSideEffects, orchestrator, retryPolicy } from '../durable/index.js';
import {
  completeIngestion,
  describeDataset,
  failIngestion,
  findNextWave,
  ingestChunks,
  listChunks,
  mergeGroup,
  mergeWave,
  removeFiles,
  splitIngestion,
} from './activities.js';
import type { Batch, ChunkRange, Counts, DatasetRequest, Failure, Run } from './model.js';
import { endOfBatch, reasonOf } from './rules.js';

/**
 * Five attempts at chunks, within half a minute. Then the ingestion fails, because others need the same
 * storage.
 */
const forChunks = retryPolicy({
  firstInterval: moment.duration(2, 'seconds'),
  maxAttempts: 5,
  backoff: 2,
});

/** Reads the chunks of a file in waves. Each wave begins a new history, so that none grows with the file. */
export const ingestionOrchestrator = orchestrator(
  'IngestionOrchestrator',
  function* (context, run: Run & { isSplit?: boolean }) {
    const { id, files } = run;
    try {
      if (run.isSplit !== true) {
        yield* splitIngestion(context, { id, files }, forChunks);
      }
      const { number, groups } = yield* findNextWave(context, { id, files }, forSideEffects);
      if (groups.length > 0) {
        const counts = yield* all(
          context,
          groups.map((group) => ingestionGroup(context, { id, files, wave: number, ...group })),
        );
        const [lines, rejected] = (['lines', 'rejected'] as const).map((field) =>
          counts.reduce((sum, group) => sum + group[field], 0),
        );
        yield* mergeWave(
          context,
          { id, files, number, groups, lines: lines!, rejected: rejected! },
          forSideEffects,
        );
        context.df.continueAsNew({ id, files, isSplit: true });
        return 'continued';
      }
      yield* completeIngestion(context, { id, files }, forSideEffects);
    } catch (error) {
      yield* failIngestion(context, { id, files, failure: { reason: reasonOf(error) } }, forSideEffects);
    }
    return yield* removeFiles(context, { id, files }, forSideEffects);
  },
);

/**
 * Reads a group of chunks, one after the other in batches, and adds them up. Stops when the attempt has ended.
 */
export const ingestionGroup = orchestrator(
  'IngestionGroupOrchestrator',
  function* (context, { id, files, wave, from, to }: Run & ChunkRange & { wave: number }) {
    const counts: Counts = { lines: 0, rejected: 0 };
    const batches: Batch[] = [];
    const chunks = yield* listChunks(context, { id, files, from, to }, forSideEffects);
    for (let first = from; first < from + chunks.length;) {
      const some = chunks.slice(first - from, endOfBatch(first) - from);
      try {
        const batch = yield* ingestChunks(context, { id, files, wave, from: first, chunks: some }, forChunks);
        if (batch === null) {
          return counts;
        }
        batches.push(batch);
        counts.lines += batch.lines;
        counts.rejected += batch.rejected;
        first = batch.to;
      } catch (error) {
        const failure: Failure = { reason: reasonOf(error), chunk: { number: first, ...some[0]! } };
        yield* failIngestion(context, { id, files, failure }, forSideEffects);
        return counts;
      }
    }
    yield* mergeGroup(context, { id, files, wave, from, batches }, forSideEffects);
    return counts;
  },
);

/** Gives workflows of other features the blobs of a completed ingestion, if it is one of that person. */
export const datasetOrchestrator = orchestrator(
  'IngestionDatasetOrchestrator',
  function* (context, { id, onlyOf }: DatasetRequest) {
    return yield* describeDataset(context, { id, onlyOf }, forSideEffects);
  },
);
