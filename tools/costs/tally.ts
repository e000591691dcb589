/** What requests to storage are, for the bill and for the model. */
import type { Service } from './connection.ts';

/** A request as the proxy has seen it. */
export interface Exchange {
  service: Service;
  method: string;
  /** Without the account that Azurite has in front. */
  path: string;
  query: URLSearchParams;
  status: number;
  requestBytes: number;
  responseBytes: number;
  /** Of the table service: what was sent. */
  body: string;
  /** Of reads of a queue: whether there was a message. */
  isEmpty: boolean;
}

/** The kinds of requests. Price lists and limits distinguish them. */
export type Kind = 'read' | 'query' | 'write' | 'delete' | 'batch';

/** Sums of requests. Bytes are those of bodies. */
export interface Tally {
  /** Requests to the app's own tables, queues and blobs, and to those of the task hub and the host. */
  app: Record<Service, Record<Kind, number>>;
  hub: Record<Service, Record<Kind, number>>;
  /** Requests that an app without work makes too: reads of empty queues, and leases. */
  idle: Record<Service, number>;
  /** Entities that were written to or deleted from tables; those of a batch each. */
  entities: number;
  bytesIn: number;
  bytesOut: number;
  /** Executions of functions, as far as storage shows them. */
  executions: { orchestrator: number; entity: number; activity: number; queue: number };
  /** How many orchestrations were started. */
  started: number;
  /** Writes by table and partition. A partition that all runs write to may become hot. */
  partitions: Map<string, number>;
  /** By service, kind and name of the table, queue or container: to find what is expensive. */
  by: Map<string, number>;
}

export function emptyTally(): Tally {
  const kinds = (): Record<Kind, number> => ({ read: 0, query: 0, write: 0, delete: 0, batch: 0 });
  const services = () => ({ blob: kinds(), queue: kinds(), table: kinds() });
  return {
    app: services(),
    hub: services(),
    idle: { blob: 0, queue: 0, table: 0 },
    entities: 0,
    bytesIn: 0,
    bytesOut: 0,
    executions: { orchestrator: 0, entity: 0, activity: 0, queue: 0 },
    started: 0,
    partitions: new Map(),
    by: new Map(),
  };
}

/**
 * Adds a request.
 *
 * @param hub the name of the task hub: its tables, queues and containers begin with it
 */
export function add(tally: Tally, exchange: Exchange, hub: string): void {
  const { service, requestBytes, responseBytes } = exchange;
  const name = nameOf(exchange);
  const isHub = name.toLowerCase().startsWith(hub.toLowerCase()) || name.startsWith('azure-webjobs-');
  const kind = kindOf(exchange);
  if (isIdle(exchange)) {
    tally.idle[service] += 1;
    return;
  }
  const key = `${isHub ? 'hub' : 'app'} ${service} ${kind} ${name}`;
  tally.by.set(key, (tally.by.get(key) ?? 0) + 1);
  tally[isHub ? 'hub' : 'app'][service][kind] += 1;
  tally.bytesIn += requestBytes;
  tally.bytesOut += responseBytes;
  if (exchange.status >= 400) return;
  if (service === 'table' && kind !== 'read' && kind !== 'query')
    countEntities(tally, exchange, isHub ? undefined : name);
  if (isHub && service === 'table' && /History$/i.test(name)) countHistory(tally, exchange);
  if (!isHub && service === 'queue' && kind === 'delete') tally.executions.queue += 1;
}

/**
 * Counts what a request writes to a table: the operations of a batch each.
 *
 * @param name the table, if its partitions are counted: those of the hub have an instance each
 */
function countEntities(tally: Tally, { path, body }: Exchange, name: string | undefined): void {
  const count = path.endsWith('/$batch') ? operationsOf(body).length : 1;
  tally.entities += count;
  const key = /PartitionKey='([^']*)'/.exec(path)?.[1] ?? /"PartitionKey":"([^"]*)"/.exec(body)?.[1];
  if (name === undefined || key === undefined) return;
  tally.partitions.set(`${name} ${key}`, (tally.partitions.get(`${name} ${key}`) ?? 0) + count);
}

/** The table, queue or container. */
function nameOf({ service, path, body }: Exchange): string {
  const [first = ''] = path.split('/').filter(Boolean);
  if (service !== 'table') return first;
  if (first !== '$batch') return first.replace(/\(.*$/, '');
  return operationsOf(body)[0]?.table ?? first;
}

function kindOf({ service, method, path, query }: Exchange): Kind {
  if (service === 'table' && path.endsWith('/$batch')) return 'batch';
  if (method === 'DELETE') return 'delete';
  if (method !== 'GET' && method !== 'HEAD') return 'write';
  const isPoint = service === 'table' ? /\(.+\)$/.test(path) : query.get('comp') !== 'list';
  return isPoint ? 'read' : 'query';
}

/** Leases of blobs, what else is in the containers of leases, and reads of a queue in which there is no message. */
function isIdle({ service, method, query, path, isEmpty }: Exchange): boolean {
  if (service === 'blob') return query.get('comp') === 'lease' || /^\/[^/]+-(app)?leases?\//.test(path);
  if (service !== 'queue') return false;
  return (method === 'GET' && path.endsWith('/messages') && isEmpty) || query.get('comp') === 'metadata';
}

interface Operation {
  method: string;
  table: string;
  text: string;
}

/** The operations of a batch. */
function operationsOf(body: string): Operation[] {
  return body
    .split(/\r?\n(?=(?:POST|PUT|PATCH|MERGE|DELETE|GET) http)/)
    .slice(1)
    .map((text) => {
      const [, method = '', address = ''] = /^(\w+) (\S+)/.exec(text) ?? [];
      const [last = ''] = new URL(address).pathname.split('/').filter(Boolean).slice(-1);
      return { method, table: last.replace(/\(.*$/, ''), text };
    });
}

/** Each run of an orchestrator or an entity, and each result of an activity, is a row of the history. */
function countHistory(tally: Tally, { body, path }: Exchange): void {
  const rows = path.endsWith('/$batch') ? operationsOf(body).map(({ text }) => text) : [body];
  for (const text of rows) {
    const event = /"EventType":"(\w+)"/.exec(text)?.[1];
    // The key of an entity begins with @.
    const isEntity = /"PartitionKey":"@|PartitionKey='%40/.test(text);
    if (event === 'OrchestratorStarted') tally.executions[isEntity ? 'entity' : 'orchestrator'] += 1;
    if (event === 'ExecutionStarted' && !isEntity) tally.started += 1;
    if (event === 'TaskCompleted' || event === 'TaskFailed') tally.executions.activity += 1;
  }
}
