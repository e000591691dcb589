import { randomUUID } from 'node:crypto';
import { AdminApi } from './admin.js';
import type { HostConfig } from './config.js';
import { clientBindingValue } from './durable/management/client-binding.js';
import type { Clock } from './durable/clock.js';
import { Engine } from './durable/engine/engine.js';
import type { EngineOptions } from './durable/engine/engine.js';
import { ManagementApi } from './durable/management/management.js';
import { SdkV3 } from './durable/protocol/sdk-v3.js';
import { OrchestrationSpans } from './durable/engine/spans.js';
import type { TaskHub } from './durable/task-hub.js';
import { Executor } from './executor.js';
import type { Body, HttpRequestLike, HttpResponseLike, RequestHead } from './http-message.js';
import { MAX_BODY, readBody } from './http-message.js';
import { HttpServer } from './http-server.js';
import type { Log } from './log.js';
import { OtlpSender } from './tracing/otlp.js';
import { readTraceContext } from './tracing/trace-context.js';
import type { OpenSpan } from './tracing/tracing.js';
import { Tracing } from './tracing/tracing.js';
import { resolveBindings, UnsupportedBindingError } from './triggers/bindings.js';
import { findConnection } from './triggers/connections.js';
import { empty, httpInput, httpOutput } from './triggers/http.js';
import type { RouteValues } from './triggers/http-routes.js';
import { pathSegments, Route, Router, RouteTemplateError } from './triggers/http-routes.js';
import { forward, streamMetadata } from './triggers/http-stream.js';
import type { HostKeys } from './triggers/keys.js';
import { carriesKey, newKeys } from './triggers/keys.js';
import { Queues } from './triggers/queues.js';
import type { ScheduleStatuses } from './triggers/schedule-statuses.js';
import { MemoryScheduleStatuses } from './triggers/schedule-statuses.js';
import { Timers } from './triggers/timers.js';
import type { Registrations } from './worker/core-api.js';
import type { FunctionDefinition, InvocationOutcome, TypedData } from './worker/types.js';
import { FunctionsWorker } from './worker/worker.js';
import type { WorkerOptions } from './worker/worker.js';

export interface HostOptions {
  registrations: Registrations;
  config: HostConfig;
  hub: TaskHub;
  clock: Clock;
  log: Log;
  /** Ask callers for keys, as in Azure; without it as under `func start`. */
  enforceKeys?: boolean;
  keys?: HostKeys;
  /** When timer functions ran. Default: remembered as long as the host lives. */
  schedules?: ScheduleStatuses;
  worker?: Pick<WorkerOptions, 'around' | 'replace'>;
  engine?: Pick<EngineOptions, 'strict' | 'replay' | 'oneEventAnEpisode' | 'sendHttp'>;
}

const LEVELS: readonly string[] = ['anonymous', 'function', 'admin'];

/** One app, running: its functions, the Durable extension and the HTTP in front of them. */
export class Host {
  readonly engine: Engine;
  /** All functions of the app, those that are switched off among them. */
  readonly functions: readonly FunctionDefinition[];
  /** Runs those that are not. */
  readonly worker: Executor;
  readonly keys: HostKeys;
  /** Speaks with the app's Durable functions. */
  readonly sdk: SdkV3;
  readonly #options: HostOptions;
  readonly #router = new Router<FunctionDefinition>();
  readonly #management: ManagementApi;
  readonly #admin: AdminApi;
  readonly #server: HttpServer;
  readonly #queues: Queues;
  readonly #timers: Timers;
  readonly #rpcPath: string;
  readonly #sender: OtlpSender | undefined;
  readonly #tracing: Tracing | undefined;
  #port = 0;
  #started = false;

  /** @throws UnsupportedBindingError, RouteTemplateError */
  constructor(options: HostOptions) {
    this.#options = options;
    const { registrations, config, hub, clock, log } = options;
    // From here on the library speaks to the newest host of this process.
    registrations.log = (level, message) => {
      log(level, 'Worker', message);
    };
    for (const { level, message } of registrations.records.splice(0)) registrations.log(level, message);
    if (config.tracing !== undefined) {
      const { endpoint, service } = config.tracing;
      const sender = endpoint === undefined ? undefined : new OtlpSender({ endpoint, service, log });
      this.#sender = sender;
      this.#tracing = new Tracing({ now: () => clock.now(), send: (span) => sender?.add(span) });
    }
    const worker = new FunctionsWorker({ registrations, log, ...options.worker });
    this.functions = [...worker.functions.values()].map((definition) =>
      this.isDisabled(definition) ? definition : resolveBindings(definition, config.setting),
    );
    this.#queues = new Queues({
      setting: config.setting,
      options: config.queues,
      log,
      run: async ({ name }, inputData, triggerMetadata, waiting) =>
        (await this.worker.invoke({ functionName: name, inputData, triggerMetadata }, waiting)).ok,
    });
    this.worker = new Executor({
      worker,
      log,
      clock,
      functionTimeout: config.functionTimeout,
      functions: this.functions.filter((definition) => !this.isDisabled(definition)),
      input: () => ({ string: this.#clientBinding() }),
      output: (binding, value) => this.#queues.write(binding, value),
    });
    this.#timers = new Timers(this.#triggered('timerTrigger'), {
      clock,
      log,
      timeZone: config.timeZone,
      statuses: options.schedules ?? new MemoryScheduleStatuses(),
      run: ({ name }, inputData) => this.worker.invoke({ functionName: name, inputData }),
    });
    const keys = newKeys(worker.functions.keys());
    this.keys = { ...keys, ...options.keys, functions: { ...keys.functions, ...options.keys?.functions } };
    this.#warn();
    for (const definition of this.functions) this.#addRoute(definition);
    for (const { route, method, by } of this.#router.shadowed()) {
      log(
        'warning',
        'Host.Startup',
        `${method} /${route.template} reaches '${by.name}', not '${route.target.name}': the Functions host tries routes in the order of the functions' names.`,
      );
    }
    // The SDK's client calls without a key, on the port that everybody can reach.
    this.#rpcPath = options.enforceKeys === true ? `/durabletask-${randomUUID()}` : '/durabletask';
    this.sdk = new SdkV3(this.worker);
    this.engine = new Engine({
      hub,
      clock,
      log,
      sdk: this.sdk,
      ...options.engine,
      settings: config.durable,
      spans: this.#tracing && new OrchestrationSpans(this.#tracing),
    });
    if (config.extendedSessions)
      log(
        'information',
        'Host.Startup',
        'extendedSessionsEnabled is ignored: every episode replays its orchestrator from the beginning.',
      );
    this.#management = new ManagementApi({
      client: this.engine,
      hubName: hub.name,
      connection: config.hubConnectionName,
      forwardedHost: config.forwardedHost,
      hasConnection: (name) => findConnection(config.setting, name, 'blob') !== undefined,
      storeInputs: config.storeInputs,
      keys: () => this.keys,
      enforceKeys: options.enforceKeys === true,
      rpcPath: this.#rpcPath,
    });
    this.#admin = new AdminApi({
      key: () => (options.enforceKeys === true ? this.keys.master : undefined),
      run: (name, input) => this.run(name, input) !== undefined,
      functions: () =>
        this.functions.map((definition) => ({
          name: definition.name,
          config: { name: definition.name, bindings: Object.values(definition.bindings), language: 'node' },
          ...(definition.trigger.type === 'httpTrigger' && {
            invoke_url_template: `${this.origin}/${this.#template(definition)}`,
          }),
          language: 'node',
          isDisabled: this.isDisabled(definition),
          isDirect: false,
          isProxy: false,
        })),
    });
    this.#server = new HttpServer(async (request) => (this.#started ? this.handle(request) : empty(503)));
  }

  /** Takes the hub, goes on with what was under way, and serves. @returns the port. */
  async start(port: number, lost?: (reason: Error) => void): Promise<number> {
    // The port first: a taken one is found before anything runs.
    this.#port = await this.#server.listen(port);
    try {
      await this.engine.start(lost);
    } catch (error) {
      await this.#server.close();
      throw error;
    }
    this.#started = true;
    await this.#queues.start(
      this.#triggered('queueTrigger').filter(({ trigger }) => this.#queues.problem(trigger) === undefined),
    );
    await this.#timers.start();
    return this.#port;
  }

  /** Lets running requests end, and gives the hub back. */
  async stop(): Promise<void> {
    this.worker.stop();
    await Promise.all([this.#server.close(), this.#queues.stop(), this.#timers.stop()]);
    await this.engine.stop();
    await this.#sender?.flush();
  }

  /** Whether something runs: a function, an episode. */
  get isBusy(): boolean {
    return this.engine.isBusy || this.worker.isBusy || this.#timers.isBusy;
  }

  /** Resolves when nothing runs. */
  async whenQuiet(): Promise<void> {
    do {
      await Promise.all([this.engine.whenQuiet(), this.worker.whenQuiet(), this.#timers.whenQuiet()]);
      // What a finished function leads to may begin in the next turn.
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    } while (this.isBusy);
  }

  /** Takes every message that is to be seen in the app's queues to its function. @returns whether there were any. */
  async drainQueues(): Promise<boolean> {
    return this.#queues.drain();
  }

  /** Where the host is found. */
  get origin(): string {
    return `http://localhost:${this.#port}`;
  }

  /** Whether the app's settings switch a function off. */
  isDisabled({ name }: FunctionDefinition): boolean {
    return this.#options.config.disabledFunctions.has(name.toLowerCase());
  }

  /** The HTTP functions that are not switched off: name, methods and address, in order of registration. */
  get httpFunctions(): { name: string; methods: string[]; url: string }[] {
    return this.#triggered('httpTrigger').map((definition) => ({
      name: definition.name,
      methods: methodsOf(definition),
      url: `${this.origin}/${this.#template(definition).replace(/^\//, '')}`,
    }));
  }

  /** Answers a request, however it came. Never rejects. */
  async handle(request: HttpRequestLike<Body>): Promise<HttpResponseLike<Body>> {
    const cors = this.#corsHeaders(request);
    if (cors !== undefined && isPreflight(request)) return empty(204, cors);
    let response: HttpResponseLike<Body>;
    try {
      response = await this.#route(request);
    } catch (error) {
      this.#options.log(
        'error',
        'Host.General',
        error instanceof Error ? (error.stack ?? error.message) : String(error),
      );
      response = empty(500);
    }
    return cors === undefined ? response : { ...response, headers: [...response.headers, ...cors] };
  }

  async #route(request: HttpRequestLike<Body>): Promise<HttpResponseLike<Body>> {
    const { pathname } = new URL(request.url);
    const found = this.#router.find(request.method, pathSegments(pathname));
    const { httpAddress } = this.#options.registrations;
    if (found !== undefined && httpAddress !== undefined && !this.#isOwn(pathname)) {
      return (
        this.#refusal(found.target, request) ?? this.#stream(httpAddress, found.target, request, found.values)
      );
    }
    const body = await readBody(request);
    if (body === undefined) return empty(413);
    const whole = { ...request, body };
    const managed = await this.#management.handle(whole);
    if (managed !== undefined) return managed;
    const administered = this.#admin.handle(whole);
    if (administered !== undefined) return administered;
    if (found !== undefined)
      return this.#refusal(found.target, request) ?? this.#invoke(found.target, whole, found.values);
    if (pathname !== '/') return empty(404);
    return this.#options.config.homepage ? text(200, 'Your Functions app is up and running.\n') : empty(204);
  }

  /** Whether the host itself answers there, and no function. */
  #isOwn(pathname: string): boolean {
    return ['/admin', '/runtime', this.#rpcPath].some((path) =>
      `${pathname.toLowerCase()}/`.startsWith(`${path}/`),
    );
  }

  /** What a request for a function is answered that does not reach it. */
  #refusal(definition: FunctionDefinition, request: RequestHead): HttpResponseLike | undefined {
    if (!this.#mayCall(definition, request)) return empty(401);
    return this.isDisabled(definition) ? empty(404) : undefined;
  }

  async #invoke(
    definition: FunctionDefinition,
    request: HttpRequestLike,
    values: RouteValues,
  ): Promise<HttpResponseLike> {
    const { name, trigger } = definition;
    const span = this.#beginRequest(definition, request);
    const outcome = await this.worker.invoke({
      functionName: name,
      inputData: { [trigger.name]: httpInput(request, values) },
      trace: span?.context,
    });
    const answer = outcome.ok ? httpOutput(outcome.returnValue) : empty(500);
    span?.end({ failed: answer.status >= 500, attributes: { 'http.response.status_code': answer.status } });
    return answer;
  }

  /** A request goes on with the trace of its caller. */
  #beginRequest(definition: FunctionDefinition, { method, headers }: RequestHead): OpenSpan | undefined {
    const route = `/${this.#template(definition).replace(/^\//, '')}`;
    return this.#tracing?.begin({
      name: `${method} ${route}`,
      kind: 'server',
      scope: 'Microsoft.AspNetCore',
      parent: readTraceContext(headers),
      attributes: { 'http.request.method': method, 'http.route': route },
    });
  }

  /** Has a function read its request and write its answer bit by bit. */
  async #stream(
    appAddress: string,
    definition: FunctionDefinition,
    request: HttpRequestLike<Body>,
    values: RouteValues,
  ): Promise<HttpResponseLike<Body>> {
    if (Number(request.headers['content-length'] ?? 0) > MAX_BODY) return empty(413);
    const { name, trigger } = definition;
    const invocationId = randomUUID();
    const span = this.#beginRequest(definition, request);
    const { answer, abort } = forward(appAddress, invocationId, request);
    const invoked = this.worker.invoke({
      functionName: name,
      invocationId,
      inputData: { [trigger.name]: {} },
      triggerMetadata: streamMetadata(request, values),
      trace: span?.context,
    });
    let begun = false;
    void answer.then(
      () => {
        begun = true;
      },
      () => {},
    );
    const without = invoked.then((outcome) => {
      if (outcome.ok && outcome.result !== null && outcome.result !== undefined) return answer;
      abort();
      if (!begun)
        this.#options.log(
          'warning',
          'Host.General',
          `'${name}' ${outcome.ok ? 'returned nothing' : 'threw'}: with HTTP streams, production never answers then, and the caller waits.`,
        );
      return empty(500);
    });
    const first = await Promise.race([answer, without]);
    span?.end({ failed: first.status >= 500, attributes: { 'http.response.status_code': first.status } });
    return first;
  }

  #clientBinding(): string {
    return clientBindingValue({
      hubName: this.engine.taskHubName,
      connection: this.#options.config.hubConnectionName,
      origin: this.origin,
      rpcBaseUrl: `http://127.0.0.1:${this.#port}${this.#rpcPath}/`,
      key: this.keys.durableTask,
    });
  }

  /**
   * Runs a timer or queue function at once, whatever its trigger waits for.
   * @param input the text of the message, for a queue function
   * @returns undefined when there is no such function
   */
  run(name: string, input: string): Promise<InvocationOutcome> | undefined {
    const definition = this.worker.find(name);
    if (definition === undefined) return undefined;
    const { trigger } = definition;
    const call = (
      value: TypedData,
      triggerMetadata: Record<string, TypedData> = {},
    ): Promise<InvocationOutcome> =>
      this.worker.invoke({
        functionName: definition.name,
        inputData: { [trigger.name]: value },
        triggerMetadata,
      });
    if (trigger.type === 'timerTrigger') return call(this.#timers.input(definition.name));
    if (trigger.type === 'queueTrigger') return call({ string: input }, { QueueTrigger: { string: input } });
    return undefined;
  }

  #mayCall(definition: FunctionDefinition, request: RequestHead): boolean {
    const level = authLevel(definition);
    if (this.#options.enforceKeys !== true || level === 'anonymous') return true;
    const { master, host, functions } = this.keys;
    const own = functions[definition.name];
    return carriesKey(
      request,
      level === 'function' ? [master, host, ...(own === undefined ? [] : [own])] : [master],
    );
  }

  /** @returns undefined when CORS is none of our business: not configured, or not asked. */
  #corsHeaders(request: RequestHead): [string, string][] | undefined {
    const { origins, credentials } = this.#options.config.cors;
    const origin = request.headers['origin'];
    if (origins.length === 0 || origin === undefined) return undefined;
    const any = origins.includes('*');
    const headers: [string, string][] = any && !credentials ? [] : [['Vary', 'Origin']];
    if (!any && !origins.some((allowed) => allowed.toLowerCase() === origin.toLowerCase())) return headers;
    headers.push(['Access-Control-Allow-Origin', any && !credentials ? '*' : origin]);
    if (credentials) headers.push(['Access-Control-Allow-Credentials', 'true']);
    if (isPreflight(request)) {
      headers.push(['Access-Control-Allow-Methods', request.headers['access-control-request-method']!]);
      const wanted = request.headers['access-control-request-headers'];
      if (wanted !== undefined) headers.push(['Access-Control-Allow-Headers', wanted]);
    }
    return headers;
  }

  /** The functions with a trigger of one type, those aside that are switched off. */
  #triggered(type: string): FunctionDefinition[] {
    return [...this.worker.functions.values()].filter(({ trigger }) => trigger.type === type);
  }

  /** Says what of the app does not run here, and why. */
  #warn(): void {
    const warn = (line: string): void => {
      this.#options.log('warning', 'Host.Startup', line);
    };
    for (const { name, bindings, trigger, retryOptions } of this.worker.functions.values()) {
      if (retryOptions !== undefined && trigger.type !== 'timerTrigger') {
        warn(
          `The retry policy of '${name}' works, but the Functions host says that it soon will not: of the triggers here only timers have one for good.`,
        );
      }
      if (trigger.type === 'warmupTrigger')
        warn(`The function '${name}' is never called: there is nothing to warm up here.`);
      for (const binding of Object.values(bindings).filter(
        ({ type }) => type === 'queueTrigger' || type === 'queue',
      )) {
        const problem = this.#queues.problem(binding);
        if (problem !== undefined)
          warn(
            `The function '${name}' ${binding === trigger ? 'is never called' : 'fails when it writes a message'}: ${problem}.`,
          );
      }
    }
  }

  #addRoute(definition: FunctionDefinition): void {
    if (definition.trigger.type !== 'httpTrigger') return;
    const level = authLevel(definition);
    if (!LEVELS.includes(level))
      throw new UnsupportedBindingError(
        `The function '${definition.name}' has the authLevel '${level}', which is none of ${LEVELS.join(', ')}.`,
      );
    try {
      this.#router.add(
        definition.name,
        new Route(this.#template(definition), methodsOf(definition), definition),
      );
    } catch (error) {
      throw error instanceof RouteTemplateError
        ? new RouteTemplateError(`The route of '${definition.name}' cannot be read. ${error.message}`)
        : error;
    }
  }

  #template({ name, trigger }: FunctionDefinition): string {
    // An empty route is no route, as the host has it.
    const route = typeof trigger['route'] === 'string' && trigger['route'] !== '' ? trigger['route'] : name;
    const { routePrefix } = this.#options.config;
    return routePrefix === '' ? route : `${routePrefix}/${route}`;
  }
}

/** `@azure/functions` always names some; without any it is GET and POST. */
function methodsOf({ trigger }: FunctionDefinition): string[] {
  return (trigger['methods'] as string[]).map((method) => method.toUpperCase());
}

/** Which key a function asks for: `anonymous`, `function` or `admin`. */
export function authLevel({ trigger }: FunctionDefinition): string {
  return typeof trigger['authLevel'] === 'string' ? trigger['authLevel'].toLowerCase() : 'anonymous';
}

function isPreflight({ method, headers }: RequestHead): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
}

function text(status: number, value: string): HttpResponseLike {
  return { status, headers: [['content-type', 'text/plain; charset=utf-8']], body: Buffer.from(value) };
}
