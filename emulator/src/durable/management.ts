import type { HttpRequestLike, HttpResponseLike } from '../http-message.js';
import { carriesKey } from '../triggers/keys.js';
import { managementUrls, WEBHOOK_PATH } from './client-binding.js';
import type { DurableClient, Outcome } from './client.js';
import { InstanceExistsError, InvalidStateError } from './client.js';
import type { RuntimeStatus } from './history.js';
import { isFinished } from './history.js';
import { decoded, statusBody } from './management-status.js';
import type { InstanceRecord } from './task-hub.js';

export interface ManagementOptions {
  client: DurableClient;
  hubName: string;
  /** Whether histories show the inputs of activities (`storeInputsInOrchestrationHistory`). */
  storeInputs: boolean;
  webhookKey: () => string;
  enforceKeys: boolean;
}

/** Where the SDK's client finds the API, on the same port. */
const RPC_PATH = '/durabletask';

const STATUSES: readonly RuntimeStatus[] = ['Pending', 'Running', 'Completed', 'Failed', 'Terminated', 'Suspended', 'ContinuedAsNew', 'Canceled'];
/** The extension's own page size for lists without `top`. */
const PAGE = 1000;

/** The HTTP API of the Durable extension, for people (with keys) and for the SDK's client (without). */
export class ManagementApi {
  readonly #options: ManagementOptions;

  constructor(options: ManagementOptions) {
    this.#options = options;
  }

  /** @returns undefined when the path is not one of ours. */
  async handle(request: HttpRequestLike): Promise<HttpResponseLike | undefined> {
    const url = new URL(request.url);
    const mount = [WEBHOOK_PATH, RPC_PATH].find((path) => url.pathname.toLowerCase().startsWith(`${path}/`));
    if (mount === undefined) return undefined;
    if (mount === WEBHOOK_PATH && this.#options.enforceKeys && !carriesKey(request, [this.#options.webhookKey()])) {
      return { status: 401, headers: [['WWW-Authenticate', 'Bearer']], body: new Uint8Array() };
    }
    const hub = parameter(url, 'taskHub');
    if (hub !== null && hub.toLowerCase() !== this.#options.hubName.toLowerCase()) return answer(404);
    const segments = url.pathname.slice(mount.length + 1).split('/').filter((segment) => segment !== '').map(decode);
    try {
      return await this.#route(request, url, segments);
    } catch (error) {
      if (error instanceof BadRequest) return error.response;
      if (error instanceof InstanceExistsError) return answer(409, { Message: error.message });
      if (error instanceof InvalidStateError) {
        return answer(500, {
          Message: 'Something went wrong while processing your request', ExceptionMessage: error.message, ExceptionType: 'System.InvalidOperationException', StackTrace: '',
        });
      }
      throw error;
    }
  }

  async #route(request: HttpRequestLike, url: URL, segments: readonly string[]): Promise<HttpResponseLike> {
    const [area, id, operation, name] = segments;
    const { method } = request;
    switch (area?.toLowerCase()) {
      case 'orchestrators':
        if (method === 'POST' && id !== undefined && segments.length <= 3) return this.#start(request, url, id, operation);
        break;
      case 'instances':
        if (segments.length === 1) {
          if (method === 'GET') return this.#list(request, url);
          if (method === 'DELETE') return this.#purgeMany(url);
        } else if (segments.length === 2) {
          if (method === 'GET') return this.#status(request, url, id!);
          if (method === 'DELETE') return this.#purge(id!);
        } else if (method === 'POST') {
          return this.#operate(request, url, id!, operation!.toLowerCase(), name);
        }
        break;
      case 'entities': return answer(501, { Message: 'This version of the emulator has no durable entities.' });
    }
    return answer(404);
  }

  async #start(request: HttpRequestLike, url: URL, name: string, instanceId: string | undefined): Promise<HttpResponseLike> {
    const { client } = this.#options;
    const version = parameter(url, 'version');
    const id = await client.startInstance({
      name, input: json(request), ...(instanceId !== undefined && { instanceId }), ...(version !== null && { version }),
    });
    const timeout = Number(parameter(url, 'timeout') ?? 0);
    if (timeout > 0) {
      const done = await this.#wait(id, timeout * 1000, Number(parameter(url, 'pollingInterval') ?? 1) * 1000);
      if (done?.runtimeStatus === 'Completed') return answer(200, decoded(done.output));
      if (done !== undefined) return answer(done.runtimeStatus === 'Failed' ? 500 : 200, statusBody(done, { showInput: true }));
    }
    const urls = managementUrls(url.origin, this.#options.hubName, id, this.#options.webhookKey(), false);
    return answer(202, { id, ...urls }, [['Location', urls['statusQueryGetUri']!], ['Retry-After', '10']]);
  }

  async #wait(id: string, timeout: number, interval: number): Promise<InstanceRecord | undefined> {
    const until = performance.now() + timeout;
    for (;;) {
      const record = await this.#options.client.getRecord(id);
      if (record !== undefined && isFinished(record.runtimeStatus)) return record;
      const left = until - performance.now();
      if (left <= 0) return undefined;
      await new Promise<void>((resolve) => { setTimeout(resolve, Math.min(left, Math.max(interval, 50))); });
    }
  }

  async #status(request: HttpRequestLike, url: URL, id: string): Promise<HttpResponseLike> {
    const { client, storeInputs } = this.#options;
    const record = await client.getRecord(id);
    if (record === undefined) return answer(404);
    const events = flag(url, 'showHistory') ? await client.getHistory(id) ?? [] : undefined;
    const body = statusBody(record, {
      showInput: flag(url, 'showInput', true),
      ...(events !== undefined && { history: { events, showOutput: flag(url, 'showHistoryOutput'), showInputs: storeInputs } }),
    });
    if (!isFinished(record.runtimeStatus)) return answer(202, body, [['Location', request.url], ['Retry-After', '5']]);
    return answer(record.runtimeStatus === 'Failed' && flag(url, 'returnInternalServerErrorOnFailure') ? 500 : 200, body);
  }

  async #list(request: HttpRequestLike, url: URL): Promise<HttpResponseLike> {
    const from = time(parameter(url, 'createdTimeFrom'));
    const to = time(parameter(url, 'createdTimeTo'));
    const prefix = parameter(url, 'instanceIdPrefix');
    const top = Number.parseInt(parameter(url, 'top') ?? '', 10);
    const token = request.headers['x-ms-continuation-token'] ?? '';
    const page = await this.#options.client.query({
      top: top > 0 ? top : PAGE, runtimeStatus: statuses(url),
      ...(from !== undefined && { createdTimeFrom: from }), ...(to !== undefined && { createdTimeTo: to }),
      ...(prefix !== null && { instanceIdPrefix: prefix }), ...(token.trim() !== '' && { from: Buffer.from(token.trim(), 'base64').toString() }),
    });
    const rpc = url.pathname.toLowerCase().startsWith(RPC_PATH);
    // The space at the end is the real host's; at the end of a list only the RPC address sends the header, empty.
    const next: [string, string][] = page.next !== undefined ? [['x-ms-continuation-token', `${Buffer.from(page.next).toString('base64')} `]]
      : rpc ? [['x-ms-continuation-token', '']] : [];
    return answer(200, page.records.map((record) => statusBody(record, { showInput: flag(url, 'showInput', true) })), next);
  }

  async #purge(id: string): Promise<HttpResponseLike> {
    switch (await this.#options.client.purge(id)) {
      case 'purged': return answer(200, { instancesDeleted: 1 });
      case 'notFound': return answer(404);
      case 'live': return answer(412, `The instance '${id}' has not finished: only finished instances can be purged.`);
    }
  }

  async #purgeMany(url: URL): Promise<HttpResponseLike> {
    const from = time(parameter(url, 'createdTimeFrom'));
    if (from === undefined) return answer(400, "Please provide value for 'createdTimeFrom' parameter.");
    const to = time(parameter(url, 'createdTimeTo'));
    const purged = await this.#options.client.purgeBy({ createdTimeFrom: from, runtimeStatus: statuses(url), ...(to !== undefined && { createdTimeTo: to }) });
    return purged === 0 ? answer(404) : answer(200, { instancesDeleted: purged });
  }

  async #operate(request: HttpRequestLike, url: URL, id: string, operation: string, eventName: string | undefined): Promise<HttpResponseLike> {
    const { client } = this.#options;
    const reason = parameter(url, 'reason') ?? '';
    switch (operation) {
      case 'raiseevent': {
        if (eventName === undefined) return answer(404);
        // Who has finished is told so whatever the body is.
        const record = await client.getRecord(id);
        if (record === undefined) return answer(404);
        if (isFinished(record.runtimeStatus)) return answer(410);
        if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) throw new BadRequest({ Message: 'Only application/json request content is supported' });
        return outcome(await client.raiseEvent(id, eventName, json(request)));
      }
      case 'terminate': return outcome(await client.terminate(id, reason));
      case 'suspend': return outcome(await client.suspend(id, reason));
      case 'resume': return outcome(await client.resume(id, reason));
      case 'rewind': case 'restart': return answer(501, { Message: `This version of the emulator does not ${operation} instances.` });
      default: return answer(404);
    }
  }
}

class BadRequest extends Error {
  readonly response: HttpResponseLike;
  constructor(body: unknown) {
    super('Bad request');
    this.response = answer(400, body);
  }
}

/** The body as compact JSON text; null when there is none. @throws BadRequest */
function json({ body }: HttpRequestLike): string | null {
  if (body === undefined || body.length === 0) return null;
  const text = new TextDecoder().decode(body);
  if (text.trim() === '') return null;
  try {
    return JSON.stringify(JSON.parse(text));
  } catch (error) {
    throw new BadRequest({
      Message: 'Invalid JSON content', ExceptionMessage: error instanceof Error ? error.message : String(error), ExceptionType: 'Newtonsoft.Json.JsonReaderException', StackTrace: '',
    });
  }
}

function outcome(of: Outcome): HttpResponseLike {
  return answer({ accepted: 202, notFound: 404, gone: 410 }[of]);
}

function answer(status: number, body?: unknown, headers: [string, string][] = []): HttpResponseLike {
  if (body === undefined) return { status, headers, body: new Uint8Array() };
  return { status, headers: [['Content-Type', 'application/json; charset=utf-8'], ...headers], body: Buffer.from(JSON.stringify(body)) };
}

/** Query parameters are found whatever their case, as in .NET. */
function parameter(url: URL, name: string): string | null {
  for (const [key, value] of url.searchParams) if (key.toLowerCase() === name.toLowerCase()) return value;
  return null;
}

function flag(url: URL, name: string, otherwise = false): boolean {
  const value = parameter(url, name)?.toLowerCase();
  return value === 'true' ? true : value === 'false' ? false : otherwise;
}

function time(text: string | null): number | undefined {
  const value = text === null ? Number.NaN : Date.parse(text);
  return Number.isNaN(value) ? undefined : value;
}

/** Names that are not known are ignored, as in production; so a filter of only such names is none. */
function statuses(url: URL): RuntimeStatus[] {
  const names = (parameter(url, 'runtimeStatus') ?? '').split(',').map((name) => name.trim().toLowerCase());
  return STATUSES.filter((status) => names.includes(status.toLowerCase()));
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
