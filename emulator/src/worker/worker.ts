import { randomUUID } from 'node:crypto';
import type { Log, LogLevel } from '../log.js';
import type { CoreInvocationContext, Handler, Hook, Registrations } from './core-api.js';
import type { Binding, FunctionDefinition, InvocationOutcome, InvocationRequest, TypedData, Worker } from './types.js';

export interface WorkerOptions {
  registrations: Registrations;
  log: Log;
  /** Wraps each invocation: the test environment gives it its own time and settings. */
  around?: <T>(functionName: string, run: () => Promise<T>) => Promise<T>;
  /** A handler to run in place of the app's own: the test environment replaces activities. */
  replace?: (functionName: string) => Handler | undefined;
}

/** Runs the functions of a loaded app, hooks included, as the Functions Node worker does. */
export class FunctionsWorker implements Worker {
  readonly functions = new Map<string, FunctionDefinition>();
  readonly #lowerCase = new Map<string, FunctionDefinition>();
  readonly #options: WorkerOptions;
  readonly #appHookData = {};

  constructor(options: WorkerOptions) {
    this.#options = options;
    for (const [name, { metadata }] of options.registrations.functions) {
      const bindings = metadata['bindings'] as Record<string, Binding>;
      const [key, binding] = Object.entries(bindings).find(([, { type }]) => /trigger$/i.test(type))!;
      const retryOptions = metadata['retryOptions'] as Record<string, unknown> | undefined;
      const definition: FunctionDefinition = { name, bindings, trigger: { ...binding, name: key }, ...(retryOptions !== undefined && { retryOptions }) };
      this.functions.set(name, definition);
      this.#lowerCase.set(name.toLowerCase(), definition);
    }
  }

  find(name: string): FunctionDefinition | undefined {
    return this.#lowerCase.get(name.toLowerCase());
  }

  async invoke(request: InvocationRequest): Promise<InvocationOutcome> {
    const { around } = this.#options;
    return around === undefined ? this.#invoke(request) : around(request.functionName, () => this.#invoke(request));
  }

  async #invoke(request: InvocationRequest): Promise<InvocationOutcome> {
    const { registrations, replace } = this.#options;
    const { metadata, handler } = registrations.functions.get(request.functionName)!;
    const core = this.#coreContext(request, metadata);
    try {
      const model = registrations.model!.getInvocationModel(core);
      const { context, inputs } = await model.getArguments();
      if (request.triggerValue !== undefined) inputs[0] = request.triggerValue;
      const own = replace?.(request.functionName) ?? handler;
      const before = registrations.hooks.get('preInvocation');
      const after = registrations.hooks.get('postInvocation');
      const result = before === undefined && after === undefined
        ? await model.invokeFunction(context, inputs, own)
        : await this.#invokeWithHooks(before ?? [], after ?? [], core, context, inputs, own, (callback, args) => model.invokeFunction(context, args, callback));
      const { returnValue, outputData } = await model.getResponse(context, result);
      return {
        ok: true, result, returnValue: returnValue as TypedData | null | undefined,
        outputData: Object.fromEntries((outputData ?? []).map(({ name, data }) => [name, data as TypedData])),
      };
    } catch (error) {
      return {
        ok: false, error, message: error instanceof Error ? error.message : String(error), stackTrace: error instanceof Error ? error.stack : undefined,
      };
    }
  }

  async #invokeWithHooks(
    before: readonly Hook[], after: readonly Hook[], core: CoreInvocationContext, invocationContext: unknown, inputs: unknown[], handler: Handler,
    call: (handler: Handler, inputs: unknown[]) => Promise<unknown>,
  ): Promise<unknown> {
    const hookData = {};
    const appHookData = this.#appHookData;
    // Hooks may put another function or other inputs in place, and may exchange the result or swallow the error.
    const pre = { hookData, appHookData, invocationContext, functionCallback: handler, inputs };
    for (const hook of before) await hook(pre);
    const post: Record<string, unknown> = { hookData, appHookData, invocationContext, inputs: pre.inputs, result: null, error: null };
    try {
      post['result'] = await call(pre.functionCallback, pre.inputs);
    } catch (error) {
      post['error'] = error;
    }
    core.state = 'postInvocationHooks';
    for (const hook of after) await hook(post);
    core.state = undefined;
    if (post['error'] !== null && post['error'] !== undefined) throw post['error'];
    return post['result'];
  }

  #coreContext(request: InvocationRequest, metadata: Record<string, unknown>): CoreInvocationContext {
    const invocationId = randomUUID();
    const inputData: { name: string; data: TypedData }[] = [];
    for (const name in request.inputData) inputData.push({ name, data: request.inputData[name]! });
    return {
      invocationId,
      metadata,
      state: undefined,
      request: {
        invocationId, functionId: request.functionName, inputData, triggerMetadata: request.triggerMetadata ?? {},
        traceContext: { attributes: {}, traceParent: '', traceState: '' },
      },
      log: (level, category, message) => { this.#log(request.functionName, level, category, message); },
    };
  }

  #log(functionName: string, level: LogLevel, category: string, message: string): void {
    const record = { level, message, category, invocationContext: undefined, hookData: {} };
    for (const hook of this.#options.registrations.hooks.get('log') ?? []) void hook(record);
    this.#options.log(record.level, category === 'user' ? `Function.${functionName}.User` : `Function.${functionName}`, record.message);
  }
}
