import { randomUUID } from 'node:crypto';
import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import type { DurableClient } from 'durable-functions';
import moment from 'moment';
import { find, raise, start } from '../durable/index.js';
import {
  accepted,
  check,
  fingerprint,
  idempotencyKey,
  keyReused,
  notFound,
  problemOf,
  readJson,
  withProblems,
  type Handler,
} from '../http/index.js';
import { refuse } from '../refusals/index.js';
import { keyFor } from '../storage/index.js';
import { progress, reminderRequest, type Progress, type Reminders } from './model.js';
import { ended, reminderOrchestrator } from './orchestrators.js';
import { end, planned } from './rules.js';
import { changeReminders, insertReminders, readReminders } from './store.js';

/** What {@link startReminders} makes of a key of 64 characters at most. */
const idPattern = /^reminders-[\w-]{1,192}$/;

/**
 * Records new reminders and starts their workflow; the same ones again when the request repeats an idempotency key.
 *
 * @throws {Problem} 400, or 422 when the key came with another request before
 */
export async function startReminders(
  client: DurableClient,
  request: HttpRequest,
  body: unknown,
): Promise<Reminders> {
  const wanted = check(reminderRequest, body);
  const id = `reminders-${keyFor(idempotencyKey(request) ?? randomUUID())}`;

  const plan = planned(id, wanted, fingerprint(wanted), moment.utc());
  const { reminders, inserted } = await insertReminders(plan);
  if (reminders.requestHash !== plan.requestHash) {
    throw keyReused();
  }
  if (inserted) {
    await startWorkflow(client, reminders);
  } else {
    await statusOf(client, reminders);
  }
  return reminders;
}

/** `POST /api/reminders` */
export const planReminders: Handler = async (request, client) => {
  const reminders = await startReminders(client, request, await readJson(request));
  return accepted(`/api/reminders/${reminders.id}`, view(reminders));
};

/** `GET /api/reminders/{id}` */
export const getReminders: Handler = async (request, client) => {
  const reminders = (await readReminders(idOf(request))) ?? unknown(request);
  return { jsonBody: view(reminders, await statusOf(client, reminders)) };
};

/** `POST /api/reminders/{id}/acknowledgement`: the message has been read, no more of it. */
export const acknowledgeReminders: Handler = (request, client, context) =>
  endWith('acknowledged', request, client, context);

/** `DELETE /api/reminders/{id}`: the record stays, and says that they were cancelled. */
export const cancelReminders: Handler = (request, client, context) =>
  endWith('cancelled', request, client, context);

async function endWith(
  state: 'acknowledged' | 'cancelled',
  request: HttpRequest,
  client: DurableClient,
  context: InvocationContext,
): Promise<HttpResponseInit> {
  const { reminders, changed } =
    (await changeReminders(idOf(request), (current) => end(current, state, moment.utc()))) ??
    unknown(request);
  // They have ended, whether the workflow hears of it now, by a repeat of the request or when the next is due.
  await raise(client, reminders.id, ended, null).catch((error: unknown) => {
    context.warn('The workflow of %s was not woken', reminders.id, error);
  });
  if (!changed) {
    throw problemOf(
      refuse(
        'over',
        `The reminders are ${reminders.state} already`,
        `Get /api/reminders/${reminders.id} for when.`,
      ),
    );
  }
  return { jsonBody: view(reminders) };
}

/** How far the workflow is. Starts it when the record has none. */
async function statusOf(client: DurableClient, reminders: Reminders): Promise<Progress | undefined> {
  const status = await find(client, reminders.id);
  if (status === undefined && reminders.state === 'active') {
    await startWorkflow(client, reminders);
  }
  return progress.safeParse(status?.customStatus).data;
}

async function startWorkflow(
  client: DurableClient,
  { id, startedAt, count, gaps }: Reminders,
): Promise<void> {
  await start(client, reminderOrchestrator, { instanceId: id, input: { id, startedAt, count, gaps } });
}

/** The reminders as people see them. */
function view(
  { id, to, message, count, gaps, state, startedAt, endedAt }: Reminders,
  { sent, next }: Partial<Progress> = {},
): object {
  return {
    id,
    to,
    message,
    count,
    gaps,
    state,
    startedAt,
    endedAt,
    sent,
    next: state === 'active' ? next : undefined,
  };
}

function idOf(request: HttpRequest): string {
  const id = request.params['id'] ?? '';
  return idPattern.test(id) ? id : unknown(request);
}

function unknown(request: HttpRequest): never {
  throw notFound(`There are no reminders ${request.params['id'] ?? ''}.`);
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
