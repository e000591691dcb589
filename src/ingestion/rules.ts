import moment, { type Moment } from 'moment';
import type { ChunkRange, Counts, Failure, Ingestion, Run, Wave } from './model.js';

/** The maximum number of chunks in a group. They are read one after the other, in one history. */
const GROUP = 16;
/** The maximum number of chunks in a batch, which one activity reads. */
const BATCH = 5;
/** A wave that takes longer has lost its workflow. In a wave each worker reads up to {@link GROUP} chunks. */
const WAVE_TAKES = moment.duration(5, 'minutes');
/** The maximum length of a failure's reason in the record. */
const REASON = 500;

/** The data of a new ingestion. */
export type Beginning = Pick<
  Ingestion,
  'id' | 'requestedBy' | 'files' | 'source' | 'layout' | 'start' | 'chunks' | 'maxParallel'
>;

/** The record of a new ingestion. */
export function begin(beginning: Beginning, at: Moment): Ingestion {
  return {
    ...beginning,
    state: 'running',
    attempt: 1,
    waves: 0,
    done: 0,
    lines: 0,
    rejected: 0,
    startedAt: at.toISOString(),
    progressAt: at.toISOString(),
    garbage: [],
  };
}

/** Starts a new attempt if the last one failed, was cancelled or removed; otherwise changes nothing. */
export function beginAgain(ingestion: Ingestion, beginning: Beginning, at: Moment): Ingestion {
  return ingestion.state === 'running' || ingestion.state === 'completed'
    ? ingestion
    : { ...begin(beginning, at), attempt: ingestion.attempt + 1, garbage: ingestion.garbage };
}

/** Whether an attempt is the current one and is running. Work of older attempts must change nothing. */
export function goesOn(ingestion: Ingestion, { files }: Pick<Run, 'files'>): boolean {
  return ingestion.state === 'running' && ingestion.files === files;
}

/** Records the chunks of the file. */
export function cut(ingestion: Ingestion, run: Run, chunks: number, at: Moment): Ingestion {
  return goesOn(ingestion, run) && ingestion.chunks === undefined
    ? { ...ingestion, chunks, progressAt: at.toISOString() }
    : ingestion;
}

/**
 * The next wave: at most `maxParallel` groups, each of which reads one chunk at a time. In a short file all
 * groups have the same length, so that they end together.
 */
export function nextWave({ waves, done, chunks = 0, maxParallel }: Ingestion): Wave {
  const length = Math.min(GROUP, Math.ceil((chunks - done) / maxParallel));
  const groups: ChunkRange[] = [];
  for (let from = done; from < chunks && groups.length < maxParallel; from += length) {
    groups.push({ from, to: Math.min(chunks, from + length) });
  }
  return { number: waves, groups };
}

/**
 * The end of the batch that begins with a chunk: the next multiple of {@link BATCH}. So the batches of groups that
 * run at the same time end at different times, and progress is seen after each.
 */
export function endOfBatch(first: number): number {
  return (Math.floor(first / BATCH) + 1) * BATCH;
}

/** Records a complete wave. */
export function waveDone(
  ingestion: Ingestion,
  run: Run,
  { number, chunks, lines, rejected }: { number: number; chunks: number } & Counts,
  at: Moment,
): Ingestion {
  return goesOn(ingestion, run) && ingestion.waves === number
    ? {
        ...ingestion,
        waves: number + 1,
        done: ingestion.done + chunks,
        lines: ingestion.lines + lines,
        rejected: ingestion.rejected + rejected,
        progressAt: at.toISOString(),
      }
    : ingestion;
}

/** Completes the ingestion: its results are written. */
export function complete(ingestion: Ingestion, run: Run, at: Moment): Ingestion {
  return goesOn(ingestion, run) ? { ...ingestion, state: 'completed', endedAt: at.toISOString() } : ingestion;
}

/** Records a failure. The first failure counts. */
export function fail(ingestion: Ingestion, run: Run, failure: Failure, at: Moment): Ingestion {
  return goesOn(ingestion, run)
    ? ended(ingestion, 'failed', at, { failure: { ...failure, reason: failure.reason.slice(0, REASON) } })
    : ingestion;
}

/** Cancels a running ingestion, or removes one that has ended. A repeat changes nothing. */
export function remove(ingestion: Ingestion, at: Moment): Ingestion {
  switch (ingestion.state) {
    case 'running':
      return ended(ingestion, 'cancelled', at);
    case 'cancelled':
    case 'removed':
      return ingestion;
    case 'completed':
    case 'failed':
      return ended(ingestion, 'removed', at);
  }
}

/** Marks its blobs for removal: they are useless without the record. */
function ended(
  ingestion: Ingestion,
  state: 'failed' | 'cancelled' | 'removed',
  at: Moment,
  more: Partial<Ingestion> = {},
): Ingestion {
  const garbage = [...new Set([...ingestion.garbage, ingestion.files])];
  return { ...ingestion, state, endedAt: at.toISOString(), ...more, garbage };
}

/** Records that blobs were removed. */
export function swept(ingestion: Ingestion, removed: readonly string[]): Ingestion {
  const garbage = ingestion.garbage.filter((files) => !removed.includes(files));
  return garbage.length === ingestion.garbage.length ? ingestion : { ...ingestion, garbage };
}

/** The time by which its workflow must have done something; `undefined` when it has nothing to do. */
export function dueAt({ state, garbage, progressAt, endedAt = progressAt }: Ingestion): string | undefined {
  if (state === 'running') return moment.utc(progressAt).add(WAVE_TAKES).toISOString();
  return garbage.length > 0 ? moment.utc(endedAt).add(WAVE_TAKES).toISOString() : undefined;
}

/** Since when its workflow has nothing to do; `undefined` before. */
export function overSince(ingestion: Ingestion): string | undefined {
  return dueAt(ingestion) === undefined ? ingestion.endedAt : undefined;
}

/** The instance id of an attempt. */
export function instanceOf({ id, attempt }: Pick<Ingestion, 'id' | 'attempt'>): string {
  return `${id}-${attempt}`;
}

/** The estimated end, from the speed so far; `undefined` when it has ended, or before the first wave. */
export function estimatedEnd(
  { state, chunks, startedAt }: Ingestion,
  done: number,
  at: Moment,
): string | undefined {
  if (state !== 'running' || chunks === undefined || done === 0) return undefined;
  const perChunk = at.diff(startedAt) / done;
  return at
    .clone()
    .add(Math.round(perChunk * Math.max(0, chunks - done)), 'milliseconds')
    .toISOString();
}

/** The message of an activity's error, without the host's additions. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const [first = ''] = text.replace(/^(?:.*? failed: *)+/, '').split('\n');
  return first.trim() || 'Something went wrong';
}
