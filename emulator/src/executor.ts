import { randomUUID } from 'node:crypto';
import { withProperties } from './binding-data.js';
import type { Log } from './log.js';
import type { Binding, FunctionDefinition, InvocationOutcome, InvocationRequest, TypedData, Worker } from './worker/types.js';

export interface ExecutorOptions {
  worker: Worker;
  /** The functions that may run, with their settings filled in. */
  functions: readonly FunctionDefinition[];
  log: Log;
  /** The value of a binding of direction `in` that is not the trigger. */
  input: (binding: Binding) => TypedData;
  /** Writes what a function gave an output binding. Rejects when it cannot. */
  output: (binding: Binding, value: TypedData | null | undefined) => Promise<void>;
}

/**
 * Runs functions as the host does, whatever triggered them: with their input bindings read before and their output bindings
 * written after, and a line in the log.
 */
export class Executor implements Worker {
  readonly functions: ReadonlyMap<string, FunctionDefinition>;
  readonly #lowerCase: ReadonlyMap<string, FunctionDefinition>;
  readonly #options: ExecutorOptions;
  #running = 0;
  #completed = 0;
  #quiet: (() => void)[] = [];

  constructor(options: ExecutorOptions) {
    this.#options = options;
    this.functions = new Map(options.functions.map((definition) => [definition.name, definition]));
    this.#lowerCase = new Map(options.functions.map((definition) => [definition.name.toLowerCase(), definition]));
  }

  find(name: string): FunctionDefinition | undefined {
    return this.#lowerCase.get(name.toLowerCase());
  }

  /** Whether a function runs. */
  get isBusy(): boolean {
    return this.#running > 0;
  }

  /** How many functions have run, orchestrators aside. */
  get completed(): number {
    return this.#completed;
  }

  /** Resolves when no function runs. */
  async whenQuiet(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => { this.#quiet.push(resolve); });
  }

  async invoke(request: InvocationRequest): Promise<InvocationOutcome> {
    this.#running++;
    try {
      const definition = this.functions.get(request.functionName)!;
      // What an orchestrator throws is the SDK's protocol: the engine reads it, and says how the instance ended.
      if (definition.trigger.type === 'orchestrationTrigger') return await this.#options.worker.invoke(request);
      const outcome = await this.#execute(definition, request);
      this.#completed++;
      return outcome;
    } finally {
      if (--this.#running === 0) for (const resolve of this.#quiet.splice(0)) resolve();
    }
  }

  async #execute(definition: FunctionDefinition, request: InvocationRequest): Promise<InvocationOutcome> {
    const { worker, log } = this.#options;
    const invocationId = request.invocationId ?? randomUUID();
    const startedAt = performance.now();
    const triggerMetadata = withProperties(request.triggerMetadata ?? {}, request.inputData[definition.trigger.name]);
    let outcome = await worker.invoke({ ...request, invocationId, triggerMetadata, inputData: this.#inputs(definition, request) });
    if (outcome.ok) outcome = await this.#writeOutputs(definition, outcome);
    const how = outcome.ok ? 'Succeeded' : 'Failed';
    const line = `Executed 'Functions.${definition.name}' (${how}, Id=${invocationId}, Duration=${Math.round(performance.now() - startedAt)}ms)`;
    if (outcome.ok) log('debug', `Function.${definition.name}`, line);
    else log('error', `Function.${definition.name}`, `${line}\n${outcome.stackTrace ?? outcome.message}`);
    return outcome;
  }

  #inputs({ bindings, trigger }: FunctionDefinition, { inputData }: InvocationRequest): Record<string, TypedData> {
    const inputs = { ...inputData };
    for (const binding of Object.values(bindings)) if (binding.direction === 'in' && binding.name !== trigger.name) inputs[binding.name] = this.#options.input(binding);
    return inputs;
  }

  async #writeOutputs({ bindings }: FunctionDefinition, outcome: Extract<InvocationOutcome, { ok: true }>): Promise<InvocationOutcome> {
    try {
      for (const binding of Object.values(bindings)) {
        if (binding.direction !== 'out' || binding.type === 'http') continue;
        await this.#options.output(binding, binding.name === '$return' ? outcome.returnValue : outcome.outputData[binding.name]);
      }
      return outcome;
    } catch (error) {
      return { ok: false, error, message: error instanceof Error ? error.message : String(error), stackTrace: error instanceof Error ? error.stack : undefined };
    }
  }
}
