import * as df from 'durable-functions';
import type { OrchestrationContext, Task } from 'durable-functions';
import type { RetryPolicy } from './retry.js';
import { typed, type TypedTask } from './task.js';

/** How an orchestrator is called from another. */
export interface SubOrchestrationOptions {
  /** When left out, the host makes one from the parent's execution and the step. */
  instanceId?: string;
  retry?: RetryPolicy;
}

/** An orchestrator by reference: `start` it, or call it in another orchestrator. */
export interface Orchestrator<Input, Result> {
  /** Runs as a sub-orchestration once the task is yielded. */
  (context: OrchestrationContext, input: Input, options?: SubOrchestrationOptions): TypedTask<Result>;
  /** The name the host knows it by. */
  readonly orchestratorName: string;
}

/**
 * Registers an orchestrator with the host, and gives back what it is started and called by. The body decides only by
 * its input and by what its tasks give it.
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
