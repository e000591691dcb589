/** The HTTP interface of operations, as the page uses it. */
import { hasEnded, type HistoryEvent, type Instance } from '../../timeline';
import { json, send } from '../http';
import { keyHeader } from '../key';

/** An instance in the list. Times are ISO 8601, to the second. */
export interface Listed {
  id: string;
  workflow: string;
  status: string;
  createdAt: string;
  updatedAt: string;
}

/** What the list is filtered by; empty texts filter nothing. */
export interface Filter {
  workflow: string;
  status: string;
  /** As `datetime-local` has it, in the time zone of the browser. */
  createdFrom: string;
  createdTo: string;
  idPrefix: string;
}

/** An instance with its history, in the form of the timeline. */
export interface Shown extends Instance {
  customStatus: unknown;
  /** Whether the history has inputs and outputs. */
  payloads: boolean;
  input?: unknown;
  output?: unknown;
}

export type Action = 'terminate' | 'suspend' | 'resume' | 'restart' | 'purge';

/** What can be done with an instance in this state. */
export function actionsFor(status: string): Action[] {
  if (hasEnded(status)) return ['restart', 'purge'];
  return [status === 'Suspended' ? 'resume' : 'suspend', 'terminate'];
}

const INSTANCES = '/api/operations/instances';
const path = (id: string): string => `${INSTANCES}/${encodeURIComponent(id)}`;
const get = (url: string): Promise<Response> => send(url, { headers: keyHeader() });

/** A page of the list. @throws Refused, Unreachable */
export async function list(
  filter: Partial<Filter>,
  continuation: string | undefined,
): Promise<{ value: Listed[]; continuation?: string }> {
  const query = new URLSearchParams({ top: '1000', ...(continuation && { continuation }) });
  for (const [name, value] of Object.entries(filter)) {
    if (value) query.set(name, name.startsWith('created') ? new Date(value).toISOString() : value);
  }
  return json(await get(`${INSTANCES}?${query.toString()}`));
}

/** An instance with its history. @throws Refused, Unreachable */
export async function read(id: string, payloads: boolean): Promise<Shown> {
  const { history, ...instance } = await json<
    Listed & { customStatus: unknown; input?: unknown; output?: unknown; history: HistoryEvent[] }
  >(await get(`${path(id)}/history?payloads=${String(payloads)}`));
  return {
    instanceId: instance.id,
    name: instance.workflow,
    runtimeStatus: instance.status,
    createdTime: instance.createdAt,
    lastUpdatedTime: instance.updatedAt,
    customStatus: instance.customStatus,
    ...('input' in instance && { input: instance.input }),
    ...('output' in instance && { output: instance.output }),
    payloads,
    historyEvents: history,
  };
}

/** @throws Refused, Unreachable */
export async function act(id: string, action: Action, reason: string): Promise<void> {
  await send(`${path(id)}/${action}`, {
    method: 'POST',
    headers: { ...keyHeader(), 'content-type': 'application/json' },
    body: JSON.stringify(reason === '' ? {} : { reason }),
  });
}
