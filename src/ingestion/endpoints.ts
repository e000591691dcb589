import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import * as df from 'durable-functions';
import type { DurableClient } from 'durable-functions';
import moment from 'moment';
import { z } from 'zod';
import { ensureRunning } from '../durable/index.js';
import {
  accepted,
  check,
  notFound,
  ownKey,
  Problem,
  queryOf,
  requireInvolved,
  resourceRoute,
  signedIn,
  unlessRefused,
  withProblems,
  type Handler,
} from '../http/index.js';
import { INGESTIONS } from '../sales/index.js';
import { BlobChangedError, container, listBlobs, readBlob, triggerQueue } from '../storage/index.js';
import { batchesOf, rejectsOf, resultsOf } from './files.js';
import { batch, blobRequest, type Ingestion } from './model.js';
import { ingestionOrchestrator } from './orchestrators.js';
import { drop } from './receive.js';
import { requested, requestedBlob } from './requests.js';
import { begin, beginAgain, dueAt, estimatedEnd, instanceOf, remove, type Beginning } from './rules.js';
import { ALL, ingestions, listOf } from './store.js';

const { idOf, unknown } = resourceRoute({
  missing: 'There is no ingestion',
  pattern: /^ingestion-[\da-f]{64}$/,
});

const listQuery = z.object({
  top: z.coerce.number().int().min(1).max(100).default(50),
  continuation: z
    .string()
    .regex(/^[\w!-]{1,200}$/, 'Take it from a nextLink as it is')
    .optional(),
});

/**
 * Records an ingestion and starts its workflow. The same content finds the existing ingestion, or starts a
 * new attempt if that one has failed or was cancelled or removed.
 */
async function startIngestion(client: DurableClient, beginning: Beginning): Promise<Ingestion> {
  const { id, files } = beginning;
  const at = moment.utc();
  const { record: first } = await ingestions.insert(begin(beginning, at));
  const again = await ingestions.change(id, (ingestion) => beginAgain(ingestion, beginning, at));
  const record = again === undefined ? first : unlessRefused(again).record;
  if (record.files !== files) await drop(beginning);
  await goOn(client, record);
  return record;
}

/** Makes sure that the workflow of an ingestion runs, unless it has nothing to do. */
export async function goOn(client: DurableClient, ingestion: Ingestion): Promise<void> {
  if (dueAt(ingestion) === undefined) return;
  const { id, files } = ingestion;
  await ensureRunning(client, ingestionOrchestrator, {
    instanceId: instanceOf(ingestion),
    input: { id, files },
  });
}

/** `POST /api/ingestions` */
export const ingest: Handler = async (request, client) => {
  const record = await startIngestion(client, ownOf(request, await requested(request)));
  return accepted(`/api/ingestions/${record.id}`, await view(record));
};

/** A file as the person's own whom the platform has signed in: two people with the same file have two ingestions. */
function ownOf(request: HttpRequest, beginning: Beginning): Beginning {
  const person = signedIn(request);
  if (person === undefined) return beginning;
  const hash = createHash('sha256').update(ownKey(request, beginning.id)).digest('hex');
  return { ...beginning, id: `ingestion-${hash}`, requestedBy: person.name };
}

/**
 * A message on the queue `ingest`, with the JSON of `POST /api/ingestions`. A message that fails five times
 * goes to `ingest-poison`.
 */
export async function ingestFromQueue(message: unknown, client: DurableClient): Promise<void> {
  await startIngestion(client, await requestedBlob(check(blobRequest, message, 'message')));
}

/**
 * `GET /api/ingestions?top=&continuation=`: a page, newest first, and the path of the next if there is one. A
 * person whom the platform has signed in, and who is no operator, gets their own.
 */
export const listIngestions: Handler = async (request) => {
  const { top, continuation: after } = check(listQuery, queryOf(request), 'query');
  const person = signedIn(request);
  const list = person === undefined || person.isOperator ? ALL : listOf(person.name);
  const { records, continuation } = await ingestions.list(list, { top, after });
  const next = new URLSearchParams({ top: String(top), ...(continuation && { continuation }) });
  return {
    jsonBody: {
      value: records.map((record) => shown(record)),
      ...(continuation && { nextLink: `/api/ingestions?${next.toString()}` }),
    },
  };
};

/** `GET /api/ingestions/{id}` */
export const getIngestion: Handler = async (request) => ({ jsonBody: await view(await recordOf(request)) });

/** `GET /api/ingestions/{id}/results` */
export const getResults: Handler = async (request) => {
  const { files } = await completed(request);
  const content = await readBlob(await container(INGESTIONS), resultsOf(files)).catch((error: unknown) => {
    // They are removed after the record was read.
    throw error instanceof BlobChangedError ? notFound('The results are removed.') : error;
  });
  return { headers: { 'Content-Type': 'application/json' }, body: Readable.toWeb(content) as ReadableStream };
};

/** `GET /api/ingestions/{id}/rejects` */
export const getRejects: Handler = async (request) => {
  const { files } = await completed(request);
  const blobs = await container(INGESTIONS);
  async function* rejects(): AsyncGenerator<Buffer> {
    for await (const { name } of listBlobs(blobs, rejectsOf(files))) {
      yield* (await readBlob(blobs, name)) as AsyncIterable<Buffer>;
    }
  }
  return {
    headers: { 'Content-Type': 'application/x-ndjson' },
    body: Readable.toWeb(Readable.from(rejects(), { objectMode: false })) as ReadableStream,
  };
};

/** `DELETE /api/ingestions/{id}`: stops one that runs, and removes one that has ended. A repeat is answered alike. */
export const deleteIngestion: Handler = async (request, client, context) => {
  const result = await ingestions.change(idOf(request), (ingestion) => {
    requireInvolved(request, [ingestion.requestedBy]);
    return remove(ingestion, moment.utc());
  });
  const { record } = unlessRefused(result ?? unknown(request));
  // The change is recorded, so the request has succeeded. If this fails, the sweep starts the workflow.
  await goOn(client, record).catch((error: unknown) => {
    context.warn('The workflow of %s was not started', record.id, error);
  });
  return record.state === 'removed'
    ? { status: 204 }
    : (accepted(`/api/ingestions/${record.id}`, await view(record)) satisfies HttpResponseInit);
};

/** The ingestion with its progress: the record counts complete waves, and the blobs show the current one. */
async function view(ingestion: Ingestion): Promise<object> {
  let { done, lines, rejected } = ingestion;
  if (ingestion.state === 'running' && ingestion.chunks !== undefined) {
    const batches = batchesOf(ingestion.files, ingestion.waves);
    let end = 0;
    for await (const { metadata } of listBlobs(await container(INGESTIONS), batches)) {
      const read = batch.parse(metadata);
      // An activity that ran twice may have ended at another chunk.
      if (read.from < end) continue;
      end = read.to;
      done += read.to - read.from;
      lines += read.lines;
      rejected += read.rejected;
    }
  }
  return {
    ...shown({ ...ingestion, lines, rejected, done }),
    estimatedEnd: estimatedEnd(ingestion, done, moment.utc()),
  };
}

function shown(ingestion: Ingestion): object {
  const {
    id,
    state,
    requestedBy,
    layout,
    source,
    maxParallel,
    lines,
    rejected,
    done,
    chunks,
    startedAt,
    endedAt,
    failure,
  } = ingestion;
  const path = `/api/ingestions/${id}`;
  return {
    id,
    state,
    requestedBy,
    format: layout.format,
    bytes: source.bytes,
    ...(source.container === INGESTIONS ? {} : { blob: source.blob }),
    maxParallel,
    linesRead: lines,
    rejected,
    chunksDone: done,
    chunks,
    startedAt,
    endedAt,
    failure,
    ...(state === 'completed' && { results: `${path}/results`, rejects: `${path}/rejects` }),
  };
}

async function completed(request: HttpRequest): Promise<Ingestion> {
  const record = await recordOf(request);
  if (record.state !== 'completed') {
    throw new Problem(409, 'no-results', `The ingestion is ${record.state}`, {
      detail: `Results are there when it is completed. Get /api/ingestions/${record.id} for its progress.`,
    });
  }
  return record;
}

async function recordOf(request: HttpRequest): Promise<Ingestion> {
  const record = await ingestions.read(idOf(request));
  if (record === undefined || record.state === 'removed') return unknown(request);
  requireInvolved(request, [record.requestedBy]);
  return record;
}

df.app.client.http('Ingest', {
  route: 'api/ingestions',
  methods: ['POST'],
  authLevel: 'function',
  handler: withProblems(ingest),
});
df.app.client.http('ListIngestions', {
  route: 'api/ingestions',
  methods: ['GET'],
  authLevel: 'function',
  handler: withProblems(listIngestions),
});
df.app.client.http('GetIngestion', {
  route: 'api/ingestions/{id}',
  methods: ['GET'],
  authLevel: 'function',
  handler: withProblems(getIngestion),
});
df.app.client.http('GetIngestionResults', {
  route: 'api/ingestions/{id}/results',
  methods: ['GET'],
  authLevel: 'function',
  handler: withProblems(getResults),
});
df.app.client.http('GetIngestionRejects', {
  route: 'api/ingestions/{id}/rejects',
  methods: ['GET'],
  authLevel: 'function',
  handler: withProblems(getRejects),
});
df.app.client.http('DeleteIngestion', {
  route: 'api/ingestions/{id}',
  methods: ['DELETE'],
  authLevel: 'function',
  handler: withProblems(deleteIngestion),
});
df.app.client.storageQueue('IngestFromQueue', {
  queueName: triggerQueue('ingest'),
  connection: 'AppStorage',
  handler: (message, client) => ingestFromQueue(message, client),
});
