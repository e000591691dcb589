import { AdminApi } from './admin.js';
import type { HostConfig } from './config/config.js';
import { corsHeaders, isPreflight } from './cors.js';
import type { DurableClient } from './durable/client.js';
import { ManagementApi } from './durable/management/management.js';
import type { Body, HttpRequestLike, HttpResponseLike, RequestHead } from './http-message.js';
import { readBody } from './http-message.js';
import { pathSegments } from './http-text.js';
import type { Executor } from './executor.js';
import { HttpThrottle } from './http-throttle.js';
import type { Log } from './log.js';
import { http } from './node-http.js';
import type { Tracing } from './tracing/tracing.js';
import { findConnection } from './triggers/connections.js';
import { authLevel, functionUrl, routerOf } from './triggers/http-functions.js';
import { HttpInvoker } from './triggers/http-invoker.js';
import type { Router, RouteValues } from './triggers/http-routes.js';
import { empty } from './triggers/http.js';
import type { HostKeys } from './triggers/keys.js';
import { carriesKey } from './triggers/keys.js';
import type { AppWorker, FunctionDefinition } from './worker/types.js';

export interface RequestHandlerOptions {
  config: HostConfig;
  log: Log;
  /** All functions of the app, the disabled ones included. */
  functions: readonly FunctionDefinition[];
  isDisabled: (definition: FunctionDefinition) => boolean;
  worker: Pick<Executor, 'invoke' | 'problemOf'>;
  client: DurableClient;
  hubName: string;
  keys: HostKeys;
  /** Whether callers need a key. */
  enforceKeys: boolean;
  /** The path under which the SDK's client calls the host: one segment, with a slash before it. */
  rpcPath: string;
  /** Where the app serves its HTTP functions itself, when it asks for HTTP streams. */
  streamAddress: AppWorker['streamAddress'];
  tracing: Tracing | undefined;
  /** The origin of the host's URLs. */
  origin: () => string;
  /** Runs a timer, queue or blob function. @returns undefined when there is none of that name */
  run: (name: string, input: string) => Promise<unknown> | undefined;
  /** Ends the worker part as a crash does. @returns false when there is no function of that name */
  crash: (during: string | undefined) => boolean;
}

/**
 * Finds the part of the host that answers a request: a function, the management API, the admin API or the
 * home page.
 */
export class RequestHandler {
  readonly #options: RequestHandlerOptions;
  readonly #router: Router<FunctionDefinition>;
  readonly #invoker: HttpInvoker;
  readonly #management: ManagementApi;
  readonly #admin: AdminApi;
  readonly #throttle: HttpThrottle;

  /** @throws UnsupportedBindingError, RouteTemplateError */
  constructor(options: RequestHandlerOptions) {
    this.#options = options;
    const { config, log, functions, worker, streamAddress, tracing } = options;
    const { routePrefix, bodyLimit } = config;
    this.#router = routerOf(functions, routePrefix, log);
    this.#invoker = new HttpInvoker({ worker, routePrefix, bodyLimit, log, streamAddress, tracing });
    this.#management = this.#makeManagementApi();
    this.#admin = this.#makeAdminApi();
    this.#throttle = new HttpThrottle(config.httpLimits, log);
  }

  /** Answers a request. Never rejects. */
  async handle(request: HttpRequestLike<Body>): Promise<HttpResponseLike<Body>> {
    const added = corsHeaders(request, this.#options.config.cors);
    if (added !== undefined && isPreflight(request)) return empty(204, added);
    const response = this.#isUnlimited(request)
      ? await this.#answer(request)
      : await this.#throttle.run(request, () => this.#answer(request));
    return { ...response, headers: [...response.headers, ...(added ?? [])] };
  }

  /** Answers a request that the limits admit, with the custom headers of host.json. Never rejects. */
  async #answer(request: HttpRequestLike<Body>): Promise<HttpResponseLike<Body>> {
    const { config, log } = this.#options;
    let response: HttpResponseLike<Body>;
    try {
      response = await this.#route(request);
    } catch (error) {
      if (!isBrokenOff(request))
        log('error', 'Host.General', error instanceof Error ? (error.stack ?? error.message) : String(error));
      response = empty(500);
    }
    if (isBrokenOff(request))
      log('debug', 'Host.General', `The caller broke off ${request.method} ${request.url}`);
    return {
      ...response,
      headers: [...response.headers, ...customHeadersOf(response, config.customHeaders)],
    };
  }

  /**
   * The admin API has no limits, as on the real host. Nor have the calls of the SDK's client: the functions that
   * make them were admitted already, and would wait for themselves.
   */
  #isUnlimited({ url }: RequestHead): boolean {
    return this.#isUnder(new URL(url).pathname, '/admin', this.#options.rpcPath);
  }

  async #route(request: HttpRequestLike<Body>): Promise<HttpResponseLike<Body>> {
    const { pathname } = new URL(request.url);
    const found = this.#router.find(request.method, pathSegments(pathname));
    if (found !== undefined && !this.#isHostPath(pathname))
      return this.#refusal(found.target, request) ?? this.#invoke(found, request);
    const refusal = this.#management.refusal(request);
    if (refusal !== undefined) return refusal;
    const body = await readBody(request, this.#options.config.bodyLimit);
    if (body === undefined) return empty(413);
    const whole = { ...request, body };
    const managed = (await this.#management.handle(whole)) ?? this.#admin.handle(whole);
    if (managed !== undefined) return managed;
    if (found !== undefined) return this.#refusal(found.target, whole) ?? this.#invoke(found, whole);
    return pathname === '/' ? this.#home() : empty(404);
  }

  async #invoke(
    { target, values }: { target: FunctionDefinition; values: RouteValues },
    request: HttpRequestLike<Body>,
  ): Promise<HttpResponseLike<Body>> {
    // A stream has to reach the function before its body is read.
    if (this.#invoker.streams) return this.#invoker.stream(target, request, values);
    const body = await readBody(request, this.#options.config.bodyLimit);
    return body === undefined ? empty(413) : this.#invoker.invoke(target, { ...request, body }, values);
  }

  /** Whether the host itself answers at a path, before any function. */
  #isHostPath(pathname: string): boolean {
    return this.#isUnder(pathname, '/admin', '/runtime', this.#options.rpcPath);
  }

  #isUnder(pathname: string, ...roots: readonly string[]): boolean {
    const path = `${pathname.toLowerCase()}/`;
    return roots.some((root) => path.startsWith(`${root}/`));
  }

  /** The response to a request that may not reach a function; undefined when it may. */
  #refusal(definition: FunctionDefinition, request: RequestHead): HttpResponseLike | undefined {
    if (!this.#mayCall(definition, request)) return empty(401);
    const problem = this.#options.worker.problemOf(definition);
    if (problem !== undefined && !this.#options.isDisabled(definition)) return text(501, problem);
    if (!this.#options.isDisabled(definition)) return undefined;
    const { name } = definition;
    this.#options.log(
      'information',
      'Host.General',
      `The response to ${request.method} ${new URL(request.url).pathname} is 404: the setting AzureWebJobs.${name}.Disabled disables the function '${name}'.`,
    );
    return empty(404);
  }

  #mayCall(definition: FunctionDefinition, request: RequestHead): boolean {
    const { keys, enforceKeys } = this.#options;
    const level = authLevel(definition);
    if (!enforceKeys || level === 'anonymous') return true;
    const own = keys.functions[definition.name];
    return carriesKey(
      request,
      level === 'function' ? [keys.master, keys.host, ...(own === undefined ? [] : [own])] : [keys.master],
    );
  }

  #home(): HttpResponseLike {
    if (!this.#options.config.homepage) return empty(204);
    return {
      status: 200,
      headers: [['content-type', 'text/html']],
      body: Buffer.from(HOME_PAGE),
    };
  }

  #makeManagementApi(): ManagementApi {
    const { config, client, hubName, keys, enforceKeys, rpcPath, log } = this.#options;
    return new ManagementApi({
      log,
      client,
      hubName,
      connection: config.hubConnectionName,
      forwardedHost: config.forwardedHost,
      hasConnection: (name) => findConnection(config.setting, name, 'blob') !== undefined,
      storeInputs: config.storeInputs,
      keys: () => keys,
      enforceKeys,
      rpcPath,
    });
  }

  #makeAdminApi(): AdminApi {
    const { config, functions, isDisabled, keys, enforceKeys, origin, run, crash } = this.#options;
    return new AdminApi({
      keys,
      enforceKeys,
      origin,
      run: (name, input) => {
        const running = run(name, input);
        running?.catch((error: unknown) => {
          this.#options.log('error', 'Host.General', (error as Error).message);
        });
        return running !== undefined;
      },
      crash,
      functions: () =>
        functions
          .toSorted((a, b) => (a.name.toUpperCase() < b.name.toUpperCase() ? -1 : 1))
          .map((definition) => ({
            name: definition.name,
            script_root_path_href: null,
            config_href: null,
            href: `${origin()}/admin/functions/${definition.name}`,
            invoke_url_template:
              definition.trigger.type === 'httpTrigger'
                ? functionUrl(origin(), definition, config.routePrefix)
                : null,
            language: 'node',
            config: { name: definition.name, language: 'node', bindings: Object.values(definition.bindings) },
            files: null,
            test_data: '',
            isDisabled: isDisabled(definition),
            isDirect: false,
            isProxy: false,
          })),
    });
  }
}

/** Whether the caller closed the connection before the whole body came: nobody reads the answer. */
function isBrokenOff({ body }: HttpRequestLike<Body>): boolean {
  return body instanceof http.IncomingMessage && body.errored?.message === 'aborted';
}

/** The custom headers of host.json that a response does not have itself. */
function customHeadersOf(
  { headers }: HttpResponseLike<Body>,
  custom: HostConfig['customHeaders'],
): HostConfig['customHeaders'] {
  if (custom.length === 0) return [];
  const own = new Set(headers.map(([name]) => name.toLowerCase()));
  return custom.filter(([name]) => !own.has(name.toLowerCase()));
}

const HOME_PAGE = `<!DOCTYPE html>
<html lang="en">
  <head><meta charset="utf-8"><title>Your Azure Function App is up and running.</title></head>
  <body><h1>Your Azure Function App is up and running.</h1></body>
</html>
`;

function text(status: number, line: string): HttpResponseLike {
  return {
    status,
    headers: [['content-type', 'text/plain; charset=utf-8']],
    body: Buffer.from(`${line}\n`),
  };
}
