import type { OrchestrationContext, Task } from 'durable-functions';

/**
 * The SDK's own task, with the type of its result. `yield*` it to get the result, or pass it to {@link all}
 * or {@link any}. Yield a task once, alone or in one compound: in each further compound the SDK would send it
 * to the host again, and a completed task never completes a new compound.
 *
 * Results travel as JSON: a `Date` arrives as a string, and `undefined` as `null`.
 */
export interface TypedTask<Result> extends Task {
  readonly result?: Result;
  [Symbol.iterator](): Generator<Task, Result, unknown>;
}

/**
 * Adds the result's type and `yield*` to a task of the SDK.
 *
 * @returns the same task, not a copy
 * @example
 * const { statusCode } = yield* typed<DurableHttpResponse>(context.df.callHttp({ method: 'GET', url }));
 */
export function typed<Result, SdkTask extends Task = Task>(task: SdkTask): SdkTask & TypedTask<Result> {
  return Object.assign(task, {
    *[Symbol.iterator](this: Task): Generator<Task, Result, unknown> {
      return (yield this) as Result;
    },
  }) as SdkTask & TypedTask<Result>;
}

/** The types of the tasks' results, in the tasks' order. */
export type Results<Tasks extends readonly TypedTask<unknown>[]> = {
  -readonly [Index in keyof Tasks]: Tasks[Index] extends TypedTask<infer Result> ? Result : never;
};

/**
 * All results, in the order of the tasks. The first failure ends the wait. Do not use it for tasks with a
 * retry policy: if two of them fail, they break the instance on a real host; use `allRetried`. Without tasks
 * it gives `[]` at once (the SDK would throw), but only to `yield*`, not inside another compound.
 *
 * @example
 * const [room, monster] = yield* all(context, [makeRoom(context, player), makeMonster(context, player)]);
 */
export function all<const Tasks extends readonly TypedTask<unknown>[]>(
  context: OrchestrationContext,
  tasks: Tasks,
): TypedTask<Results<Tasks>> {
  return tasks.length === 0 ? done([] as Results<Tasks>) : typed(context.df.Task.all([...tasks]));
}

/**
 * Gives the first task that ends: compare it with yours, and read its `result`. The other tasks continue. The
 * instance stays Running until the activities among them have ended and the timers have fired, so cancel the
 * timers.
 *
 * @example
 * const answers = [askFirst(context, question), askSecond(context, question)];
 * const fastest = yield* any(context, answers);
 * return fastest.result;
 */
export function any<Each extends TypedTask<unknown>>(
  context: OrchestrationContext,
  tasks: readonly Each[],
): TypedTask<Each> {
  return typed(context.df.Task.any([...tasks]));
}

function done<Result>(result: Result): TypedTask<Result> {
  return {
    isCompleted: true,
    isFaulted: false,
    result,
    // oxlint-disable-next-line require-yield -- there is nothing to wait for
    *[Symbol.iterator]() {
      return result;
    },
  };
}
