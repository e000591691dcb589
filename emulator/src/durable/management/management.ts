import type { HttpRequestLike, HttpResponseLike } from '../../http-message.js';
import { readTraceContext } from '../../tracing/trace-context.js';
import type { HostKeys } from '../../triggers/keys.js';
import { carriesKey } from '../../triggers/keys.js';
import { managementUrls, WEBHOOK_PATH } from './client-binding.js';
import type { DurableClient, RequestResult } from '../client.js';
import { InstanceExistsError, InvalidStateError, UnknownFunctionError } from '../client.js';
import type { EntityId } from '../entities/entity-messages.js';
import { entityInstanceId, isEntity, parseEntityId } from '../entities/entity-messages.js';
import { entityState } from '../entities/entity.js';
import type { JsonText } from '../history.js';
import { isFinished } from '../history.js';
import {
  answer,
  answerBadArgument,
  answerError,
  answerFailure,
  answerJson,
  answerString,
} from './answers.js';
import { DuplicateKeyError, historyJson } from './history.js';
import { JsonReaderError, jsonOrText, readJson, readJsonValue } from './json.js';
import { Query } from './query.js';
import { statusJson } from './status.js';
import type { InstanceRecord } from '../task-hub.js';

export interface ManagementOptions {
  client: DurableClient;
  hubName: string;
  /** The name of the hub's connection. */
  connection: string;
  /** Whether the app's settings contain a storage connection of that name. */
  hasConnection: (name: string) => boolean;
  /** Whether URLs contain the host that a proxy names (`useForwardedHost`). */
  forwardedHost?: boolean;
  /** Whether histories show the inputs of scheduled tasks (`storeInputsInOrchestrationHistory`). */
  storeInputs?: boolean;
  /**
   * The keys that open the webhook: the system key, which is part of the URLs for clients, and the master
   * key.
   */
  keys: () => Pick<HostKeys, 'durableTask' | 'master'>;
  /** Requires one of these keys, as in Azure. False: as under `func start`. */
  enforceKeys?: boolean;
  /**
   * The path of the API for the SDK's client, which sends no key: a random path where keys are required.
   * Default: `/durabletask`.
   */
  rpcPath?: string;
}

/** A parsed request. */
interface Call {
  request: HttpRequestLike;
  url: URL;
  query: Query;
  /** Whether it came to the path for the SDK's client. */
  rpc: boolean;
}

const CONTINUATION = 'x-ms-continuation-token';
const WEBHOOK_METHODS: ReadonlySet<string> = new Set(['GET', 'PUT', 'POST', 'DELETE', 'OPTIONS']);
/** The extension's default page size, and the largest page of Azure's tables. */
const PAGE = 100;
const LARGEST_PAGE = 1000;
const MAX_INSTANCE_ID = 256;
/** Stands for an empty entity key in a path. */
const EMPTY_KEY = '$';
/** The longest single wait in .NET, in milliseconds. Node's is half of it. */
const LONGEST_DELAY = 4_294_967_294;
const LONGEST_TIMEOUT = 2_147_483_647;

/** A request for which the .NET code throws an `ArgumentException`. */
class ArgumentError extends Error {
  override name = 'ArgumentError';
}

/** The HTTP API of the Durable extension, for people (with keys) and for the SDK's client (without). */
export class ManagementApi {
  readonly #options: ManagementOptions;

  constructor(options: ManagementOptions) {
    this.#options = options;
  }

  /** Answers a request; never rejects. @returns undefined when the path is not one of the management API */
  async handle(request: HttpRequestLike): Promise<HttpResponseLike | undefined> {
    const url = new URL(request.url);
    const { hubName, enforceKeys, keys, rpcPath = '/durabletask' } = this.#options;
    const mount = [WEBHOOK_PATH, rpcPath].find((path) =>
      `${url.pathname.toLowerCase()}/`.startsWith(`${path}/`),
    );
    if (mount === undefined) return undefined;
    const rpc = mount === rpcPath;
    // The host has no routes for other methods, whatever the key.
    if (!rpc && !WEBHOOK_METHODS.has(request.method)) return undefined;
    if (!rpc && enforceKeys === true && !carriesKey(request, [keys().durableTask, keys().master]))
      return answer(401, [['WWW-Authenticate', 'Bearer']]);
    const query = new Query(url.searchParams);
    try {
      const operation = this.#find({ request, url, query, rpc }, segments(url.pathname.slice(mount.length)));
      if (operation === undefined) return answer(404);
      this.#checkConnection(query.text('connection')?.trim() ?? '');
      const hub = query.text('taskHub')?.trim() ?? '';
      return hub !== '' && hub.toLowerCase() !== hubName.toLowerCase() ? answer(404) : await operation();
    } catch (error) {
      return failure(error);
    }
  }

  /** @returns undefined when there is no route for the path or its method */
  #find(call: Call, path: readonly string[]): (() => Promise<HttpResponseLike>) | undefined {
    const [area = '', id, operation, name] = path;
    const { method } = call.request;
    if (path.length > 4) return undefined;
    switch (area.toLowerCase()) {
      case 'orchestrators':
        return method === 'POST' && id !== undefined && name === undefined
          ? () => this.#start(call, id, operation)
          : undefined;
      case 'instances':
        if (id === undefined)
          return method === 'GET'
            ? () => this.#list(call)
            : method === 'DELETE'
              ? () => this.#purgeBy(call)
              : undefined;
        if (operation === undefined)
          return method === 'GET'
            ? () => this.#status(call, id)
            : method === 'DELETE'
              ? () => this.#purge(id)
              : undefined;
        if (method !== 'POST') return undefined;
        if (name === undefined) return this.#operation(call, id, operation.toLowerCase());
        return operation.toLowerCase() === 'raiseevent' ? () => this.#raiseEvent(call, id, name) : undefined;
      case 'entities':
        if (name !== undefined || !['GET', 'POST', 'DELETE'].includes(method)) return undefined;
        return method === 'GET' && operation === undefined
          ? () => this.#listEntities(call, id)
          : () => this.#ofEntity(call, id, operation);
      case 'makeprimary':
        // This host is the only one of its hub.
        return id === undefined ? async () => answer(200) : undefined;
      default:
        return undefined;
    }
  }

  #operation(call: Call, id: string, operation: string): (() => Promise<HttpResponseLike>) | undefined {
    const { client } = this.#options;
    const reason = call.query.text('reason') ?? null;
    switch (operation) {
      case 'terminate':
        return async () => requestAnswer(await client.terminate(id, reason));
      case 'suspend':
        return async () => requestAnswer(await client.suspend(id, reason));
      case 'resume':
        return () => this.#resume(id, reason);
      case 'rewind':
        return () => this.#rewind(id, reason);
      case 'restart':
        return () => this.#restart(call, id);
      default:
        return undefined;
    }
  }

  /** @throws InvalidStateError for a connection that the app does not have */
  #checkConnection(name: string): void {
    const { connection, hasConnection } = this.#options;
    if (name === '' || name.toLowerCase() === connection.toLowerCase() || hasConnection(name)) return;
    throw new InvalidStateError(`Unable to resolve the Azure Storage connection named '${name}'.`);
  }

  async #start(call: Call, name: string, instanceId: string | undefined): Promise<HttpResponseLike> {
    try {
      if (instanceId !== undefined) checkInstanceId(instanceId);
      const input = inputOf(bodyText(call.request));
      const version = call.query.text('version');
      const id = await this.#options.client.startInstance({
        name,
        input,
        trace: readTraceContext(call.request.headers),
        ...(instanceId !== undefined && { instanceId }),
        ...(version !== undefined && { version }),
      });
      return await this.#started(call, id);
    } catch (error) {
      // Unlike elsewhere, the extension's answer contains only the exception's message.
      if (error instanceof ArgumentError) return answerError(400, error.message);
      throw error;
    }
  }

  /**
   * Answers with the URLs of a started instance. If the query asks for it, first waits for the instance's
   * end.
   */
  async #started(call: Call, id: string): Promise<HttpResponseLike> {
    const timeout = call.query.number('timeout');
    const interval = call.query.number('pollingInterval');
    if (timeout !== undefined && interval !== undefined) {
      const record = await this.#wait(id, timeout, interval);
      if (record?.runtimeStatus === 'Completed') return answerJson(200, jsonOrText(record.output));
      if (record !== undefined) return this.#statusOf(call, record, false);
    }
    const { hubName, connection, keys } = this.#options;
    const urls = managementUrls(
      { origin: this.#origin(call), hubName, connection, key: keys().durableTask },
      id,
    );
    delete urls['rewindPostUri'];
    return answerJson(202, JSON.stringify({ id, ...urls }), [
      ['Location', urls['statusQueryGetUri']!],
      ['Retry-After', '10'],
    ]);
  }

  /** The address at which the caller reaches this host. */
  #origin({ request, url }: Call): string {
    const { 'x-forwarded-host': host, 'x-forwarded-proto': protocol } = request.headers;
    if (this.#options.forwardedHost !== true || host === undefined || protocol === undefined)
      return url.origin;
    return new URL(`${protocol}://${host}:${url.port}`).origin;
  }

  /**
   * Polls every `interval` seconds, for `timeout` seconds of real time.
   *
   * @returns undefined after the timeout
   */
  async #wait(id: string, timeout: number, interval: number): Promise<InstanceRecord | undefined> {
    if (!(interval <= timeout))
      throw new ArgumentError(`Total timeout ${timeout} should be bigger than retry timeout ${interval}`);
    const until = performance.now() + timeout * 1000;
    for (;;) {
      const record = await this.#options.client.getRecord(id);
      if (record !== undefined && isFinished(record.runtimeStatus)) return record;
      const left = until - performance.now();
      if (left <= 0) return undefined;
      const delay = Math.min(left, interval * 1000);
      if (delay < 0 || delay > LONGEST_DELAY) {
        throw new ArgumentError(
          "The value needs to translate in milliseconds to -1 (signifying an infinite timeout), 0, or a positive integer less than or equal to the maximum allowed timer duration. (Parameter 'delay')",
        );
      }
      await new Promise<void>((resolve) => {
        setTimeout(resolve, Math.min(delay, LONGEST_TIMEOUT));
      });
    }
  }

  async #status(call: Call, id: string): Promise<HttpResponseLike> {
    const record = await this.#options.client.getRecord(id);
    return record === undefined
      ? answer(404)
      : this.#statusOf(call, record, call.query.flag('returnInternalServerErrorOnFailure') ?? false);
  }

  async #statusOf(
    { request, query }: Call,
    record: InstanceRecord,
    failedIs500: boolean,
  ): Promise<HttpResponseLike> {
    const { client, storeInputs = false } = this.#options;
    const { instanceId, runtimeStatus } = record;
    const showInput = query.flag('showInput') ?? true;
    const history =
      query.flag('showHistory') === true && runtimeStatus !== 'Pending'
        ? await client.getHistory(instanceId)
        : undefined;
    const historyEvents =
      history &&
      historyJson(history, { showInput, showOutput: query.flag('showHistoryOutput') ?? false, storeInputs });
    const body = statusJson(record, { showInput, historyEvents });
    if (!isFinished(runtimeStatus))
      return answerJson(202, body, [
        ['Location', request.url],
        ['Retry-After', '5'],
      ]);
    return answerJson(runtimeStatus === 'Failed' && failedIs500 ? 500 : 200, body);
  }

  async #list({ request, query, rpc }: Call): Promise<HttpResponseLike> {
    const from = query.time('createdTimeFrom');
    const to = query.time('createdTimeTo');
    const prefix = query.text('instanceIdPrefix');
    const first = decodeContinuation(request.headers[CONTINUATION] ?? '');
    const page = await this.#options.client.query({
      top: pageSize(query),
      runtimeStatus: query.statuses('runtimeStatus'),
      ...(from !== undefined && { createdTimeFrom: from }),
      ...(to !== undefined && { createdTimeTo: to }),
      ...(prefix !== undefined && { instanceIdPrefix: prefix }),
      ...(first !== undefined && { from: first }),
    });
    const showInput = query.flag('showInput') ?? true;
    const body = `[${page.records.map((record) => statusJson(record, { showInput })).join(',')}]`;
    return answerJson(200, body, continuation(page.next, rpc));
  }

  /** Reads or signals an entity. As above, the extension's answer contains only an exception's message. */
  async #ofEntity(call: Call, name: string | undefined, key = ''): Promise<HttpResponseLike> {
    try {
      if (name === undefined)
        throw new ArgumentError(
          "Invalid entity id: entity name must not be a null or empty string. (Parameter 'entityName')",
        );
      return await (call.request.method === 'GET'
        ? this.#entity({ name, key: key === EMPTY_KEY ? '' : key })
        : this.#signal(call, { name, key }));
    } catch (error) {
      if (error instanceof ArgumentError || error instanceof UnknownFunctionError)
        return answerError(400, error.message);
      if (error instanceof JsonReaderError)
        return answerError(400, `Could not parse JSON content: ${error.message}`);
      throw error;
    }
  }

  async #entity(entity: EntityId): Promise<HttpResponseLike> {
    const found = entityState(await this.#options.client.getRecord(entityInstanceId(entity)));
    return found === undefined ? answer(404) : answerJson(200, jsonOrText(found.state));
  }

  /** A page may be short or empty: it leaves out entities that no longer exist. */
  async #listEntities({ request, query, rpc }: Call, name: string | undefined): Promise<HttpResponseLike> {
    const from = query.time('lastOperationTimeFrom');
    const to = query.time('lastOperationTimeTo');
    const fetchState = query.flag('fetchState') === true;
    const first = decodeContinuation(request.headers[CONTINUATION] ?? '');
    const page = await this.#options.client.query({
      top: pageSize(query),
      instanceIdPrefix: name === undefined ? '@' : `@${name.toLowerCase()}@`,
      // An entity's instance starts again with each batch, so its creation time is that of the last
      // operation.
      ...(from !== undefined && { createdTimeFrom: from }),
      ...(to !== undefined && { createdTimeTo: to }),
      ...(first !== undefined && { from: first }),
    });
    const entities = page.records.flatMap((record) => {
      const found = entityState(record);
      if (found === undefined) return [];
      const entityId = JSON.stringify(parseEntityId(record.instanceId));
      return [
        `{"entityId":${entityId},"lastOperationTime":"${record.lastUpdatedTime}","state":${fetchState ? jsonOrText(found.state) : 'null'}}`,
      ];
    });
    return answerJson(200, `[${entities.join(',')}]`, continuation(page.next, rpc));
  }

  async #signal({ request, query }: Call, entity: EntityId): Promise<HttpResponseLike> {
    // The text is the extension's, which passes the arguments to .NET in the wrong order.
    if (/[/\\?#\p{Cc}]/u.test(entity.key))
      throw new ArgumentError(
        "entityKey (Parameter 'Entity keys must not contain /, \\, #, ?, or control characters.')",
      );
    const operation = request.method === 'DELETE' ? 'delete' : (query.text('op') ?? '');
    await this.#options.client.signalEntity(entity, operation, operationInput(request));
    return answer(202);
  }

  async #purge(id: string): Promise<HttpResponseLike> {
    const purged = await this.#options.client.purge(id);
    if (purged === 'purged') return answerJson(200, '{"instancesDeleted":1}');
    // The extension does not check whether the entity exists.
    if (purged === 'notFound') return isEntity(id) ? answerJson(200, '{"instancesDeleted":0}') : answer(404);
    const status = (await this.#options.client.getRecord(id))?.runtimeStatus;
    return answerString(
      412,
      `Only orchestrations in a terminal state can be purged, but the orchestration with instance ID ${id} has status ${status}`,
    );
  }

  async #purgeBy({ query }: Call): Promise<HttpResponseLike> {
    const createdTimeFrom = query.time('createdTimeFrom');
    if (createdTimeFrom === undefined)
      return answerString(400, "Please provide value for 'createdTimeFrom' parameter.");
    const createdTimeTo = query.time('createdTimeTo');
    const purged = await this.#options.client.purgeBy({
      createdTimeFrom,
      runtimeStatus: query.statuses('runtimeStatus'),
      ...(createdTimeTo !== undefined && { createdTimeTo }),
    });
    return purged === 0 ? answer(404) : answerJson(200, JSON.stringify({ instancesDeleted: purged }));
  }

  async #raiseEvent({ request }: Call, id: string, name: string): Promise<HttpResponseLike> {
    const { client } = this.#options;
    // For a finished instance the answer is the same for any body.
    const record = await client.getRecord(id);
    if (record === undefined) return answer(404);
    if (isFinished(record.runtimeStatus)) return answer(410);
    if (mediaType(request) !== 'application/json')
      return answerError(400, 'Only application/json request content is supported');
    return requestAnswer(await client.raiseEvent(id, name, readJsonValue(bodyText(request))));
  }

  async #resume(id: string, reason: string | null): Promise<HttpResponseLike> {
    const { client } = this.#options;
    const status = (await client.getRecord(id))?.runtimeStatus;
    if (status !== undefined && !isFinished(status) && status !== 'Suspended') {
      throw new InvalidStateError(
        `Cannot resume the orchestration instance ${id} because instance is in the ${status} state.`,
      );
    }
    return requestAnswer(await client.resume(id, reason));
  }

  /** The bodies are strings, because the SDK builds its error from them. */
  async #rewind(id: string, reason: string | null): Promise<HttpResponseLike> {
    const { client } = this.#options;
    const record = await client.getRecord(id);
    if (record === undefined) return answerString(404, `No orchestration with instance ID "$${id}" found.`);
    if (record.runtimeStatus !== 'Failed') {
      return answerString(
        412,
        `This orchestration has status ${record.runtimeStatus}, but only orchestrations in the "Failed" state can be rewound.`,
      );
    }
    return requestAnswer(await client.rewind(id, reason));
  }

  /**
   * Starts an instance with the name and the input of another, under a new id unless the caller gives one.
   */
  async #restart(call: Call, id: string): Promise<HttpResponseLike> {
    const { client } = this.#options;
    const record = await client.getRecord(id);
    try {
      if (record === undefined)
        throw new ArgumentError(`An orchestrastion with the instanceId ${id} was not found.`);
      const sameId = call.query.flag('restartWithNewInstanceId') === false;
      return await this.#started(
        call,
        await client.startInstance({
          name: record.name,
          input: jsonOrText(record.input),
          known: true,
          ...(sameId && { instanceId: id }),
        }),
      );
    } catch (error) {
      if (error instanceof ArgumentError || error instanceof UnknownFunctionError) {
        return answerError(400, 'InstanceId does not match a valid orchestration instance.', {
          message: error.message,
          type: 'System.ArgumentException',
          stack: error.stack,
        });
      }
      if (error instanceof InstanceExistsError) {
        const type = 'DurableTask.Core.Exceptions.OrchestrationAlreadyExistsException';
        return answerError(409, 'A non-terminal instance with this instance ID already exists.', {
          message: error.message,
          type,
          stack: error.stack,
        });
      }
      throw error;
    }
  }
}

function failure(error: unknown): HttpResponseLike {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  if (error instanceof JsonReaderError)
    return answerError(400, 'Invalid JSON content', {
      message,
      type: 'Newtonsoft.Json.JsonReaderException',
      stack,
    });
  if (error instanceof ArgumentError || error instanceof DuplicateKeyError) return answerBadArgument(error);
  if (error instanceof InstanceExistsError) return answerError(409, message);
  return answerFailure({
    message,
    type: error instanceof InvalidStateError ? 'System.InvalidOperationException' : 'System.Exception',
    stack,
  });
}

function requestAnswer(of: RequestResult): HttpResponseLike {
  return answer({ accepted: 202, notFound: 404, gone: 410 }[of]);
}

function pageSize(query: Query): number {
  const top = query.integer('top') ?? PAGE;
  return top < 1 ? PAGE : Math.min(top, LARGEST_PAGE);
}

/** On the last page only the local address sends the header, with an empty value, as a real host does. */
function continuation(next: string | undefined, rpc: boolean): [string, string][] {
  return next !== undefined || rpc ? [[CONTINUATION, encodeContinuation(next)]] : [];
}

/**
 * A body without a JSON content type is text. So is an absent body without a length (as of a DELETE), as on a
 * real host.
 */
function operationInput(request: HttpRequestLike): string | null {
  if (request.headers['content-length'] === '0') return null;
  const text = bodyText(request);
  return mediaType(request) === 'application/json' ? readJsonValue(text) : JSON.stringify(text);
}

function mediaType({ headers }: HttpRequestLike): string | undefined {
  return headers['content-type']?.split(';')[0]!.trim().toLowerCase();
}

function bodyText({ body }: HttpRequestLike): string {
  return body === undefined ? '' : new TextDecoder().decode(body);
}

/**
 * The input of an orchestrator: the text unchanged, unless only the extension's reader accepts it as JSON.
 *
 * @throws JsonReaderError
 */
function inputOf(text: string): JsonText {
  if (text.trim() === '') return null;
  const compact = readJson(text);
  return isStandardJson(text) ? text : compact;
}

function isStandardJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * Stricter than the extension: an id with `@` is an entity's, storage cannot hold long ids, and XML excludes
 * two characters.
 */
function checkInstanceId(id: string): void {
  if (id.startsWith('@')) throw new ArgumentError('Orchestration instance ids must not start with @.');
  if (/[\ufffe\uffff]/.test(id))
    throw new ArgumentError('Orchestration instance ids must not contain U+FFFE or U+FFFF.');
  if (id.length > MAX_INSTANCE_ID)
    throw new ArgumentError(`Instance ID lengths must not exceed ${MAX_INSTANCE_ID} characters.`);
}

/**
 * The segments of a path, decoded before the split as in the extension, with `+` as a space. An empty segment
 * matches no route.
 */
function segments(path: string): string[] {
  const parts = urlDecode(path)
    .replaceAll(/^\/+|\/+$/g, '')
    .split('/');
  return parts.includes('') ? [] : parts;
}

/**
 * Decodes like .NET's `WebUtility.UrlDecode`: invalid escapes stay, and bytes that are not UTF-8 become
 * replacement characters.
 */
function urlDecode(text: string): string {
  return text
    .replaceAll('+', ' ')
    .replaceAll(/(?:%[\da-f]{2})+/gi, (escapes) =>
      Buffer.from(escapes.replaceAll('%', ''), 'hex').toString(),
    );
}

/**
 * A continuation token: partition key and row key of the Instances table. The row key is empty, hence the
 * space.
 */
function encodeContinuation(instanceId: string | undefined): string {
  return instanceId === undefined ? '' : `${Buffer.from(instanceId).toString('base64')} `;
}

function decodeContinuation(token: string): string | undefined {
  const encoded = token.trim();
  if (encoded === '') return undefined;
  const id = Buffer.from(encoded, 'base64');
  if (id.toString('base64') !== encoded) throw new ArgumentError(`'${encoded}' is not a continuation token.`);
  return id.toString();
}
