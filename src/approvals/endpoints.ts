import { randomUUID } from 'node:crypto';
import type { HttpRequest } from '@azure/functions';
import * as df from 'durable-functions';
import type { DurableClient } from 'durable-functions';
import moment from 'moment';
import { z } from 'zod';
import { find, raise, start } from '../durable/index.js';
import {
  accepted,
  callerOf,
  check,
  fingerprint,
  idempotencyKey,
  keyReused,
  notFound,
  problemOf,
  personName,
  queryOf,
  readJson,
  withProblems,
  type Handler,
} from '../http/index.js';
import { refuse } from '../refusals/index.js';
import { keyFor } from '../storage/index.js';
import { approvalRequest, approvalState, decisionRequest, type Approval } from './model.js';
import { approvalOrchestrator, approvalSimulation, decided } from './orchestrators.js';
import { awaitsReport, awaitsStart, decide, requested, waitsFor } from './rules.js';
import { changeApproval, insertApproval, listApprovals, readApproval } from './store.js';

/** What {@link startApproval} makes of a key of 64 characters at most. */
const idPattern = /^approval-[\w-]{1,192}$/;

const listQuery = z.object({
  state: approvalState.optional(),
  approver: personName.optional(),
  top: z.coerce.number().int().min(1).max(100).default(50),
  continuation: z.string().regex(idPattern, 'Take it from a nextLink as it is').optional(),
});

/**
 * Records a new approval and starts its workflow; the same one again when the request repeats an idempotency key.
 *
 * @throws {Problem} 400, or 422 when the key came with another request before
 */
export async function startApproval(
  client: DurableClient,
  request: HttpRequest,
  body: unknown,
): Promise<Approval> {
  const { requestedBy, ...wanted } = check(approvalRequest, body);
  const complete = { ...wanted, requestedBy: callerOf(request, { field: 'requestedBy', name: requestedBy }) };
  const id = `approval-${keyFor(idempotencyKey(request) ?? randomUUID())}`;
  const hash = fingerprint(complete);

  const { approval, inserted } = await insertApproval(requested(id, complete, hash, moment.utc()));
  if (inserted) {
    await start(client, approvalOrchestrator, { instanceId: id, input: { id } });
  } else if (approval.requestHash !== hash) {
    throw keyReused();
  } else {
    await wake(client, approval);
  }
  return approval;
}

/** Starts the simulation, which needs no record; a repeated idempotency key finds the one it started. */
export async function startSimulation(client: DurableClient, request: HttpRequest): Promise<{ id: string }> {
  const key = idempotencyKey(request);
  const id = `simulation-${keyFor(key ?? randomUUID())}`;
  if (key === undefined || (await find(client, id)) === undefined) {
    await start(client, approvalSimulation, { instanceId: id, input: null });
  }
  return { id };
}

/** `POST /api/approvals` */
export const requestApproval: Handler = async (request, client) => {
  const approval = await startApproval(client, request, await readJson(request));
  return accepted(`/api/approvals/${approval.id}`, view(approval));
};

/** `GET /api/approvals/{id}` */
export const getApproval: Handler = async (request, client) => {
  const approval = (await readApproval(idOf(request))) ?? unknown(request);
  await wake(client, approval);
  return { jsonBody: view(approval) };
};

/** `GET /api/approvals?state=&approver=&top=&continuation=`: a page, and the path of the next if there is one. */
export const listTheApprovals: Handler = async (request) => {
  const { state, approver, top, continuation } = check(listQuery, queryOf(request), 'query');
  const found = await listApprovals({ state, approver, after: continuation }, top + 1);
  const page = found.slice(0, top);
  const last = found.length > top ? page.at(-1) : undefined;
  const next = new URLSearchParams({
    ...(state && { state }),
    ...(approver && { approver }),
    top: String(top),
    ...(last && { continuation: last.id }),
  });
  return {
    jsonBody: { value: page.map(view), ...(last && { nextLink: `/api/approvals?${next.toString()}` }) },
  };
};

/** `POST /api/approvals/{id}/decision` */
export const decideApproval: Handler = async (request, client, context) => {
  const id = idOf(request);
  const { by: named, ...rest } = check(decisionRequest, await readJson(request));
  const by = callerOf(request, { field: 'by', name: named });

  const { approval, changed } =
    (await changeApproval(id, (current) => decide(current, { ...rest, by }, moment.utc()))) ??
    unknown(request);
  const waiting = waitsFor(approval);
  if (!changed && waiting !== undefined) {
    throw problemOf(refuse('forbidden', 'That is for somebody else', `The approval waits for ${waiting}.`));
  }
  // The decision stands, whether the workflow hears of it now, by the next request or when time is up.
  await wake(client, approval).catch((error: unknown) => {
    context.warn('The workflow of %s was not woken', id, error);
  });
  if (!changed) {
    throw problemOf(
      refuse(
        'over',
        `The approval is ${approval.state} already`,
        `Get /api/approvals/${id} for what happened.`,
      ),
    );
  }
  return { jsonBody: view(approval) };
};

/** Starts the workflow of a record that has none, and wakes one that may not know of the decision. */
async function wake(client: DurableClient, approval: Approval): Promise<void> {
  const { id } = approval;
  const known = awaitsReport(approval)
    ? await raise(client, id, decided, null)
    : !awaitsStart(approval) || (await find(client, id)) !== undefined;
  if (!known) {
    await start(client, approvalOrchestrator, { instanceId: id, input: { id } });
  }
}

/** The approval as people see it. */
function view(approval: Approval): object {
  const {
    id,
    subject,
    details,
    requestedBy,
    approver,
    escalateTo,
    state,
    respondBy,
    expiresAt,
    decidedBy,
    comment,
    history,
  } = approval;
  return {
    id,
    subject,
    details,
    requestedBy,
    approver,
    escalateTo,
    state,
    waitsFor: waitsFor(approval),
    respondBy,
    expiresAt,
    decidedBy,
    comment,
    history,
  };
}

function idOf(request: HttpRequest): string {
  const id = request.params['id'] ?? '';
  return idPattern.test(id) ? id : unknown(request);
}

function unknown(request: HttpRequest): never {
  throw notFound(`There is no approval ${request.params['id'] ?? ''}.`);
}

df.app.client.http('RequestApproval', {
  route: 'api/approvals',
  methods: ['POST'],
  authLevel: 'function',
  handler: withProblems(requestApproval),
});
df.app.client.http('ListApprovals', {
  route: 'api/approvals',
  methods: ['GET'],
  authLevel: 'function',
  handler: withProblems(listTheApprovals),
});
df.app.client.http('GetApproval', {
  route: 'api/approvals/{id}',
  methods: ['GET'],
  authLevel: 'function',
  handler: withProblems(getApproval),
});
df.app.client.http('DecideApproval', {
  route: 'api/approvals/{id}/decision',
  methods: ['POST'],
  authLevel: 'function',
  handler: withProblems(decideApproval),
});
