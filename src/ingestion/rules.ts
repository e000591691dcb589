import moment, { type Moment } from 'moment';
import { refuse, type Refusal } from '../refusals/index.js';
import type { ChunkRange, Counts, Failure, Ingestion, Run, Wave } from './model.js';

/** How many chunks a group has at most: they are read one after the other, and no history holds more. */
const GROUP = 16;
/** A wave that takes longer has lost its workflow. Of a wave each worker reads up to {@link GROUP} chunks. */
const WAVE_TAKES = moment.duration(5, 'minutes');
/** The longest reason that a record keeps. */
const REASON = 500;

/** What a new ingestion is made from. */
export type Beginning = Pick<Ingestion, 'id' | 'files' | 'source' | 'layout' | 'start' | 'maxParallel'>;

/** The record of an ingestion that begins. */
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

/** The same content has come again: a new attempt if the last one failed, was cancelled or removed; nothing new else. */
export function beginAgain(ingestion: Ingestion, beginning: Beginning, at: Moment): Ingestion {
  return ingestion.state === 'running' || ingestion.state === 'completed'
    ? ingestion
    : { ...begin(beginning, at), attempt: ingestion.attempt + 1, garbage: ingestion.garbage };
}

/** Whether an attempt goes on. What an older one still does must change nothing. */
export function goesOn(ingestion: Ingestion, { files }: Pick<Run, 'files'>): boolean {
  return ingestion.state === 'running' && ingestion.files === files;
}

/** The file has been cut into chunks. */
export function cut(ingestion: Ingestion, run: Run, chunks: number, at: Moment): Ingestion {
  return goesOn(ingestion, run) && ingestion.chunks === undefined
    ? { ...ingestion, chunks, progressAt: at.toISOString() }
    : ingestion;
}

/**
 * The wave that comes next. At most `maxParallel` groups, each of which reads one chunk at a time; of a short file all of the same
 * length, so that all end together.
 */
export function nextWave({ waves, done, chunks = 0, maxParallel }: Ingestion): Wave {
  const length = Math.min(GROUP, Math.ceil((chunks - done) / maxParallel));
  const groups: ChunkRange[] = [];
  for (let from = done; from < chunks && groups.length < maxParallel; from += length) {
    groups.push({ from, to: Math.min(chunks, from + length) });
  }
  return { number: waves, groups };
}

/** A wave is done. */
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

/** All is read, and the results are there. */
export function complete(ingestion: Ingestion, run: Run, at: Moment): Ingestion {
  return goesOn(ingestion, run) ? { ...ingestion, state: 'completed', endedAt: at.toISOString() } : ingestion;
}

/** It cannot be done. The first failure counts. */
export function fail(ingestion: Ingestion, run: Run, failure: Failure, at: Moment): Ingestion {
  return goesOn(ingestion, run)
    ? ended(ingestion, 'failed', at, { failure: { ...failure, reason: failure.reason.slice(0, REASON) } })
    : ingestion;
}

/** Whoever no longer wants it stops it; of one that has ended, all is removed. */
export function remove(ingestion: Ingestion, at: Moment): Ingestion | Refusal {
  switch (ingestion.state) {
    case 'running':
      return ended(ingestion, 'cancelled', at);
    case 'cancelled':
      return ingestion;
    case 'completed':
    case 'failed':
      return ended(ingestion, 'removed', at);
    case 'removed':
      return refuse('not-found', 'There is no such ingestion', 'It was removed.');
  }
}

/** Its blobs go: none of them is of use without the record. */
function ended(
  ingestion: Ingestion,
  state: 'failed' | 'cancelled' | 'removed',
  at: Moment,
  more: Partial<Ingestion> = {},
): Ingestion {
  const garbage = [...new Set([...ingestion.garbage, ingestion.files])];
  return { ...ingestion, state, endedAt: at.toISOString(), ...more, garbage };
}

/** Blobs have been removed. */
export function swept(ingestion: Ingestion, removed: readonly string[]): Ingestion {
  const garbage = ingestion.garbage.filter((files) => !removed.includes(files));
  return garbage.length === ingestion.garbage.length ? ingestion : { ...ingestion, garbage };
}

/** By when its workflow must have done something: `undefined` when there is nothing to do. */
export function dueAt({ state, garbage, progressAt, endedAt = progressAt }: Ingestion): string | undefined {
  if (state === 'running') return moment.utc(progressAt).add(WAVE_TAKES).toISOString();
  return garbage.length > 0 ? moment.utc(endedAt).add(WAVE_TAKES).toISOString() : undefined;
}

/** The instance that works on an attempt. */
export function instanceOf({ id, attempt }: Pick<Ingestion, 'id' | 'attempt'>): string {
  return `${id}-${attempt}`;
}

/** When it will have ended if it goes on as until now; `undefined` when it has ended, or nothing is known yet. */
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

/** What an activity threw, without what the host writes around it. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const [first = ''] = text.replace(/^(?:.*? failed: *)+/, '').split('\n');
  return first.trim() || 'Something went wrong';
}
