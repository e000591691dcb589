import type { HttpRequest, InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import type { DurableClient } from 'durable-functions';
import {
  accepted,
  callerOf,
  check,
  invalid,
  notFound,
  Problem,
  queryOf,
  readJson,
  requireOperator,
  withProblems,
  type Handler,
} from '../../http/index.js';
import { hubOf, type Hub, type ListedInstance, type ShownInstance } from '../hub.js';
import { actionRequest, actions, instanceQuery, instancesQuery, type Action } from '../model.js';
import { forOperators } from './for-operators.js';

/** How many pages of the hub one request reads to find an instance of a workflow. */
const ROUNDS = 10;

/**
 * `GET /api/operations/instances`: a page of the instances that match, ordered by id. The hub cannot filter by the
 * name of a workflow, so a page may have fewer instances than `top`, also none, and still a continuation.
 */
export const listInstances: Handler = async (request, _client, context) => {
  requireOperator(request);
  const query = check(instancesQuery, queryOf(request), 'query');
  const { workflow, status, createdFrom, createdTo, idPrefix, top } = query;
  const hub = hubOf(context);
  const filter = {
    runtimeStatus: status,
    createdTimeFrom: createdFrom,
    createdTimeTo: createdTo,
    instanceIdPrefix: idPrefix,
  };
  const found: ListedInstance[] = [];
  let continuation = query.continuation === undefined ? undefined : decoded(query.continuation);
  for (let round = 0; round < ROUNDS; round += 1) {
    const page = await hub.list(filter, { top: top - found.length, continuation }).catch((error: unknown) => {
      // The hub has no code for a continuation that it cannot read.
      throw query.continuation !== undefined && round === 0 ? unreadable() : error;
    });
    found.push(...page.instances.filter((instance) => isOf(instance, workflow)));
    ({ continuation } = page);
    if (continuation === undefined || found.length > 0) break;
  }
  return {
    jsonBody: {
      value: found.map(view),
      ...(continuation !== undefined && { continuation: encoded(continuation) }),
    },
  };
};

/** `GET /api/operations/instances/{id}` */
export const getInstance: Handler = async (request, _client, context) => {
  const { payloads } = check(instanceQuery, queryOf(request), 'query');
  return { jsonBody: whole(await read(request, context, { history: false, payloads }), payloads) };
};

/** `GET /api/operations/instances/{id}/history`: the instance with the events of its timeline, the oldest first. */
export const getHistory: Handler = async (request, _client, context) => {
  const { payloads } = check(instanceQuery, queryOf(request), 'query');
  const instance = await read(request, context, { history: true, payloads });
  return { jsonBody: { ...whole(instance, payloads), history: instance.historyEvents ?? [] } };
};

/** `POST /api/operations/instances/{id}/{action}` */
export const actOnInstance: Handler = async (request, client, context) => {
  const action = request.params['action'] ?? '';
  if (!isAction(action)) {
    throw notFound(`There is no action ${action}. There are: ${Object.keys(actions).join(', ')}.`);
  }
  const { reason, by } = check(actionRequest, (await readJson(request)) ?? {});
  const caller = callerOf(request, { field: 'by', name: by ?? 'a holder of a function key' });
  const why = reason ?? `By ${caller}`;
  const instance = await read(request, context, { history: false, payloads: false });
  allow(action, instance);
  try {
    await act(action, instance.instanceId, why, client, hubOf(context));
  } catch (error) {
    // Another request may have changed the state meanwhile; the hub answers such an action with an error.
    allow(action, await read(request, context, { history: false, payloads: false }));
    throw error;
  }
  context.log('%s: %s of %s (%s). %s', caller, action, instance.instanceId, instance.name, why);
  return action === 'purge'
    ? { jsonBody: { id: instance.instanceId, purged: true } }
    : accepted(pathOf(instance), view(instance));
};

async function act(
  action: Action,
  id: string,
  why: string,
  client: DurableClient,
  hub: Hub,
): Promise<unknown> {
  // The SDK encodes neither the id nor the reason.
  const [instance, reason] = [encodeURIComponent(id), encodeURIComponent(why)];
  switch (action) {
    case 'terminate':
      return client.terminate(instance, reason);
    case 'suspend':
      return client.suspend(instance, reason);
    case 'resume':
      return client.resume(instance, reason);
    case 'restart':
      return hub.restart(id);
    case 'purge':
      return client.purgeInstanceHistory(instance);
  }
}

async function read(
  request: HttpRequest,
  context: InvocationContext,
  options: { history: boolean; payloads: boolean },
): Promise<ShownInstance> {
  requireOperator(request);
  const id = request.params['id'] ?? '';
  // An id with these characters cannot be in a path, and one that begins with @ is an entity's.
  const possible =
    /^[^@/\\?#\p{Cc}][^/\\?#\p{Cc}]{0,255}$/u.test(id) && id.isWellFormed() && !/^\.+$/.test(id);
  const instance = possible ? await hubOf(context).read(id, options) : undefined;
  if (instance === undefined) throw notFound(`The hub has no instance ${id}.`);
  return instance;
}

function allow(action: Action, { instanceId, runtimeStatus }: ShownInstance): void {
  const states: readonly string[] = actions[action];
  if (states.includes(runtimeStatus)) return;
  throw new Problem(409, 'conflict', `The instance is ${runtimeStatus}`, {
    detail: `To ${action} ${instanceId}, it must be ${states.join(' or ')}.`,
  });
}

function isAction(name: string): name is Action {
  return Object.hasOwn(actions, name);
}

/** The hub lists entities among the instances. */
function isOf({ instanceId, name }: ListedInstance, workflow: string | undefined): boolean {
  return !instanceId.startsWith('@') && (workflow === undefined || name === workflow);
}

function view({ instanceId, name, runtimeStatus, createdTime, lastUpdatedTime }: ListedInstance): object {
  return {
    id: instanceId,
    workflow: name,
    status: runtimeStatus,
    createdAt: createdTime,
    updatedAt: lastUpdatedTime,
  };
}

function whole(instance: ShownInstance, payloads: boolean): object {
  const { customStatus, input, output } = instance;
  return { ...view(instance), customStatus, ...(payloads && { input, output }) };
}

function pathOf({ instanceId }: ListedInstance): string {
  return `/api/operations/instances/${encodeURIComponent(instanceId)}`;
}

/** The hub's continuation is opaque, and goes into a header as it is. */
const encoded = (continuation: string): string => Buffer.from(continuation).toString('base64url');

function decoded(continuation: string): string {
  const text = Buffer.from(continuation, 'base64url').toString();
  if (!/^[\x20-\x7E]+$/.test(text)) throw unreadable();
  return text;
}

function unreadable(): Problem {
  return invalid([{ field: 'continuation', message: 'It is not the continuation of a page of this list' }]);
}

df.app.client.http('ListInstances', {
  route: 'api/operations/instances',
  methods: ['GET'],
  authLevel: 'function',
  handler: withProblems(forOperators(listInstances)),
});
df.app.client.http('GetInstance', {
  route: 'api/operations/instances/{id}',
  methods: ['GET'],
  authLevel: 'function',
  handler: withProblems(forOperators(getInstance)),
});
df.app.client.http('GetInstanceHistory', {
  route: 'api/operations/instances/{id}/history',
  methods: ['GET'],
  authLevel: 'function',
  handler: withProblems(forOperators(getHistory)),
});
df.app.client.http('ActOnInstance', {
  route: 'api/operations/instances/{id}/{action}',
  methods: ['POST'],
  authLevel: 'function',
  handler: withProblems(forOperators(actOnInstance)),
});
