import { randomUUID } from 'node:crypto';
import type { HostConfig } from './config/config.js';
import type { Clock } from './durable/clock.js';
import type { EngineOptions } from './durable/engine/engine.js';
import { Engine } from './durable/engine/engine.js';
import { OrchestrationSpans } from './durable/engine/spans.js';
import { clientBindingValue } from './durable/management/client-binding.js';
import { SdkV3 } from './durable/protocol/sdk-v3.js';
import type { TaskHub } from './durable/task-hub.js';
import type { ExecutorOptions } from './executor.js';
import { Executor } from './executor.js';
import type { Body, HttpRequestLike, HttpResponseLike } from './http-message.js';
import { HttpServer } from './http-server.js';
import type { Log } from './log.js';
import { RequestHandler } from './request-handler.js';
import { startupRemarks } from './startup-remarks.js';
import { Tracing } from './tracing/tracing.js';
import { resolveBindings } from './triggers/bindings.js';
import { runByHand } from './triggers/by-hand.js';
import { functionsToRun } from './functions-to-run.js';
import { functionUrl, methodsOf } from './triggers/http-functions.js';
import { empty } from './triggers/http.js';
import type { HostKeys } from './triggers/keys.js';
import { keysOf } from './triggers/keys.js';
import { StorageBindings } from './triggers/storage-bindings.js';
import { MemoryBlobReceipts, type BlobReceipts } from './triggers/blob-receipts.js';
import { MemoryScheduleStatuses, type ScheduleStatuses } from './triggers/schedule-statuses.js';
import { Timers } from './triggers/timers.js';
import type { AppWorker, FunctionDefinition, InvocationOutcome } from './worker/types.js';

export interface HostOptions {
  /** The loaded app. */
  app: AppWorker;
  config: HostConfig;
  hub: TaskHub;
  clock: Clock;
  log: Log;
  /** Requires keys from callers, as in Azure. Default: requires none, as under `func start`. */
  enforceKeys?: boolean;
  keys?: HostKeys;
  /** Names besides this machine's own under which the app is served. */
  hostNames?: readonly string[];
  /** Where the host records when timer functions ran. Default: in memory, until the host stops. */
  schedules?: ScheduleStatuses;
  /** Where the host records which blobs blob functions have had. Default: in memory, until the host stops. */
  receipts?: BlobReceipts;
  around?: ExecutorOptions['around'];
  isReplaced?: ExecutorOptions['isReplaced'];
  engine?: Pick<EngineOptions, 'strict' | 'replay' | 'replays' | 'oneEventAnEpisode' | 'sendHttp' | 'opened'>;
  /** Answers requests before the app does; undefined for those that are the app's. Never rejects. */
  front?: (request: HttpRequestLike<Body>) => Promise<HttpResponseLike<Body>> | undefined;
}

/** One running app: its functions, the Durable extension, and the HTTP server in front of them. */
export class Host {
  readonly engine: Engine;
  /** All functions of the app, the disabled ones included. */
  readonly functions: readonly FunctionDefinition[];
  /** Runs the functions that are not disabled. */
  readonly worker: Executor;
  readonly keys: HostKeys;
  /** The protocol of the app's Durable functions. */
  readonly sdk: SdkV3;
  readonly #options: HostOptions;
  readonly #requests: RequestHandler;
  readonly #server: HttpServer;
  readonly storage: StorageBindings;
  readonly timers: Timers;
  readonly #rpcPath: string;
  readonly #tracing: Tracing | undefined;
  #port = 0;
  #started = false;

  /** @throws UnsupportedBindingError, RouteTemplateError */
  constructor(options: HostOptions) {
    this.#options = options;
    this.#tracing = Tracing.of(options.config.tracing, options.clock, options.log);
    this.functions = this.#resolveFunctions();
    this.storage = this.#makeStorage();
    this.worker = this.#makeExecutor();
    this.timers = this.#makeTimers();
    this.keys = keysOf(this.functions, options.keys);
    for (const { level, line } of startupRemarks(
      this.worker.functions.values(),
      this.storage,
      options.config,
    ))
      options.log(level, 'Host.Startup', line);
    // The SDK's client sends no key, on the port that other programs can reach too. So its path is secret
    // where keys matter.
    this.#rpcPath = options.enforceKeys === true ? `/durabletask-${randomUUID()}` : '/durabletask';
    this.sdk = new SdkV3(this.worker);
    this.engine = this.#makeEngine();
    this.#requests = this.#makeRequestHandler();
    this.#server = new HttpServer(
      async (request) => (this.#started ? this.handle(request) : empty(503)),
      options.hostNames,
    );
  }

  /** Takes the hub, continues what was under way, and serves. @returns the port */
  async start(port: number, lost?: (reason: Error) => void): Promise<number> {
    // The port comes first: a port that is in use is found before anything runs.
    this.#port = await this.#server.listen(port);
    try {
      await this.engine.start(lost);
    } catch (error) {
      await this.#server.close();
      throw error;
    }
    this.#started = true;
    this.#options.app.connect(this.#rpcBaseUrl(), (request) => this.#server.answer(request));
    await this.storage.start([...this.#triggered('queueTrigger'), ...this.#triggered('blobTrigger')]);
    await this.timers.start();
    return this.#port;
  }

  /** Lets running requests end, and gives the hub back. */
  async stop(): Promise<void> {
    this.worker.stop();
    await Promise.all([this.#server.close(), this.storage.stop(), this.timers.stop()]);
    const stopping = this.engine.stop();
    this.#options.app.hostStops();
    await stopping;
    await this.#tracing?.flush();
  }

  /** Whether something runs: a function, an episode. */
  get isBusy(): boolean {
    return this.engine.isBusy || this.worker.isBusy || this.timers.isBusy;
  }

  /** Resolves when nothing runs. */
  async whenQuiet(): Promise<void> {
    do {
      await Promise.all([this.engine.whenQuiet(), this.worker.whenQuiet(), this.timers.whenQuiet()]);
      // A finished function may start something in the next turn of the event loop.
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    } while (this.isBusy);
  }

  /** Runs queue functions with all visible messages, and blob functions with all new blobs. @returns whether there were any */
  async drainQueues(): Promise<boolean> {
    return this.storage.drain();
  }

  /** The origin of the host's URLs. */
  get origin(): string {
    return `http://localhost:${this.#port}`;
  }

  /** Whether an app setting disables a function. */
  isDisabled({ name }: FunctionDefinition): boolean {
    return this.#options.config.disabledFunctions.has(name.toLowerCase());
  }

  /** The HTTP functions that are not disabled: name, methods and URL, in order of registration. */
  get httpFunctions(): { name: string; methods: string[]; url: string }[] {
    return this.#triggered('httpTrigger').map((definition) => ({
      name: definition.name,
      methods: methodsOf(definition),
      url: functionUrl(this.origin, definition, this.#options.config.routePrefix),
    }));
  }

  /** Answers a request that came over HTTP or from a test. Never rejects. */
  async handle(request: HttpRequestLike<Body>): Promise<HttpResponseLike<Body>> {
    return this.#options.front?.(request) ?? this.#requests.handle(request);
  }

  /**
   * Runs a timer, queue or blob function at once, without its trigger.
   * @param input the text of the message, or the path of the blob
   * @returns undefined when there is no such function. Rejects when there is no such blob
   */
  run(name: string, input: string): Promise<InvocationOutcome> | undefined {
    const definition = this.worker.find(name);
    return (
      definition &&
      runByHand(definition, input, { timers: this.timers, storage: this.storage, worker: this.worker })
    );
  }

  // ---- the steps of the constructor -----------------------------------------------------------------------

  /**
   * The app's functions with their settings filled in. A disabled function may name settings that are
   * missing.
   */
  #resolveFunctions(): FunctionDefinition[] {
    const { app, config, log } = this.#options;
    return functionsToRun([...app.functions.values()], config, log).map((definition) =>
      this.isDisabled(definition) ? definition : resolveBindings(definition, config.setting),
    );
  }

  #makeStorage(): StorageBindings {
    const { config, log, receipts = new MemoryBlobReceipts() } = this.#options;
    return new StorageBindings({
      config,
      log,
      receipts,
      run: async ({ name }, inputData, triggerMetadata, waiting) =>
        (await this.worker.invoke({ functionName: name, inputData, triggerMetadata }, waiting)).ok,
    });
  }

  #makeExecutor(): Executor {
    const { app, config, clock, log, around, isReplaced } = this.#options;
    return new Executor({
      worker: app,
      log,
      clock,
      functionTimeout: config.functionTimeout,
      functions: this.functions,
      isDisabled: (definition) => this.isDisabled(definition),
      input: (binding, data) =>
        binding.type === 'blob' || binding.type === 'table'
          ? this.storage.read(binding, data)
          : { string: this.#clientBinding() },
      output: (binding, value, data) => this.storage.write(binding, value, data),
      tooLong: app.restart?.bind(app),
      ...(around !== undefined && { around }),
      ...(isReplaced !== undefined && { isReplaced }),
    });
  }

  #makeTimers(): Timers {
    const { config, clock, log, schedules = new MemoryScheduleStatuses() } = this.#options;
    return new Timers(this.#triggered('timerTrigger'), {
      clock,
      log,
      timeZone: config.timeZone,
      statuses: schedules,
      run: ({ name }, inputData) => this.worker.invoke({ functionName: name, inputData }),
    });
  }

  #makeEngine(): Engine {
    const { config, hub, clock, log, engine } = this.#options;
    return new Engine({
      hub,
      clock,
      log,
      sdk: this.sdk,
      ...engine,
      settings: config.durable,
      spans: this.#tracing && new OrchestrationSpans(this.#tracing),
    });
  }

  #makeRequestHandler(): RequestHandler {
    const { app, config, hub, log, enforceKeys = false } = this.#options;
    return new RequestHandler({
      config,
      log,
      enforceKeys,
      functions: this.functions,
      worker: this.worker,
      client: this.engine,
      hubName: hub.name,
      keys: this.keys,
      rpcPath: this.#rpcPath,
      streamAddress: app.streamAddress,
      tracing: this.#tracing,
      origin: () => this.origin,
      isDisabled: (definition) => this.isDisabled(definition),
      run: (name, input) => this.run(name, input),
      crash: (during) => {
        if (during !== undefined && this.worker.find(during) === undefined) return false;
        app.crash(during);
        return true;
      },
    });
  }

  // ---- what the parts ask for -----------------------------------------------------------------------------

  #rpcBaseUrl = (): string => `http://127.0.0.1:${this.#port}${this.#rpcPath}/`;

  #clientBinding(): string {
    return clientBindingValue({
      hubName: this.engine.taskHubName,
      connection: this.#options.config.hubConnectionName,
      origin: this.origin,
      rpcBaseUrl: this.#rpcBaseUrl(),
      key: this.keys.durableTask,
    });
  }

  /** The functions with a trigger of one type that are not disabled. */
  #triggered(type: string): FunctionDefinition[] {
    return [...this.worker.functions.values()].filter(
      ({ trigger, problem }) => trigger.type === type && problem === undefined,
    );
  }
}
