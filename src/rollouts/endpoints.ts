import { createHash, randomUUID } from 'node:crypto';
import type { HttpRequest } from '@azure/functions';
import * as df from 'durable-functions';
import moment, { type Moment } from 'moment';
import { z } from 'zod';
import {
  accepted,
  callerOf,
  check,
  fingerprint,
  idempotencyKey,
  invalid,
  keyReused,
  queryOf,
  readJson,
  requireInvolved,
  resourceRoute,
  signedIn,
  unlessRefused,
  withProblems,
  type Handler,
} from '../http/index.js';
import { operator } from '../notifications/index.js';
import type { Refusal } from '../refusals/index.js';
import { abortRequest, rolloutRequest, steerRequest, updateState, type Rollout } from './model.js';
import { steered } from './orchestrators.js';
import { begin, wavesIn } from './rules.js';
import { aborted, paused, resumed } from './steer-rules.js';
import { ALL, listOf, listUpdates, pageOfUpdates, rollouts, rowsOf } from './store.js';
import { details, shownUpdate, summary } from './view.js';
import { goOn } from './workflows.js';

const { idOf, unknown } = resourceRoute({
  missing: 'There is no rollout',
  pattern: /^rollout-[0-9a-f]{32}$/,
});

const page = z.object({
  top: z.coerce.number().int().min(1).max(1000).default(100),
  continuation: z
    .string()
    .regex(/^[\w!-]{1,200}$/, 'Take it from a nextLink as it is')
    .optional(),
});
const deviceQuery = page.extend({
  wave: z.coerce.number().int().min(1).max(20).optional(),
  state: updateState.optional(),
});

/** `POST /api/rollouts` */
export const createRollout: Handler = async (request, client) => {
  const { requestedBy, ...rest } = check(rolloutRequest, await readJson(request));
  const { approveBetweenWaves: approval } = rest;
  const approver = approval === true ? operator() : approval && (approval.approver ?? operator());
  const people = approver === false ? [] : [approver];
  const wanted = { ...rest, requestedBy: actor(request, 'requestedBy', requestedBy, people) };
  const isNamed = requestedBy !== undefined || signedIn(request) !== undefined;
  if (isNamed && wanted.requestedBy === approver) {
    const message = 'Nobody approves a request of their own';
    throw invalid([{ field: 'approveBetweenWaves.approver', message }]);
  }
  const hash = fingerprint(wanted);
  const key = idempotencyKey(request) ?? randomUUID();
  const id = `rollout-${createHash('sha256').update(key).digest('hex').slice(0, 32)}`;
  const { record } = await rollouts.insert(begin(id, wanted, hash, moment.utc()));
  if (record.requestHash !== hash) throw keyReused();
  await goOn(client, record);
  return accepted(pathOf(record), await view(record));
};

/**
 * `GET /api/rollouts?top=&continuation=`: a page, newest first. A person whom the platform has signed in, and who is no
 * operator, gets those that they have asked for.
 */
export const listRollouts: Handler = async (request) => {
  const { top, continuation: after } = check(page, queryOf(request), 'query');
  const person = signedIn(request);
  const list = person === undefined || person.isOperator ? ALL : listOf(person.name);
  const { records, continuation } = await rollouts.list(list, { top: Math.min(top, 100), after });
  return {
    jsonBody: {
      value: records.map((record) => summary(record)),
      ...nextLink('/api/rollouts', { top }, continuation),
    },
  };
};

/** `GET /api/rollouts/{id}`: its waves, and the first hundred devices. */
export const getRollout: Handler = async (request) => ({
  jsonBody: await view(await shownRollout(request)),
});

/** `GET /api/rollouts/{id}/devices?wave=&state=&top=&continuation=`: a page of its devices. */
export const listRolloutDevices: Handler = async (request) => {
  const rollout = await shownRollout(request);
  return { jsonBody: await devicesOf(rollout, check(deviceQuery, queryOf(request), 'query')) };
};

/** `POST /api/rollouts/{id}/pause` `{ by?, reason? }`: no more commands, until it is resumed. */
export const pauseRollout: Handler = steering(async (request) => {
  const { by, reason } = check(steerRequest, (await readJson(request)) ?? {});
  const who = actor(request, 'by', by);
  return (rollout, at) => paused(rollout, who, reason, at);
});

/** `POST /api/rollouts/{id}/resume` `{ by?, reason? }` */
export const resumeRollout: Handler = steering(async (request) => {
  const { by, reason } = check(steerRequest, (await readJson(request)) ?? {});
  const who = actor(request, 'by', by);
  return (rollout, at) => resumed(rollout, who, reason, at);
});

/** `POST /api/rollouts/{id}/abort` `{ by?, reason?, rollBack? }` */
export const abortRollout: Handler = steering(async (request) => {
  const { by, reason, rollBack } = check(abortRequest, (await readJson(request)) ?? {});
  const who = actor(request, 'by', by);
  return (rollout, at) => aborted(rollout, { by: who, reason, rollBack }, at);
});

/** The rollout of a request, for its requester and for those who approve its waves. */
async function shownRollout(request: HttpRequest): Promise<Rollout> {
  const rollout = (await rollouts.read(idOf(request))) ?? unknown(request);
  const { requestedBy, approval } = rollout;
  const approvers = approval && [approval.approver ?? operator(), approval.escalateTo ?? operator()];
  requireInvolved(request, [requestedBy, ...(approvers ?? [])]);
  return rollout;
}

type SteerRule = (rollout: Rollout, at: Moment) => Rollout | Refusal;

/** Changes a rollout by the rule that its requester asks for, and wakes its workflow. */
function steering(ruleOf: (request: HttpRequest) => Promise<SteerRule>): Handler {
  return async (request, client, context) => {
    const id = idOf(request);
    const rule = await ruleOf(request);
    const result = await rollouts.change(id, (rollout) => {
      requireInvolved(request, [rollout.requestedBy]);
      return rule(rollout, moment.utc());
    });
    const { record } = unlessRefused(result) ?? unknown(request);
    // The change is recorded, so the request has succeeded. If this fails, the sweep wakes the workflow.
    // One that is paused reads that when it would send the next command.
    await goOn(client, record, record.paused ? undefined : steered).catch((error: unknown) => {
      context.warn('The workflow of %s was not woken', id, error);
    });
    return accepted(pathOf(record), await view(record));
  };
}

/** The person who acts; the operator, if neither the platform nor the request names one. */
function actor(
  request: HttpRequest,
  field: string,
  name: string | undefined,
  people: readonly string[] = [],
): string {
  return callerOf(request, { field, name: name ?? operator() }, people);
}

async function view(rollout: Rollout): Promise<object> {
  const { id } = rollout;
  const last = wavesIn(rollout).at(-1)?.to ?? 0;
  const [updates, devices] = await Promise.all([
    listUpdates(id, { from: 0, to: last }),
    devicesOf(rollout, deviceQuery.parse({})),
  ]);
  return { ...details(rollout, updates), devices };
}

async function devicesOf(
  rollout: Rollout,
  { top, continuation: after, wave, state }: z.output<typeof deviceQuery>,
): Promise<object> {
  const span = wave === undefined ? undefined : (wavesIn(rollout)[wave - 1] ?? { from: 0, to: 0 });
  const { updates, continuation } = await pageOfUpdates(
    rollout.id,
    { ...rowsOf(span), after },
    { top, state },
  );
  return {
    value: updates.map((update) => shownUpdate(rollout, update)),
    ...nextLink(`${pathOf(rollout)}/devices`, { top, wave, state }, continuation),
  };
}

function nextLink(
  path: string,
  query: Record<string, string | number | undefined>,
  continuation: string | undefined,
): { nextLink?: string } {
  if (continuation === undefined) return {};
  const parameters = new URLSearchParams({ continuation });
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  return { nextLink: `${path}?${parameters.toString()}` };
}

function pathOf({ id }: Rollout): string {
  return `/api/rollouts/${id}`;
}

df.app.client.http('CreateRollout', {
  route: 'api/rollouts',
  methods: ['POST'],
  authLevel: 'function',
  handler: withProblems(createRollout),
});
df.app.client.http('ListRollouts', {
  route: 'api/rollouts',
  methods: ['GET'],
  authLevel: 'function',
  handler: withProblems(listRollouts),
});
df.app.client.http('GetRollout', {
  route: 'api/rollouts/{id}',
  methods: ['GET'],
  authLevel: 'function',
  handler: withProblems(getRollout),
});
df.app.client.http('ListRolloutDevices', {
  route: 'api/rollouts/{id}/devices',
  methods: ['GET'],
  authLevel: 'function',
  handler: withProblems(listRolloutDevices),
});
df.app.client.http('PauseRollout', {
  route: 'api/rollouts/{id}/pause',
  methods: ['POST'],
  authLevel: 'function',
  handler: withProblems(pauseRollout),
});
df.app.client.http('ResumeRollout', {
  route: 'api/rollouts/{id}/resume',
  methods: ['POST'],
  authLevel: 'function',
  handler: withProblems(resumeRollout),
});
df.app.client.http('AbortRollout', {
  route: 'api/rollouts/{id}/abort',
  methods: ['POST'],
  authLevel: 'function',
  handler: withProblems(abortRollout),
});
