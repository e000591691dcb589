import { randomUUID } from 'node:crypto';
import type { Log, LogLevel } from '../log.js';
import { rpcTraceContext } from '../tracing/trace-context.js';
import type { CoreInvocationContext, Handler, Hook, InvocationModel, Registrations } from './core-api.js';
import type {
  Binding,
  FunctionDefinition,
  InvocationOutcome,
  InvocationRequest,
  TypedData,
  Worker,
} from './types.js';

export interface WorkerOptions {
  registrations: Registrations;
  log: Log;
  /**
   * Returns a handler that runs in place of the app's own. The test environment replaces activities with it.
   */
  replace?: (functionName: string) => Handler | undefined;
}

const NO_HOOKS: readonly Hook[] = [];

/** Runs the functions of a loaded app with their hooks, as the Functions Node worker does. */
export class FunctionsWorker implements Worker {
  readonly functions = new Map<string, FunctionDefinition>();
  readonly #lowerCase = new Map<string, FunctionDefinition>();
  readonly #options: WorkerOptions;

  constructor(options: WorkerOptions) {
    this.#options = options;
    for (const [name, { metadata }] of options.registrations.functions) {
      const bindings = metadata['bindings'] as Record<string, Binding>;
      const [key, binding] = Object.entries(bindings).find(([, { type }]) => /trigger$/i.test(type))!;
      const retryOptions = metadata['retryOptions'] as Record<string, unknown> | undefined;
      const definition: FunctionDefinition = {
        name,
        bindings,
        trigger: { ...binding, name: key },
        ...(retryOptions !== undefined && { retryOptions }),
      };
      this.functions.set(name, definition);
      this.#lowerCase.set(name.toLowerCase(), definition);
    }
  }

  find(name: string): FunctionDefinition | undefined {
    return this.#lowerCase.get(name.toLowerCase());
  }

  async invoke(request: InvocationRequest): Promise<InvocationOutcome> {
    const { registrations, replace } = this.#options;
    const { functionName } = request;
    const { metadata, handler } = registrations.functions.get(functionName)!;
    const invocation = new Invocation(request, metadata, this.#options);
    try {
      const model = registrations.model!.getInvocationModel(invocation);
      const { context, inputs } = await model.getArguments();
      invocation.context = context;
      if (request.triggerValue !== undefined) inputs[0] = request.triggerValue;
      const own = replace?.(functionName) ?? handler;
      const result = await this.#invokeWithHooks(model, invocation, inputs, own);
      const { returnValue, outputData } = await model.getResponse(context, result);
      const outputs: Record<string, TypedData> = {};
      for (const { name, data } of outputData ?? []) outputs[name] = data as TypedData;
      return {
        ok: true,
        result,
        returnValue: returnValue as TypedData | null | undefined,
        outputData: outputs,
        context,
      };
    } catch (error) {
      const stackTrace = error instanceof Error ? error.stack : undefined;
      const message = error instanceof Error ? error.message : String(error);
      return { ok: false, error, message, stackTrace, context: invocation.context };
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
  readonly silent: boolean;
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
