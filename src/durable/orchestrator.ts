import * as df from 'durable-functions';
import type { DurableClient, DurableOrchestrationStatus, OrchestrationContext, Task } from 'durable-functions';
import type { RetryPolicy } from './retry.js';
import { typed, type TypedTask } from './task.js';

/** The workflow itself. It decides only by its input and by what its tasks give it. */
export type OrchestratorBody<Input, Result> = (
  context: OrchestrationContext,
  input: Input,
) => Generator<Task, Result, unknown>;

/** How an orchestrator is called from another. */
export interface SubOrchestrationOptions {
  /** When left out, the host makes one from the parent's execution and the step. */
  instanceId?: string;
  retry?: RetryPolicy;
}

/** An orchestrator by reference: {@link start} it, or call it in another orchestrator. */
export interface Orchestrator<Input, Result> {
  /** Runs as a sub-orchestration once the task is yielded. */
  (context: OrchestrationContext, input: Input, options?: SubOrchestrationOptions): TypedTask<Result>;
  /** The name the host knows it by. */
  readonly orchestratorName: string;
}

/**
 * Registers an orchestrator with the host, and gives back what it is started and called by.
 *
 * @example
 * const greetings = orchestrator('Greetings', function* (context, names: string[]) {
 *   return yield* all(context, names.map((name) => greet(context, name)));
 * });
 */
export function orchestrator<Input, Result>(
  name: string,
  body: OrchestratorBody<Input, Result>,
): Orchestrator<Input, Result> {
  df.app.orchestration(name, (context) => body(context, context.df.getInput<Input>()));
  const call = (context: OrchestrationContext, input: Input, options: SubOrchestrationOptions = {}): TypedTask<Result> => {
    const { instanceId, retry } = options;
    return typed(retry === undefined
      ? context.df.callSubOrchestrator(name, input, instanceId)
      : context.df.callSubOrchestratorWithRetry(name, retry, input, instanceId));
  };
  return Object.assign(call, { orchestratorName: name });
}

/**
 * Starts an instance, and gives its id once the host has accepted it. The id does not lock: simultaneous starts of one
 * id are all accepted, and so is the id of an instance that has finished.
 *
 * @param options.instanceId at most 256 characters; the SDK puts it into URLs as it is, so only what `keyFor` lets out
 */
export function start<Input>(
  client: DurableClient,
  which: Orchestrator<Input, unknown>,
  options: { instanceId: string; input: Input },
): Promise<string> {
  return client.startNew(which.orchestratorName, {
    instanceId: options.instanceId,
    // Without an input the SDK sends the text "", which the orchestrator would then be given.
    input: options.input ?? null,
  });
}

/** The status of an instance, without its input; `undefined` when the hub has none of that id. */
export async function find(client: DurableClient, instanceId: string): Promise<DurableOrchestrationStatus | undefined> {
  try {
    return await client.getStatus(instanceId);
  } catch (error) {
    // The SDK tells an unknown instance apart by this text alone.
    if (error instanceof Error && error.message.includes('HTTP 404')) {
      return undefined;
    }
    throw error;
  }
}
