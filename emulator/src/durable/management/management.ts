import type { HttpRequestLike, HttpResponseLike, RequestHead } from '../../http-message.js';
import { keyRefusal } from '../../triggers/keys.js';
import { InvalidStateError } from '../client.js';
import { answer } from './answers.js';
import { WEBHOOK_PATH } from './client-binding.js';
import { Entities } from './entities.js';
import { failureAnswer } from './errors.js';
import { Operations } from './operations.js';
import type { ManagementOptions } from './options.js';
import { Query } from './query.js';
import { segments, type Call } from './request.js';
import { Starts } from './starts.js';
import { Statuses } from './statuses.js';

/** The methods that the extension's webhook takes. */
const WEBHOOK_METHODS: ReadonlySet<string> = new Set(['GET', 'PUT', 'POST', 'DELETE', 'OPTIONS']);

/** Where in the host a request reaches the API. */
interface Mount {
  mount: string;
  /** Whether it is the address of the SDK's client, which sends no key. */
  rpc: boolean;
  url: URL;
}

/** The HTTP API of the Durable extension, for people (with keys) and for the SDK's client (without). */
export class ManagementApi {
  readonly #options: ManagementOptions;
  readonly #statuses: Statuses;
  readonly #starts: Starts;
  readonly #operations: Operations;
  readonly #entities: Entities;

  constructor(options: ManagementOptions) {
    this.#options = options;
    this.#statuses = new Statuses(options);
    this.#starts = new Starts(options, this.#statuses);
    this.#operations = new Operations(options);
    this.#entities = new Entities(options);
  }

  /**
   * The answer to a request without the key that it needs, for which no body has to be read.
   *
   * @returns undefined when the request may come in, and for paths outside the management API
   */
  refusal(request: RequestHead): HttpResponseLike | undefined {
    return this.#refusalAt(this.#mountOf(request), request);
  }

  /** Answers a request; never rejects. @returns undefined when the path is not one of the management API */
  async handle(request: HttpRequestLike): Promise<HttpResponseLike | undefined> {
    const found = this.#mountOf(request);
    if (found === undefined) return undefined;
    const refusal = this.#refusalAt(found, request);
    if (refusal !== undefined) return refusal;
    const { mount, rpc, url } = found;
    const { hubName } = this.#options;
    const query = new Query(url.searchParams);
    try {
      const operation = this.#find({ request, url, query, rpc }, this.#segments(url, mount, rpc));
      if (operation === undefined) return answer(404);
      this.#checkConnection(query.text('connection')?.trim() ?? '');
      const hub = query.text('taskHub')?.trim() ?? '';
      return hub !== '' && hub.toLowerCase() !== hubName.toLowerCase() ? answer(404) : await operation();
    } catch (error) {
      return failureAnswer(error);
    }
  }

  /** @returns undefined for a path or a method that the management API does not have */
  #mountOf(request: RequestHead): Mount | undefined {
    const { rpcPath = '/durabletask' } = this.#options;
    const url = new URL(request.url);
    const path = `${url.pathname.toLowerCase()}/`;
    if (path.startsWith(`${rpcPath}/`)) return { mount: rpcPath, rpc: true, url };
    // The host has no routes for other methods, whatever the key.
    return path.startsWith(`${WEBHOOK_PATH}/`) && WEBHOOK_METHODS.has(request.method)
      ? { mount: WEBHOOK_PATH, rpc: false, url }
      : undefined;
  }

  #refusalAt(found: Mount | undefined, request: RequestHead): HttpResponseLike | undefined {
    const { enforceKeys, keys } = this.#options;
    if (enforceKeys !== true || found?.rpc !== false) return undefined;
    return keyRefusal(request, [keys().durableTask, keys().master], keys());
  }

  #segments({ pathname }: URL, mount: string, rpc: boolean): string[] {
    return segments(pathname.slice(mount.length), rpc, (path) => {
      this.#options.log?.(
        'error',
        'Host.Triggers.DurableTask',
        `The path ${pathname} was read as ${mount}${path}: the host decodes the paths of this API twice, and takes '+' for a space. Use neither '+' nor '%' in ids, keys and names of events.`,
      );
    });
  }

  /** @returns undefined when there is no route for the path or its method */
  #find(call: Call, path: readonly string[]): (() => Promise<HttpResponseLike>) | undefined {
    const [area = '', id, operation, name] = path;
    const { method } = call.request;
    if (path.length > 4) return undefined;
    switch (area.toLowerCase()) {
      case 'orchestrators':
        return method === 'POST' && id !== undefined && name === undefined
          ? () => this.#starts.start(call, id, operation)
          : undefined;
      case 'instances':
        if (id === undefined)
          return method === 'GET'
            ? () => this.#statuses.list(call)
            : method === 'DELETE'
              ? () => this.#operations.purgeBy(call)
              : undefined;
        if (operation === undefined)
          return method === 'GET'
            ? () => this.#statuses.status(call, id)
            : method === 'DELETE'
              ? () => this.#operations.purge(id)
              : undefined;
        if (method !== 'POST') return undefined;
        if (name === undefined) return this.#operation(call, id, operation.toLowerCase());
        return operation.toLowerCase() === 'raiseevent'
          ? () => this.#operations.raiseEvent(call, id, name)
          : undefined;
      case 'entities':
        if (name !== undefined || !['GET', 'POST', 'DELETE'].includes(method)) return undefined;
        return method === 'GET' && operation === undefined
          ? () => this.#entities.list(call, id)
          : () => this.#entities.readOrSignal(call, id, operation);
      case 'makeprimary':
        // This host is the only one of its hub.
        return id === undefined ? async () => answer(200) : undefined;
      default:
        return undefined;
    }
  }

  #operation(call: Call, id: string, operation: string): (() => Promise<HttpResponseLike>) | undefined {
    const reason = call.query.text('reason') ?? null;
    switch (operation) {
      case 'terminate':
        return () => this.#operations.terminate(id, reason);
      case 'suspend':
        return () => this.#operations.suspend(id, reason);
      case 'resume':
        return () => this.#operations.resume(id, reason);
      case 'rewind':
        return () => this.#operations.rewind(id, reason);
      case 'restart':
        return () => this.#starts.restart(call, id);
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
}
