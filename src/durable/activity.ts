import type { InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import type { ActivityOptions, DurableClient, OrchestrationContext } from 'durable-functions';
import type { RetryPolicy } from './retry.js';
import { typed, type TypedTask } from './task.js';

/** The function of an activity. It may run twice with the same input, also after its workflow has ended. */
export type ActivityHandler<Input, Result> = (
  input: Input,
  context: InvocationContext,
) => Result | Promise<Result>;

/** The same for an activity that starts or wakes other workflows. */
export type ClientActivityHandler<Input, Result> = (
  input: Input,
  client: DurableClient,
  context: InvocationContext,
) => Result | Promise<Result>;

/** An activity by reference: call it in an orchestrator with its context and input. */
export interface Activity<Input, Result> {
  /** Schedules the activity once the task is yielded; with a policy, the host tries again after a failure. */
  (context: OrchestrationContext, input: Input, retry?: RetryPolicy): TypedTask<Result>;
  /** Its name in the host. */
  readonly activityName: string;
  /** The function itself, for calls without a host. */
  readonly handler: ActivityHandler<Input, Result>;
}

/**
 * Registers an activity with the host, and returns the reference by which orchestrators call it.
 *
 * Input and result travel as JSON, and the host passes a bare `true` as the text `True`: wrap it in an
 * object.
 *
 * @example
 * const sendReminder = activity('SendReminder', async (reminder: Reminder): Promise<Receipt> => { ... });
 * const receipt = yield* sendReminder(context, { to: 'kim', number: 3 });
 */
export function activity<Input, Result>(
  name: string,
  handler: ActivityHandler<Input, Result>,
): Activity<Input, Result> {
  return register(name, handler, {});
}

/**
 * Registers an activity that gets a durable client, to start or wake other workflows.
 *
 * @example
 * const startGame = clientActivity('StartGame', async ({ id }: { id: string }, client) => {
 *   await ensureRunning(client, gameOrchestrator, { instanceId: id, input: { id } });
 *   return null;
 * });
 */
export function clientActivity<Input, Result>(
  name: string,
  handler: ClientActivityHandler<Input, Result>,
): Activity<Input, Result> {
  return register(name, (input: Input, context) => handler(input, df.getClient(context), context), {
    extraInputs: [df.input.durableClient()],
  });
}

function register<Input, Result>(
  name: string,
  handler: ActivityHandler<Input, Result>,
  options: Pick<ActivityOptions, 'extraInputs'>,
): Activity<Input, Result> {
  df.app.activity(name, { ...options, handler });
  const call = (context: OrchestrationContext, input: Input, retry?: RetryPolicy): TypedTask<Result> =>
    typed(
      retry === undefined
        ? context.df.callActivity(name, input)
        : context.df.callActivityWithRetry(name, retry, input),
    );
  return Object.assign(call, { activityName: name, handler });
}
