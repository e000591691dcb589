import * as df from 'durable-functions';
import type { OrchestrationContext, Task } from 'durable-functions';
import type { RetryPolicy } from './retry.js';
import { typed, type TypedTask } from './task.js';

/** How an orchestrator is called from another. */
export interface SubOrchestrationOptions {
  /** Default: the host makes one from the parent's execution and the step. */
  instanceId?: string;
  retry?: RetryPolicy;
}

/** An orchestrator by reference: `start` it, or call it in another orchestrator. */
export interface Orchestrator<Input, Result> {
  /** Runs as a sub-orchestration once the task is yielded. */
  (context: OrchestrationContext, input: Input, options?: SubOrchestrationOptions): TypedTask<Result>;
  /** Its name in the host. */
  readonly orchestratorName: string;
}

/**
 * Registers an orchestrator with the host. The body depends only on its input and on the results of its
 * tasks.
 *
 * @returns the reference by which it is started and called
 *
 * @example
 * const greetings = orchestrator('Greetings', function* (context, names: string[]) {
 *   return yield* all(context, names.map((name) => greet(context, name)));
 * });
 */
export function orchestrator<Input, Result>(
  name: string,
  body: (context: OrchestrationContext, input: Input) => Generator<Task, Result, unknown>,
): Orchestrator<Input, Result> {
  df.app.orchestration(name, (context) => body(context, context.df.getInput<Input>()));
  const call = (
    context: OrchestrationContext,
    input: Input,
    options: SubOrchestrationOptions = {},
  ): TypedTask<Result> => {
    const { instanceId, retry } = options;
    return typed(
      retry === undefined
        ? context.df.callSubOrchestrator(name, input, instanceId)
        : context.df.callSubOrchestratorWithRetry(name, retry, input, instanceId),
    );
  };
  return Object.assign(call, { orchestratorName: name });
}
