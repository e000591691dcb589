import { randomUUID } from 'node:crypto';
import type { HttpRequest } from '@azure/functions';
import * as df from 'durable-functions';
import type { DurableClient } from 'durable-functions';
import moment from 'moment';
import { z } from 'zod';
import { ensureRunning, find, raise } from '../durable/index.js';
import {
  accepted,
  callerOf,
  check,
  fingerprint,
  idempotencyKey,
  keyReused,
  personName,
  queryOf,
  readJson,
  requireInvolved,
  resourceRoute,
  unlessRefused,
  withProblems,
  type Handler,
} from '../http/index.js';
import { keyFor } from '../storage/index.js';
import { approvalRequest, approvalState, decisionRequest, type Approval } from './model.js';
import { approvalOrchestrator, approvalSimulation, decided } from './orchestrators.js';
import { spelledOnce } from './people.js';
import { decide, dueAt, isDecided, request as requested, verdictOf, waitsFor } from './rules.js';
import { approvals, partitionOf } from './store.js';

/** The ids that {@link startApproval} makes, from keys of at most 64 characters. */
const idPattern = /^approval-[\w-]{1,192}$/;
const { idOf, unknown } = resourceRoute({ missing: 'There is no approval', pattern: idPattern });

/** An entry of an index: the id, behind what orders the entries, if that is not the id. */
const entryPattern = /^(?:[\w.:-]{1,40}!)?approval-[\w-]{1,192}$/;

const listQuery = z
  .object({
    state: approvalState.optional(),
    approver: personName.optional(),
    waitsFor: personName.optional(),
    requestedBy: personName.optional(),
    top: z.coerce.number().int().min(1).max(100).default(50),
    continuation: z.string().regex(entryPattern, 'Take it from a nextLink as it is').optional(),
  })
  .refine(({ state, approver, waitsFor: waiting, requestedBy }) => {
    const alone = [waiting, requestedBy].filter((name) => name !== undefined).length;
    return alone === 0 || (alone === 1 && state === undefined && approver === undefined);
  }, 'waitsFor and requestedBy go with no other filter');

/**
 * Records a new approval and starts its workflow. A request that repeats an idempotency key gets the same
 * approval.
 *
 * @throws {Problem} 400, or 422 when another request has used the key
 */
export async function startApproval(
  client: DurableClient,
  request: HttpRequest,
  body: unknown,
): Promise<Approval> {
  const { requestedBy, ...wanted } = check(approvalRequest, body);
  const complete = {
    ...wanted,
    requestedBy: callerOf(request, { field: 'requestedBy', name: requestedBy }, [
      wanted.approver,
      wanted.escalateTo,
    ]),
  };
  const key = idempotencyKey(request);
  const id = `approval-${keyFor(key ?? randomUUID())}`;
  const hash = fingerprint(complete);

  const { record, inserted: isNew } = await approvals.insert(
    requested(id, spelledOnce(complete), hash, moment.utc()),
    {
      isNew: key === undefined,
    },
  );
  if (record.requestHash !== hash) {
    throw keyReused();
  }
  await goOn(client, record, { isNew });
  return record;
}

/**
 * Starts the simulation, which needs no record. A repeated idempotency key finds the simulation that it
 * started.
 */
export async function startSimulation(client: DurableClient, request: HttpRequest): Promise<{ id: string }> {
  const key = idempotencyKey(request);
  const id = `simulation-${keyFor(key ?? randomUUID())}`;
  if (key === undefined || (await find(client, id)) === undefined) {
    await ensureRunning(client, approvalSimulation, { instanceId: id, input: null });
  }
  return { id };
}

/**
 * Makes sure that the workflow of an approval runs, unless the approval is final. `wake` makes it read the
 * record, and also the workflow that has opened the approval, once it is decided. `isNew` starts it without a look,
 * because the record was inserted just now.
 */
export async function goOn(
  client: DurableClient,
  approval: Approval,
  how: { wake?: typeof decided; isNew?: boolean } = {},
): Promise<void> {
  const { id, wakes } = approval;
  if (dueAt(approval) !== undefined) {
    const hint = verdictOf(approval);
    await ensureRunning(client, approvalOrchestrator, { instanceId: id, input: { id }, hint, ...how });
  }
  if (how.wake && wakes && isDecided(approval)) {
    await raise(client, wakes.instanceId, { eventName: wakes.eventName }, null);
  }
}

/** `POST /api/approvals` */
export const requestApproval: Handler = async (request, client) => {
  const approval = await startApproval(client, request, await readJson(request));
  return accepted(`/api/approvals/${approval.id}`, view(approval));
};

/** `GET /api/approvals/{id}` */
export const getApproval: Handler = async (request) => {
  const approval = (await approvals.read(idOf(request))) ?? unknown(request);
  requireInvolved(request, [approval.requestedBy, approval.approver, approval.escalateTo]);
  return { jsonBody: view(approval) };
};

/**
 * `GET /api/approvals?state=&approver=&waitsFor=&requestedBy=&top=&continuation=`: a page, and the path of the
 * next if there is one. A person whom the platform has signed in lists approvals of their own.
 */
export const listApprovals: Handler = async (request) => {
  const { top, continuation: after, ...filter } = check(listQuery, queryOf(request), 'query');
  requireInvolved(request, [filter.approver, filter.waitsFor, filter.requestedBy]);
  const { records, continuation } = await approvals.list(partitionOf(filter), { top, after });
  const next = new URLSearchParams({
    ...filter,
    top: String(top),
    ...(continuation && { continuation }),
  });
  return {
    jsonBody: {
      value: records.map(view),
      ...(continuation && { nextLink: `/api/approvals?${next.toString()}` }),
    },
  };
};

/** `POST /api/approvals/{id}/decision` */
export const decideApproval: Handler = async (request, client, context) => {
  const id = idOf(request);
  const { by: named, ...rest } = check(decisionRequest, await readJson(request));
  const by = (people: readonly string[] = []): string =>
    callerOf(request, { field: 'by', name: named }, people);
  by(); // A request that names nobody is not valid, whatever the approval.

  const result = await approvals.change(id, (approval) => {
    const { requestedBy, approver, escalateTo } = approval;
    return decide(approval, { ...rest, by: by([requestedBy, approver, escalateTo]) }, moment.utc());
  });
  const { record } = unlessRefused(result ?? unknown(request));
  // The decision is recorded, so the answer is 200. If this fails, the sweep wakes the workflow.
  await goOn(client, record, { wake: decided }).catch((error: unknown) => {
    context.warn('The workflow of %s was not woken', id, error);
  });
  return { jsonBody: view(record) };
};

/** The approval as callers get it. */
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
  handler: withProblems(listApprovals),
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
