import { randomUUID } from 'node:crypto';
import { BindingData, withProperties } from './binding-data.js';
import type { Clock } from './durable/clock.js';
import { LONGEST_TIMEOUT } from './durable/clock.js';
import type { FunctionNamesOptions } from './function-names.js';
import { FunctionNames } from './function-names.js';
import type { Log } from './log.js';
import type { RetryPolicy } from './retry.js';
import { policyOf, rpcException } from './retry.js';
import { RunningTasks } from './running-tasks.js';
import { formatTimeSpan } from './time-span.js';
import type {
  Binding,
  FunctionDefinition,
  InvocationOutcome,
  InvocationRequest,
  TypedData,
  Worker,
} from './worker/types.js';
import { WorkerStoppedError } from './worker/types.js';

export interface ExecutorOptions extends FunctionNamesOptions {
  worker: Worker;
  log: Log;
  /** The value of a binding of direction `in` that is not the trigger. Rejects when it cannot be read. */
  input: (binding: Binding, data: BindingData) => TypedData | Promise<TypedData>;
  /** Writes the value that a function gave an output binding. Rejects when it cannot. */
  output: (binding: Binding, value: TypedData | null | undefined, data: BindingData) => Promise<void>;
  clock: Clock;
  /** How long a function may run, in milliseconds of real time; Infinity for no limit. */
  functionTimeout: number;
  /** Called when a function has run too long. Without it the function goes on. */
  tooLong?: (() => void) | undefined;
  /**
   * Wraps each run of a function: the test environment records it, and gives it a time and settings of its
   * own. The request is the one that {@link Executor.invoke} was called with.
   */
  around?: (request: InvocationRequest, run: () => Promise<InvocationOutcome>) => Promise<InvocationOutcome>;
}

/** After so many deaths of the worker part during one replay, the replay fails: it may be their cause. */
const MAX_DEATHS = 3;

/**
 * Runs functions as the host does, for every trigger: it reads the input bindings before a run and writes the
 * output bindings after it, limits the time of the run, follows the retry policy, and logs the result.
 */
export class Executor implements Worker {
  readonly functions: ReadonlyMap<string, FunctionDefinition>;
  readonly #names: FunctionNames;
  readonly #options: ExecutorOptions;
  readonly #policies = new Map<string, RetryPolicy>();
  /** Functions that end the waits for retries. */
  readonly #waits = new Set<() => void>();
  #stopped = false;
  readonly #running = new RunningTasks();
  #completed = 0;

  /** @throws UnsupportedBindingError for a retry policy that cannot be followed */
  constructor(options: ExecutorOptions) {
    this.#options = options;
    this.#names = new FunctionNames(options);
    this.functions = this.#names.enabled;
    for (const { name, retryOptions } of this.functions.values())
      if (retryOptions !== undefined) this.#policies.set(name, policyOf(name, retryOptions));
  }

  find(name: string): FunctionDefinition | undefined {
    return this.#names.find(name);
  }

  disabledBy(name: string): string | undefined {
    return this.#names.disabledBy(name);
  }

  /** Why a function cannot run here: {@link FunctionDefinition.problem}. */
  problemOf(definition: FunctionDefinition): string | undefined {
    return this.#names.isReplaced(definition) ? undefined : definition.problem;
  }

  /** Whether a function runs. */
  get isBusy(): boolean {
    return this.#running.any;
  }

  /** How many runs of functions have ended, without those of orchestrators. */
  get completed(): number {
    return this.#completed;
  }

  /** Resolves when no function runs. */
  async whenQuiet(): Promise<void> {
    await this.#running.finished();
  }

  /** Ends the waits for retries. A function that has failed stays failed. */
  stop(): void {
    this.#stopped = true;
    for (const end of this.#waits) end();
  }

  /** @param waiting called with true when the wait for a retry begins, and with false when it ends */
  async invoke(
    request: InvocationRequest,
    waiting: (waits: boolean) => void = () => {},
  ): Promise<InvocationOutcome> {
    const definition = this.#names.get(request.functionName)!;
    const problem = this.problemOf(definition);
    if (problem !== undefined)
      return {
        ok: false,
        error: new Error(problem),
        message: problem,
        stackTrace: undefined,
        refused: true,
      };
    const policy = this.#policies.get(definition.name);
    if (policy === undefined) return this.#attempt(definition, request);
    const { maxRetryCount } = policy;
    const { log } = this.#options;
    const category = `Function.${definition.name}`;
    let outcome = await this.#attempt(definition, {
      ...request,
      retryContext: { retryCount: 0, maxRetryCount },
    });
    for (let retryCount = 1; !outcome.ok && !this.#stopped; retryCount++) {
      if (maxRetryCount !== -1 && retryCount > maxRetryCount) {
        log('error', category, `Function execution failed after '${maxRetryCount}' retries.`);
        break;
      }
      const delay = policy.delay(retryCount);
      log(
        'debug',
        category,
        `Waiting for \`${formatTimeSpan(delay)}\` before retrying function execution. Next attempt: '${retryCount}'. Max retry count: '${maxRetryCount}'.`,
      );
      waiting(true);
      await this.#wait(delay);
      waiting(false);
      if (this.#stopped) break;
      outcome = await this.#attempt(definition, {
        ...request,
        retryContext: { retryCount, maxRetryCount, exception: rpcException(definition.name, outcome) },
      });
    }
    return outcome;
  }

  async #wait(delay: number): Promise<void> {
    const { clock } = this.#options;
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = clock.schedule(clock.now() + delay, resolve);
    this.#waits.add(resolve);
    await promise;
    this.#waits.delete(resolve);
    cancel();
  }

  async #attempt(definition: FunctionDefinition, request: InvocationRequest): Promise<InvocationOutcome> {
    return this.#running.run(async () => {
      const { type } = definition.trigger;
      // An error of an orchestrator is part of the SDK's protocol. The engine reads it, and logs how the
      // instance ended.
      if (type === 'orchestrationTrigger') return this.#repeat(() => this.#run(request, request));
      const run = (): Promise<InvocationOutcome> => this.#execute(definition, request);
      const outcome = await (type === 'entityTrigger' ? this.#repeat(run) : run());
      this.#completed++;
      return outcome;
    });
  }

  /** Runs what has no side effects again when the worker part died of something else meanwhile. */
  async #repeat(run: () => Promise<InvocationOutcome>): Promise<InvocationOutcome> {
    for (let deaths = 1; ; deaths++) {
      const outcome = await run();
      if (outcome.ok || outcome.exit !== 'again' || deaths === MAX_DEATHS) return outcome;
    }
  }

  async #execute(definition: FunctionDefinition, request: InvocationRequest): Promise<InvocationOutcome> {
    const { log } = this.#options;
    const invocationId = request.invocationId ?? randomUUID();
    const startedAt = performance.now();
    const triggerMetadata = withProperties(
      request.triggerMetadata ?? {},
      request.inputData[definition.trigger.name],
    );
    const data = new BindingData(definition, request.inputData[definition.trigger.name], triggerMetadata);
    let outcome = await orFailure(async () =>
      this.#inTime(
        definition.name,
        invocationId,
        this.#run(request, {
          ...request,
          invocationId,
          triggerMetadata,
          inputData: await this.#inputs(definition, request, data),
        }),
      ),
    );
    if (outcome.ok) outcome = await this.#writeOutputs(definition, outcome, data);
    const how = outcome.ok ? 'Succeeded' : 'Failed';
    const line = `Executed 'Functions.${definition.name}' (${how}, Id=${invocationId}, Duration=${Math.round(performance.now() - startedAt)}ms)`;
    if (outcome.ok) log('debug', `Function.${definition.name}`, line);
    else log('error', `Function.${definition.name}`, `${line}\n${outcome.stackTrace ?? outcome.message}`);
    return outcome;
  }

  async #run(request: InvocationRequest, completed: InvocationRequest): Promise<InvocationOutcome> {
    const { worker, around } = this.#options;
    return around === undefined
      ? worker.invoke(completed)
      : around(request, async () => worker.invoke(completed));
  }

  /**
   * Production restarts the worker of a function that takes too long. In a test the function shares the host's
   * process: it goes on, and its result is ignored.
   */
  async #inTime(
    name: string,
    invocationId: string,
    running: Promise<InvocationOutcome>,
  ): Promise<InvocationOutcome> {
    const { functionTimeout, log, tooLong: restart } = this.#options;
    if (functionTimeout > LONGEST_TIMEOUT) return running;
    const { promise: tooLong, resolve } = Promise.withResolvers<InvocationOutcome>();
    const timeout = setTimeout(() => {
      const limit = formatTimeSpan(functionTimeout);
      log(
        'error',
        `Function.${name}`,
        `Timeout value of ${limit} exceeded by function 'Functions.${name}' (Id: '${invocationId}'). ${restart === undefined ? 'It cannot be stopped; its result will be ignored.' : 'The host ends the process of the app.'}`,
      );
      const message = `Timeout value of ${limit} was exceeded by function: Functions.${name}`;
      resolve({ ok: false, error: new Error(message), message, stackTrace: undefined, timedOut: true });
      restart?.();
    }, functionTimeout).unref();
    try {
      return await Promise.race([running, tooLong]);
    } finally {
      clearTimeout(timeout);
    }
  }

  async #inputs(
    definition: FunctionDefinition,
    { inputData }: InvocationRequest,
    data: BindingData,
  ): Promise<Record<string, TypedData>> {
    const { bindings, trigger } = definition;
    const inputs = { ...inputData };
    for (const binding of Object.values(bindings)) {
      if (binding.direction !== 'in' || binding.name === trigger.name) continue;
      const isRead = isClient(binding) || !this.#names.isReplaced(definition);
      inputs[binding.name] = isRead ? await this.#options.input(binding, data) : {};
    }
    return inputs;
  }

  async #writeOutputs(
    { bindings }: FunctionDefinition,
    outcome: Extract<InvocationOutcome, { ok: true }>,
    data: BindingData,
  ): Promise<InvocationOutcome> {
    return orFailure(async () => {
      for (const binding of Object.values(bindings)) {
        if (binding.direction !== 'out' || binding.type === 'http') continue;
        const value = binding.name === '$return' ? outcome.returnValue : outcome.outputData[binding.name];
        await this.#options.output(binding, value, data);
      }
      return outcome;
    });
  }
}

function isClient({ type }: Binding): boolean {
  return type === 'durableClient' || type === 'orchestrationClient';
}

/** What fails before or after a function counts as its failure. */
async function orFailure(task: () => Promise<InvocationOutcome>): Promise<InvocationOutcome> {
  try {
    return await task();
  } catch (error) {
    if (error instanceof WorkerStoppedError) throw error;
    return {
      ok: false,
      error,
      message: error instanceof Error ? error.message : String(error),
      stackTrace: error instanceof Error ? error.stack : undefined,
    };
  }
}
