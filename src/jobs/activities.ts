import moment from 'moment';
import { activity } from '../durable/index.js';
import { Refusal } from '../refusals/index.js';
import { readChunk, readChunks, readTotals, type Dataset } from '../sales/index.js';
import { BlobChangedError } from '../storage/index.js';
import type { Job, JobProblem, JobRequest, JobState } from './model.js';
import { rank, select, type Ranks } from './ranks.js';
import { complete, fail, partsOf, rankOf, tidied } from './rules.js';
import {
  jobs,
  readAmounts,
  readPart,
  removeFiles,
  removeParts,
  writeAmounts,
  writePart,
  writeReport,
} from './store.js';

/** The job that an activity is about. */
export interface Reference {
  id: string;
}

/** The same, with the dataset that the job reads. */
export type OnDataset = Reference & { dataset: Dataset };

/** Whether the job is still running: it was not cancelled, and its dataset exists. */
export interface StepResult {
  goesOn: boolean;
}

/** What a job was asked for, and whose ingestions alone it may read: all, if that is absent. */
export type Asked = JobRequest & Pick<Job, 'readsOnlyOf'>;

/** Reads the request of a job; `null` when the job is not running any more. */
export const beginJob = activity('BeginJob', async ({ id }: Reference): Promise<Asked | null> => {
  const { state, request, readsOnlyOf } = await jobOf(id);
  return state === 'running' ? { ...request, readsOnlyOf } : null;
});

/** Finds the largest totals. */
export const rankSales = activity('RankSales', (input: OnDataset): Promise<StepResult> =>
  step(input, async ({ request }) => {
    await writePart(input.id, 'ranks', await rank(readTotals(input.dataset.totals), request.top));
  }),
);

/** Reads the lines of some chunks, and stores their amounts in order. */
export const collectAmounts = activity(
  'CollectAmounts',
  (input: OnDataset & { part: number; from: number; to: number }): Promise<StepResult> =>
    step(input, async () => {
      const { id, part, dataset } = input;
      let amounts = new Float64Array(1024);
      let count = 0;
      for (const chunk of await readChunks(dataset.index, input.from, input.to)) {
        await readChunk(dataset, chunk, {
          take: ({ amount }) => {
            if (count === amounts.length) {
              const more = new Float64Array(2 * count);
              more.set(amounts);
              amounts = more;
            }
            amounts[count++] = amount;
          },
          reject: () => {},
        });
      }
      await writeAmounts(id, part, amounts.subarray(0, count).toSorted());
    }),
);

/** Writes the report. */
export const completeJob = activity('CompleteJob', async (input: OnDataset): Promise<StepResult> => {
  const { id, dataset } = input;
  const written = await step(input, async ({ request: { ingestion, percentiles } }) => {
    const ranks = await readPart<Ranks>(id, 'ranks');
    const sorted = percentiles.toSorted((a, b) => a - b);
    const parts = sorted.length === 0 ? [] : partsOf(dataset.chunks).map((_, part) => readAmounts(id, part));
    const amounts = await select(
      parts,
      sorted.map((percentile) => rankOf(percentile, ranks.total.lines)),
    );
    await writeReport(id, {
      job: id,
      ingestion,
      at: moment.utc().toISOString(),
      ...ranks,
      percentiles: amounts.map((amount, index) => ({ percentile: sorted[index]!, amount })),
    });
    await change(id, (job) => complete(job, moment.utc()));
  });
  await removeParts(id);
  return written;
});

/** Records that the job has failed. */
export const failJob = activity(
  'FailJob',
  async ({ id, problem }: Reference & { problem: JobProblem }, context): Promise<void> => {
    context.warn('The job %s failed: %s', id, problem.detail);
    await change(id, (job) => fail(job, problem, moment.utc()));
  },
);

/** Removes the blobs of a job that has no result. @returns the state of the job */
export const tidyJob = activity(
  'TidyJob',
  async ({ id }: Reference): Promise<JobState> => (await tidy(id)).state,
);

/** Removes the blobs of a job; of a completed job its result, when it has expired. */
export async function tidy(id: string): Promise<Job> {
  const job = await jobOf(id);
  if (tidied(job, moment.utc()) === job) return job;
  await removeFiles(id);
  return change(id, (current) => tidied(current, moment.utc()));
}

/** Runs a step of a running job. If its dataset is missing, the job fails. */
async function step({ id }: Reference, take: (job: Job) => Promise<void>): Promise<StepResult> {
  const job = await jobOf(id);
  if (job.state !== 'running') return { goesOn: false };
  try {
    await take(job);
    return { goesOn: true };
  } catch (error) {
    if (!(error instanceof BlobChangedError)) throw error;
    // Changes nothing if a part is missing because the job has ended.
    await change(id, (current) => fail(current, gone(current.request.ingestion), moment.utc()));
    return { goesOn: false };
  }
}

function gone(ingestion: string): JobProblem {
  return {
    type: 'urn:problem:ingestion-gone',
    title: 'The files of the ingestion are gone',
    detail: `The files of ${ingestion} were removed or changed while the job ran. Ingest them again.`,
  };
}

async function jobOf(id: string): Promise<Job> {
  return (await jobs.read(id)) ?? unknown(id);
}

async function change(id: string, rule: (job: Job) => Job): Promise<Job> {
  const result = (await jobs.change(id, rule)) ?? unknown(id);
  if (result instanceof Refusal) throw new Error(`${result.title}. ${result.detail}`);
  return result.record;
}

function unknown(id: string): never {
  throw new Error(`There is no job ${id}`);
}
