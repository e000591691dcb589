import { z } from 'zod';

/** The body of `POST /api/jobs`. */
export const jobRequest = z.strictObject({
  kind: z.literal('sales-report', 'The kinds of jobs are: sales-report'),
  /** The id of the ingestion that the report is about. */
  ingestion: z.string().regex(/^ingestion-[\da-f]{64}$/, 'It is not the id of an ingestion'),
  /** The number of stores and of articles in the report, those with the largest amounts. */
  top: z.number().int().min(1).max(100).default(10),
  /** Percentiles of the amounts of single lines. */
  percentiles: z.array(z.number().gt(0).max(100)).max(20).default([50, 90, 99]),
});
export type JobRequest = z.output<typeof jobRequest>;

/** All states but `running` are final; a `completed` job becomes `expired` when its result is removed. */
export const jobState = z.enum(['running', 'completed', 'failed', 'cancelled', 'expired']);
export type JobState = z.infer<typeof jobState>;

/** Why a job failed, as a problem of RFC 9457. */
export const jobProblem = z.object({ type: z.string(), title: z.string(), detail: z.string() });
export type JobProblem = z.infer<typeof jobProblem>;

/** The record of a job, which decides. Times are ISO 8601 in UTC. */
export const jobRecord = z.object({
  /** The instance id of its workflow too. */
  id: z.string(),
  state: jobState,
  request: jobRequest,
  /** The person who started it, if the platform has signed one in. */
  requestedBy: z.string().optional(),
  /** The person whose ingestions alone it may read; absent: it may read all. */
  readsOnlyOf: z.string().optional(),
  /** A hash of the request. It distinguishes its repeat from another request with the same key. */
  requestHash: z.string(),
  createdAt: z.string(),
  endedAt: z.string().optional(),
  /** How long the result is kept. ISO 8601. Jobs that an earlier version started have none. */
  keptFor: z.string().default('P7D'),
  /** When the result expires. */
  expiresAt: z.string().optional(),
  problem: jobProblem.optional(),
  /** Whether the blobs of a cancelled or failed job have been removed. */
  isTidy: z.boolean(),
});
export type Job = z.infer<typeof jobRecord>;

/** The progress of a job, which is the custom status of its workflow. */
export const progress = z.object({
  step: z.enum(['reading the totals', 'reading the lines', 'writing the report']),
  /** The number of parts of the file that were read, and of all parts. */
  done: z.number(),
  of: z.number(),
});
export type Progress = z.infer<typeof progress>;

/** A store or an article in a report. */
export interface Ranked {
  name: string;
  lines: number;
  quantity: number;
  amount: number;
}

/** A report of sales. Amounts are in minor units. */
export interface SalesReport {
  job: string;
  ingestion: string;
  /** When it was written: ISO 8601, UTC. */
  at: string;
  total: Omit<Ranked, 'name'>;
  topStores: Ranked[];
  topSkus: Ranked[];
  /** For each percentile, the smallest amount that this percentage of the lines does not exceed. */
  percentiles: { percentile: number; amount: number }[];
}
