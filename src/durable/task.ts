import type { OrchestrationContext, Task } from 'durable-functions';

/**
 * The SDK's own task, with the type of its result. `yield*` it to have that result, or hand it to {@link all} and
 * {@link any}. A task is yielded once, alone or in one compound: the SDK sends it to the host again in each further
 * one, and a task that has already completed never completes a new compound.
 *
 * Results have been through JSON: a `Date` is a string by the time it arrives, and `undefined` is `null`.
 */
export interface TypedTask<Result> extends Task {
  readonly result?: Result;
  [Symbol.iterator](): Generator<Task, Result, unknown>;
}

/** Gives a task of the SDK its result's type, and `yield*`. The task itself is returned, not a copy. */
export function typed<Result, SdkTask extends Task = Task>(task: SdkTask): SdkTask & TypedTask<Result> {
  return Object.assign(task, {
    *[Symbol.iterator](this: Task): Generator<Task, Result, unknown> {
      return (yield this) as Result;
    },
  }) as SdkTask & TypedTask<Result>;
}

/** What the tasks give, in their order. */
export type Results<Tasks extends readonly TypedTask<unknown>[]> = {
  -readonly [Index in keyof Tasks]: Tasks[Index] extends TypedTask<infer Result> ? Result : never;
};

/**
 * All the results, in the order of the tasks; the first failure ends the wait. Tasks with a retry policy are not for it: two that
 * fail break the instance on a real host, and `allRetried` is there for them. Nothing to wait for gives `[]` at once
 * (the SDK alone would throw), but only to `yield*`, not inside another compound.
 */
export function all<const Tasks extends readonly TypedTask<unknown>[]>(
  context: OrchestrationContext,
  tasks: Tasks,
): TypedTask<Results<Tasks>> {
  return tasks.length === 0 ? done([] as Results<Tasks>) : typed(context.df.Task.all([...tasks]));
}

/**
 * The first of the tasks to end, itself: compare it with yours, and read its `result`. The others go on. The instance
 * stays Running until the activities among them have ended and the timers have fired: cancel those.
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
