import { randomUUID } from 'node:crypto';
import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import type { DurableClient } from 'durable-functions';
import moment, { type Moment } from 'moment';
import { ensureRunning, raise } from '../durable/index.js';
import {
  accepted,
  check,
  fingerprint,
  idempotencyKey,
  keyReused,
  readJson,
  requireInvolved,
  resourceRoute,
  signedIn,
  unlessRefused,
  withProblems,
  type Handler,
} from '../http/index.js';
import type { Refusal } from '../refusals/index.js';
import { keyFor } from '../storage/index.js';
import { reminderRequest, type Progress, type Reminders } from './model.js';
import { ended, reminderOrchestrator } from './orchestrators.js';
import { acknowledge, cancel, dueAt, plan, progress } from './rules.js';
import { reminders } from './store.js';

/** The ids that {@link startReminders} makes, from keys of at most 64 characters. */
const { idOf, unknown } = resourceRoute({
  missing: 'There are no reminders',
  pattern: /^reminders-[\w-]{1,192}$/,
});

/**
 * Records new reminders and starts their workflow. A request that repeats an idempotency key gets the same
 * reminders.
 *
 * @throws {Problem} 400, or 422 when another request has used the key
 */
export async function startReminders(
  client: DurableClient,
  request: HttpRequest,
  body: unknown,
): Promise<Reminders> {
  const wanted = check(reminderRequest, body);
  const key = idempotencyKey(request);
  const id = `reminders-${keyFor(key ?? randomUUID())}`;
  const hash = fingerprint(wanted);

  const decided = { requestedBy: signedIn(request)?.name, requestHash: hash };
  const { record, inserted: isNew } = await reminders.insert(plan(id, wanted, decided, moment.utc()), {
    isNew: key === undefined,
  });
  if (record.requestHash !== hash) {
    throw keyReused();
  }
  await goOn(client, record, { isNew });
  return record;
}

/**
 * Makes sure that the workflow of reminders runs, unless they have ended. `wake` makes it read the record, and `isNew`
 * starts it without a look, because the record was inserted just now.
 */
export async function goOn(
  client: DurableClient,
  record: Reminders,
  how: { wake?: typeof ended; isNew?: boolean } = {},
): Promise<void> {
  const { id } = record;
  if (dueAt(record) !== undefined) {
    await ensureRunning(client, reminderOrchestrator, { instanceId: id, input: { id }, ...how });
  }
}

/** `POST /api/reminders` */
export const planReminders: Handler = async (request, client) => {
  const record = await startReminders(client, request, await readJson(request));
  return accepted(`/api/reminders/${record.id}`, view(record));
};

/** `GET /api/reminders/{id}` */
export const getReminders: Handler = async (request) => {
  const record = (await reminders.read(idOf(request))) ?? unknown(request);
  requireInvolved(request, [record.to, record.requestedBy]);
  return { jsonBody: view(record, progress(record)) };
};

/** `POST /api/reminders/{id}/acknowledgement`: the person has read the message. A repeat is answered alike. */
export const acknowledgeReminders: Handler = (request, client, context) =>
  endBy(acknowledge, ({ to }) => [to], request, client, context);

/** `DELETE /api/reminders/{id}`: the record stays, with the state `cancelled`. A repeat is answered alike. */
export const cancelReminders: Handler = (request, client, context) =>
  endBy(cancel, ({ to, requestedBy }) => [to, requestedBy], request, client, context);

async function endBy(
  rule: (record: Reminders, at: Moment) => Reminders | Refusal,
  mayEnd: (record: Reminders) => (string | undefined)[],
  request: HttpRequest,
  client: DurableClient,
  context: InvocationContext,
): Promise<HttpResponseInit> {
  const result = await reminders.change(idOf(request), (record) => {
    requireInvolved(request, mayEnd(record));
    return rule(record, moment.utc());
  });
  const { record } = unlessRefused(result ?? unknown(request));
  await wakeEnded(record, client, context);
  return { jsonBody: view(record) };
}

/** Wakes the workflow of reminders that have ended. */
export async function wakeEnded(
  { id }: Reminders,
  client: DurableClient,
  context: InvocationContext,
): Promise<void> {
  // If this fails, the workflow reads the record when the next reminder would be due.
  await raise(client, id, ended, null).catch((error: unknown) => {
    context.warn('The workflow of %s was not woken', id, error);
  });
}

/** The reminders as callers get them. */
function view(
  { id, to, requestedBy, message, count, gaps, state, startedAt, endedAt }: Reminders,
  { sent, next }: Partial<Progress> = {},
): object {
  return { id, to, requestedBy, message, count, gaps, state, startedAt, endedAt, sent, next };
}

df.app.client.http('PlanReminders', {
  route: 'api/reminders',
  methods: ['POST'],
  authLevel: 'function',
  handler: withProblems(planReminders),
});
df.app.client.http('GetReminders', {
  route: 'api/reminders/{id}',
  methods: ['GET'],
  authLevel: 'function',
  handler: withProblems(getReminders),
});
df.app.client.http('AcknowledgeReminders', {
  route: 'api/reminders/{id}/acknowledgement',
  methods: ['POST'],
  authLevel: 'function',
  handler: withProblems(acknowledgeReminders),
});
df.app.client.http('CancelReminders', {
  route: 'api/reminders/{id}',
  methods: ['DELETE'],
  authLevel: 'function',
  handler: withProblems(cancelReminders),
});
