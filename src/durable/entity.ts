import * as df from 'durable-functions';
import type { DurableClient, OrchestrationContext } from 'durable-functions';
import { typed, type TypedTask } from './task.js';

/**
 * An operation: returns the new state, and the result for the caller. It is pure, and returns `state` itself
 * when there is nothing to change. It returns a refusal as its result, because an error that an entity throws
 * reaches the caller as `[object Object]`.
 */
// oxlint-disable-next-line typescript/no-explicit-any -- the input of any operation
export type Operation<State, Input = any, Result = unknown> = (
  state: State,
  input: Input,
) => readonly [state: State, result: Result];

type Operations<State> = Readonly<Record<string, Operation<State>>>;
type InputOf<Each> = Each extends (state: never, input: infer Input) => unknown ? Input : never;
type ResultOf<Each> = Each extends (state: never, input: never) => readonly [unknown, infer Result]
  ? Result
  : never;

/** A durable entity by reference. Its keys go into URLs as they are: make them with `keyFor`. */
export interface Entity<State, All> {
  /**
   * Calls an operation from an orchestrator, which waits for the result. Operations of one entity run one by
   * one.
   */
  call<Name extends keyof All & string>(
    context: OrchestrationContext,
    key: string,
    operation: Name,
    input: InputOf<All[Name]>,
  ): TypedTask<ResultOf<All[Name]>>;
  /**
   * Sends an operation from an orchestrator, which does not wait. It arrives with the next task that is
   * yielded.
   */
  send<Name extends keyof All & string>(
    context: OrchestrationContext,
    key: string,
    operation: Name,
    input: InputOf<All[Name]>,
  ): void;
  /**
   * Sends an operation from outside of an orchestrator. The host has accepted it when the promise resolves.
   */
  signal<Name extends keyof All & string>(
    client: DurableClient,
    key: string,
    operation: Name,
    input: InputOf<All[Name]>,
  ): Promise<void>;
  /** The state after the last operation; the initial one before the first. */
  read(client: DurableClient, key: string): Promise<State>;
  /** Its name in the host. */
  readonly entityName: string;
}

/**
 * Registers an entity with the host, and returns the reference by which it is called.
 *
 * @param initial the state before the first operation
 * @param operations by name. A caller may send one twice, so doing it twice must change nothing
 * @example
 * const counter = entity('Counter', { count: 0 }, {
 *   count: ({ count }, { by }: { by: number }) => [{ count: count + by }, count + by],
 * });
 * const count = yield* counter.call(context, 'visitors', 'count', { by: 1 });
 */
export function entity<State, const All extends Operations<State>>(
  name: string,
  initial: State,
  operations: All,
): Entity<State, All> {
  df.app.entity<State>(name, ({ df: context }) => {
    const { operationName = '' } = context;
    if (!Object.hasOwn(operations, operationName)) {
      throw new Error(`The entity ${name} has no operation ${operationName}`);
    }
    const before = context.getState(() => initial)!;
    const [after, result] = operations[operationName]!(before, context.getInput<unknown>());
    // An operation makes the entity exist, and an entity without a state cannot be read.
    if (after !== before || context.isNewlyConstructed) {
      context.setState(after);
    }
    context.return(result);
  });
  const idOf = (key: string): df.EntityId => new df.EntityId(name, key);
  return {
    call: (context, key, operation, input) => typed(context.df.callEntity(idOf(key), operation, input)),
    send(context, key, operation, input) {
      context.df.signalEntity(idOf(key), operation, input);
    },
    signal: (client, key, operation, input) => client.signalEntity(idOf(key), operation, input),
    async read(client, key) {
      const { entityExists, entityState } = await client.readEntityState<State>(idOf(key));
      return entityExists && entityState !== undefined ? entityState : initial;
    },
    entityName: name,
  };
}
