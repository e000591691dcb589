import { randomUUID } from 'node:crypto';
import type { Log, LogLevel } from '../log.js';
import { rpcTraceContext } from '../tracing/trace-context.js';
import { answerClients, type AnswerClient } from './client-requests.js';
import type { CoreInvocationContext, Handler, Hook, InvocationModel, Registrations } from './core-api.js';
import { observe } from './code-location.js';
import { SessionLostError, sparingSearch } from '../durable/protocol/sdk-session.js';
import { Sessions, type SessionLimits } from './sessions.js';
import type {
  AppWorker,
  Binding,
  FunctionDefinition,
  InvocationOutcome,
  InvocationRequest,
  Locating,
  TypedData,
} from './types.js';
import { asError } from './thrown.js';
import { workerExit } from './worker-exit.js';

export interface WorkerOptions {
  registrations: Registrations;
  log: Log;
  /**
   * Returns a handler that runs in place of the app's own. The test environment replaces activities with it.
   */
  replace?: (functionName: string) => Handler | undefined;
  sessions?: SessionLimits;
}

const NO_HOOKS: readonly Hook[] = [];
const LOST: InvocationOutcome = {
  ok: false,
  error: undefined,
  message: 'The run cannot be resumed.',
  stackTrace: undefined,
  lost: true,
};

/**
 * Runs the functions of a loaded app with their hooks, as the Functions Node worker does, in this process.
 * From now on, it logs the records of the library.
 */
export class FunctionsWorker implements AppWorker {
  readonly functions: ReadonlyMap<string, FunctionDefinition>;
  readonly streamAddress: (() => Promise<string>) | undefined;
  readonly #lowerCase: ReadonlyMap<string, FunctionDefinition>;
  readonly #options: WorkerOptions;
  /** Functions that end the invocations that run, when the worker crashes. */
  readonly #running = new Set<(outcome: InvocationOutcome) => void>();
  readonly #sessions: Sessions;
  #disconnect: () => void = () => {};
  /** The function that is to crash the worker, in lower case. */
  #crashDuring: string | undefined;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#sessions = new Sessions(options.sessions);
    const { registrations, log } = options;
    const definitions = definitionsOf(registrations);
    this.functions = new Map(definitions.map((definition) => [definition.name, definition]));
    this.#lowerCase = new Map(definitions.map((definition) => [definition.name.toLowerCase(), definition]));
    const address = registrations.httpAddress;
    this.streamAddress = address === undefined ? undefined : () => Promise.resolve(address);
    registrations.log = (level, message) => {
      log(level, 'Worker', message);
    };
    for (const { level, message } of registrations.records.splice(0)) registrations.log(level, message);
  }

  find(name: string): FunctionDefinition | undefined {
    return this.#lowerCase.get(name.toLowerCase());
  }

  /** {@inheritDoc AppWorker.crash} Here the app stays loaded, and what its functions still do goes on. */
  crash(during?: string): void {
    this.#crashDuring = during?.toLowerCase();
    if (during !== undefined) return;
    this.#sessions.clear();
    for (const end of this.#running) end(workerExit({ code: 1, exit: 'counts' }));
  }

  connect(address: string, answer: AnswerClient): void {
    this.#disconnect = answerClients(address, answer);
  }

  hostStops(): void {
    this.#disconnect();
  }

  async invoke(request: InvocationRequest): Promise<InvocationOutcome> {
    const { promise, resolve, reject } = Promise.withResolvers<InvocationOutcome>();
    this.#running.add(resolve);
    const { locate } = request;
    (locate === undefined ? this.#invoke(request) : this.#invokeAndLocate(request, locate)).then(
      resolve,
      reject,
    );
    if (this.#crashDuring === request.functionName.toLowerCase()) this.crash();
    try {
      return await promise;
    } finally {
      this.#running.delete(resolve);
    }
  }

  async #invokeAndLocate(
    request: InvocationRequest,
    { within, generator }: Locating,
  ): Promise<InvocationOutcome> {
    let context: unknown;
    return observe(
      () =>
        this.#invoke(request, (made) => {
          context = made;
        }),
      within,
      ({ result, thrownAt, locate }) => ({
        ...result,
        place:
          locate(
            generator.reduce<unknown>(
              (value, property) => (value as Record<string, unknown> | undefined)?.[property],
              context,
            ),
          ) ?? thrownAt,
      }),
    );
  }

  /** @param began called with the library's context of the invocation */
  async #invoke(
    request: InvocationRequest,
    began: (context: unknown) => void = () => {},
  ): Promise<InvocationOutcome> {
    const { registrations, replace } = this.#options;
    const { functionName } = request;
    const { metadata, handler } = registrations.functions.get(functionName)!;
    const invocation = new Invocation(request, metadata, this.#options);
    const own = replace?.(functionName) ?? handler;
    const session = this.#sessions.open(request, own, invocation);
    if (session === 'lost') return LOST;
    try {
      const model = registrations.model!.getInvocationModel(invocation);
      const { context, inputs } = await model.getArguments();
      invocation.context = context;
      began(context);
      if (request.triggerValue !== undefined) inputs[0] = session?.trigger ?? request.triggerValue;
      const run = session?.handler ?? sparingSearch(own, request.triggerValue);
      const whole = await this.#invokeWithHooks(model, invocation, inputs, run);
      const ended = session?.end(whole);
      if (ended === 'lost') return LOST;
      const result = ended === undefined ? whole : ended.result;
      const { returnValue, outputData } = await model.getResponse(context, result);
      const outputs: Record<string, TypedData> = {};
      for (const { name, data } of outputData ?? []) outputs[name] = data as TypedData;
      return {
        ok: true,
        result,
        returnValue: returnValue as TypedData | null | undefined,
        outputData: outputs,
        ...(ended !== undefined && { session: ended.state }),
      };
    } catch (error) {
      if (error instanceof SessionLostError) return LOST;
      const { message, stack: stackTrace } = asError(error);
      return { ok: false, error, message, stackTrace };
    }
  }

  async #invokeWithHooks(
    model: InvocationModel,
    invocation: Invocation,
    inputs: unknown[],
    handler: Handler,
  ): Promise<unknown> {
    const { appHookData, hooks } = this.#options.registrations;
    const { hookData, context: invocationContext } = invocation;
    // Hooks may replace the function, the inputs and the result, and may drop the error.
    const pre = { hookData, appHookData, invocationContext, functionCallback: handler, inputs };
    invocation.state = 'preInvocationHooks';
    for (const hook of hooks.get('preInvocation') ?? NO_HOOKS) await hook(pre);
    const post: Record<string, unknown> = {
      hookData,
      appHookData,
      invocationContext,
      inputs: pre.inputs,
      result: null,
      error: null,
    };
    invocation.state = 'invocation';
    try {
      post['result'] = await model.invokeFunction(invocationContext, pre.inputs, pre.functionCallback);
    } catch (error) {
      post['error'] = error;
    }
    invocation.state = 'postInvocationHooks';
    for (const hook of hooks.get('postInvocation') ?? NO_HOOKS) await hook(post);
    invocation.state = undefined;
    const { error } = post;
    // As in the real worker, `throw undefined` is a success without a result.
    // oxlint-disable-next-line typescript/only-throw-error -- the app threw it
    if (error !== null && error !== undefined) throw error;
    return post['result'];
  }
}

/** The functions that an app has registered. */
export function definitionsOf({ functions }: Pick<Registrations, 'functions'>): FunctionDefinition[] {
  return [...functions].map(([name, { metadata }]) => {
    const bindings = metadata['bindings'] as Record<string, Binding>;
    const [key, binding] = Object.entries(bindings).find(([, { type }]) => /trigger$/i.test(type))!;
    const retryOptions = metadata['retryOptions'] as Record<string, unknown> | undefined;
    return {
      name,
      bindings,
      trigger: { ...binding, name: key },
      ...(retryOptions !== undefined && { retryOptions }),
    };
  });
}

/** One invocation, in the form that the library reads. */
class Invocation implements CoreInvocationContext {
  readonly invocationId: string;
  readonly metadata: Record<string, unknown>;
  readonly request: Record<string, unknown>;
  state: CoreInvocationContext['state'];
  /** The library's own context, when it exists. */
  context: unknown;
  readonly #functionName: string;
  readonly #options: WorkerOptions;
  /** See {@link InvocationRequest.silent}. */
  silent: boolean;
  #hookData: Record<string, unknown> | undefined;

  constructor(request: InvocationRequest, metadata: Record<string, unknown>, options: WorkerOptions) {
    const {
      functionName,
      invocationId,
      inputData,
      triggerMetadata,
      retryContext,
      trace,
      silent = false,
    } = request;
    this.invocationId = invocationId ?? randomUUID();
    this.metadata = metadata;
    this.#functionName = functionName;
    this.#options = options;
    this.silent = silent;
    const inputs: { name: string; data: TypedData }[] = [];
    for (const name in inputData) inputs.push({ name, data: inputData[name]! });
    this.request = {
      invocationId: this.invocationId,
      functionId: functionName,
      inputData: inputs,
      triggerMetadata: triggerMetadata ?? {},
      traceContext: rpcTraceContext(trace),
      ...(retryContext !== undefined && { retryContext }),
    };
  }

  /** Data that the hooks of this invocation share. */
  get hookData(): Record<string, unknown> {
    this.#hookData ??= {};
    return this.#hookData;
  }

  log(level: LogLevel, category: 'user' | 'system', message: string): void {
    if (this.silent) return;
    const { registrations, log } = this.#options;
    const name =
      category === 'user' ? `Function.${this.#functionName}.User` : `Function.${this.#functionName}`;
    const hooks = registrations.hooks.get('log') ?? NO_HOOKS;
    if (hooks.length === 0) {
      log(level, name, message);
      return;
    }
    const record = {
      level,
      message,
      category,
      invocationContext: this.context,
      hookData: this.hookData,
      appHookData: registrations.appHookData,
    };
    for (const hook of hooks) void hook(record);
    log(record.level, name, record.message);
  }
}
