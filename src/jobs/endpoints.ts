import { randomUUID } from 'node:crypto';
import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import * as df from 'durable-functions';
import type { DurableClient } from 'durable-functions';
import moment from 'moment';
import { ensureRunning, find } from '../durable/index.js';
import {
  check,
  fingerprint,
  idempotencyKey,
  keyReused,
  Problem,
  readJson,
  requireInvolved,
  resourceRoute,
  signedIn,
  unlessRefused,
  withProblems,
  type Handler,
} from '../http/index.js';
import { BlobChangedError, keyFor } from '../storage/index.js';
import { tidy } from './activities.js';
import { jobRequest, progress, type Job, type Progress } from './model.js';
import { preferred } from './negotiation.js';
import { salesReportOrchestrator } from './orchestrators.js';
import { cancel, csvOf, dueAt, isExpired, request as requested } from './rules.js';
import { resultsExpireAfter } from './results-expire-after.js';
import { jobs, readReport } from './store.js';

const { idOf, unknown } = resourceRoute({ missing: 'There is no job', pattern: /^job-[\w-]{1,192}$/ });

/** How long a caller should wait between two polls, in seconds. */
const RETRY_AFTER = 2;

/** Makes sure that the workflow of a job runs, or that an expired result is removed. */
export async function goOn(client: DurableClient, job: Job): Promise<void> {
  if (dueAt(job) === undefined) return;
  const { id } = job;
  if (job.state === 'completed') await tidy(id);
  else await ensureRunning(client, salesReportOrchestrator, { instanceId: id, input: { id } });
}

/** `POST /api/jobs` */
export const startJob: Handler = async (request, client) => {
  const asked = check(jobRequest, await readJson(request));
  const id = `job-${keyFor(idempotencyKey(request) ?? randomUUID())}`;
  const hash = fingerprint(asked);
  const person = signedIn(request);
  const decided = {
    requestedBy: person?.name,
    readsOnlyOf: person?.isOperator === true ? undefined : person?.name,
    requestHash: hash,
    keptFor: resultsExpireAfter(),
  };
  const { record } = await jobs.insert(requested(id, asked, decided, moment.utc()));
  if (record.requestHash !== hash) throw keyReused();
  if (record.state === 'running') await goOn(client, record);
  return underWay(record);
};

/**
 * `GET /api/jobs/{id}`: 202 while it runs, 303 to the result, 200 when there is none, 410 when it has
 * expired.
 */
export const getJob: Handler = async (request, client) => {
  const job = await jobOf(request);
  if (isExpired(job, moment.utc())) throw expired(job);
  switch (job.state) {
    case 'running':
      return underWay(job, progress.safeParse((await find(client, job.id))?.customStatus).data);
    case 'completed':
      return { status: 303, headers: { Location: `/api/jobs/${job.id}/result` }, jsonBody: view(job) };
    default:
      return { jsonBody: view(job) };
  }
};

/** `GET /api/jobs/{id}/result`: JSON or CSV, by `Accept`. */
export const getJobResult: Handler = async (request) => {
  const job = await jobOf(request);
  if (isExpired(job, moment.utc())) throw expired(job);
  if (job.state !== 'completed') {
    throw new Problem(409, 'no-result', `The job is ${job.state}`, {
      detail: `There is a result when it is completed. Get /api/jobs/${job.id} for its progress.`,
    });
  }
  const type = preferred(request.headers.get('accept'), ['application/json', 'text/csv']);
  if (type === undefined) {
    throw new Problem(406, 'not-acceptable', 'The result has no such format', {
      detail: 'Accept application/json or text/csv.',
    });
  }
  const report = await readReport(job.id).catch((error: unknown) => {
    throw error instanceof BlobChangedError ? expired(job) : error;
  });
  const headers = { Vary: 'Accept', Expires: moment.utc(job.expiresAt).toDate().toUTCString() };
  return type === 'text/csv'
    ? {
        headers: {
          ...headers,
          'Content-Type': 'text/csv; charset=utf-8; header=present',
          'Content-Disposition': `attachment; filename="${job.id}.csv"`,
        },
        body: csvOf(report),
      }
    : { headers, jsonBody: report };
};

/** `DELETE /api/jobs/{id}`: the record stays, with the state `cancelled`. A repeat is answered alike. */
export const cancelJob: Handler = async (request, client, context) => {
  const result = await jobs.change(idOf(request), (job) => {
    requireInvolved(request, [job.requestedBy]);
    return cancel(job, moment.utc());
  });
  const { record } = unlessRefused(result ?? unknown(request));
  // The cancellation is recorded, so the request has succeeded. If this fails, the sweep starts the workflow.
  await goOn(client, record).catch((error: unknown) => {
    context.warn('The workflow of %s was not started', record.id, error);
  });
  return { jsonBody: view(record) };
};

function underWay(job: Job, seen?: Progress): HttpResponseInit {
  return {
    status: 202,
    headers: { Location: `/api/jobs/${job.id}`, 'Retry-After': String(RETRY_AFTER) },
    jsonBody: { ...view(job), ...(seen && { progress: seen }) },
  };
}

/** The job as callers get it. */
function view({ id, state, request, requestedBy, createdAt, endedAt, expiresAt, problem }: Job): object {
  return {
    id,
    state,
    ...request,
    requestedBy,
    createdAt,
    endedAt,
    expiresAt,
    ...(problem && { problem }),
    ...(state === 'completed' && { result: `/api/jobs/${id}/result` }),
  };
}

function expired({ id, expiresAt }: Job): Problem {
  return new Problem(410, 'expired', 'The result has expired', {
    detail: `The result of ${id} was there until ${expiresAt}. Start a new job.`,
  });
}

async function jobOf(request: HttpRequest): Promise<Job> {
  const job = (await jobs.read(idOf(request))) ?? unknown(request);
  requireInvolved(request, [job.requestedBy]);
  return job;
}

df.app.client.http('StartJob', {
  route: 'api/jobs',
  methods: ['POST'],
  authLevel: 'function',
  handler: withProblems(startJob),
});
df.app.client.http('GetJob', {
  route: 'api/jobs/{id}',
  methods: ['GET'],
  authLevel: 'function',
  handler: withProblems(getJob),
});
df.app.client.http('GetJobResult', {
  route: 'api/jobs/{id}/result',
  methods: ['GET'],
  authLevel: 'function',
  handler: withProblems(getJobResult),
});
df.app.client.http('CancelJob', {
  route: 'api/jobs/{id}',
  methods: ['DELETE'],
  authLevel: 'function',
  handler: withProblems(cancelJob),
});
