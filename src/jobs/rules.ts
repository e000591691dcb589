import moment, { type Moment } from 'moment';
import { refuse, type Refusal } from '../refusals/index.js';
import type { Job, JobProblem, JobRequest, SalesReport } from './model.js';

/** A job that takes longer has lost its workflow, or is about a very large file. */
const TAKES = moment.duration(5, 'minutes');
/**
 * The maximum number of parts of a file, so that no history grows with it, and the minimum number of chunks
 * in a part.
 */
const PARTS = 128;
const CHUNKS = 32;

/** The record of a new job. */
export function request(
  id: string,
  asked: JobRequest,
  decided: Pick<Job, 'requestedBy' | 'readsOnlyOf' | 'requestHash' | 'keptFor'>,
  at: Moment,
): Job {
  return { ...decided, id, state: 'running', request: asked, createdAt: at.toISOString(), isTidy: false };
}

/** Completes a job. Its result expires after a time. */
export function complete(job: Job, at: Moment): Job {
  return job.state === 'running'
    ? {
        ...job,
        state: 'completed',
        endedAt: at.toISOString(),
        expiresAt: at.clone().add(moment.duration(job.keptFor)).toISOString(),
      }
    : job;
}

/** Records a failure. */
export function fail(job: Job, problem: JobProblem, at: Moment): Job {
  return job.state === 'running' ? { ...job, state: 'failed', endedAt: at.toISOString(), problem } : job;
}

/** Cancels a running job. */
export function cancel(job: Job, at: Moment): Job | Refusal {
  switch (job.state) {
    case 'running':
      return { ...job, state: 'cancelled', endedAt: at.toISOString() };
    case 'cancelled':
      return job;
    default:
      return refuse('over', `The job is ${job.state} already`, `Get /api/jobs/${job.id} for its outcome.`);
  }
}

/** Records that the blobs of a job were removed; a completed job becomes expired. */
export function tidied(job: Job, at: Moment): Job {
  if (job.state === 'running' || job.isTidy || (job.state === 'completed' && !isExpired(job, at))) return job;
  return { ...job, state: job.state === 'completed' ? 'expired' : job.state, isTidy: true };
}

/** Whether its result has expired, also before it is removed. */
export function isExpired({ state, expiresAt }: Job, at: Moment): boolean {
  return state === 'expired' || (state === 'completed' && !at.isBefore(expiresAt));
}

/** The time by which the workflow must have done something, or the result must be removed. */
export function dueAt({ state, createdAt, endedAt, expiresAt, isTidy }: Job): string | undefined {
  if (isTidy) return undefined;
  return state === 'completed'
    ? expiresAt
    : moment
        .utc(endedAt ?? createdAt)
        .add(TAKES)
        .toISOString();
}

/** Since when nothing is left of the job but its record; `undefined` before. */
export function overSince({ isTidy, endedAt }: Job): string | undefined {
  return isTidy ? endedAt : undefined;
}

/** The parts of a file with that number of chunks. */
export function partsOf(chunks: number): { from: number; to: number }[] {
  const length = Math.max(CHUNKS, Math.ceil(chunks / PARTS));
  return Array.from({ length: Math.ceil(chunks / length) }, (_, part) => ({
    from: part * length,
    to: Math.min(chunks, (part + 1) * length),
  }));
}

/** The position, from 0, of a percentile among `count` values in ascending order: nearest rank. */
export function rankOf(percentile: number, count: number): number {
  // The multiplication first: 99 / 100 * 200 is a little more than 198.
  return Math.max(0, Math.ceil((percentile * count) / 100) - 1);
}

/** A report as CSV (RFC 4180), with a header. */
export function csvOf({ total, topStores, topSkus, percentiles }: SalesReport): string {
  const rows: (string | number)[][] = [
    ['section', 'rank', 'name', 'lines', 'quantity', 'amount'],
    ['total', '', '', total.lines, total.quantity, total.amount],
    ...[
      { section: 'store', ranked: topStores },
      { section: 'sku', ranked: topSkus },
    ].flatMap(({ section, ranked }) =>
      ranked.map(({ name, lines, quantity, amount }, index) => [
        section,
        index + 1,
        name,
        lines,
        quantity,
        amount,
      ]),
    ),
    ...percentiles.map(({ percentile, amount }) => ['percentile', '', `p${percentile}`, '', '', amount]),
  ];
  return rows.map((row) => `${row.map(field).join(',')}\r\n`).join('');
}

function field(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
