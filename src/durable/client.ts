import { OrchestrationRuntimeStatus as Status } from 'durable-functions';
import type { DurableClient, DurableOrchestrationStatus } from 'durable-functions';
import type { ExternalEvent } from './event.js';
import type { Orchestrator } from './orchestrator.js';

/** What {@link ensureRunning} found, and did. */
export type Ensured = 'started' | 'already started' | 'woken' | 'running';

/** An instance in one of these does nothing any more. */
const finished: readonly Status[] = [Status.Completed, Status.Failed, Status.Terminated, Status.Canceled];

/**
 * The one way to make sure that a workflow runs. It starts an instance that is missing, starts one again that has
 * finished, and else raises `wake`. Call it only while the workflow's record is not final: then an instance that has
 * finished, also as Completed, has not done its work. A workflow that is started again does what its record says was
 * not done.
 *
 * Two traps of the SDK are behind it. Raising an event on a finished instance succeeds, and nobody gets the event: so
 * the status is looked up first. Of callers that start one id at once, some get an error: it means that another has
 * started the instance. Neither is a lock: simultaneous starts of one id can all be accepted.
 *
 * @param options.instanceId at most 256 characters; the SDK puts it into URLs as it is, so only what `keyFor` lets out
 * @param options.wake the event, without a payload, that makes a running instance read its record
 * @example
 * if (!isFinal(approval)) {
 *   await ensureRunning(client, approvalOrchestrator, { instanceId: id, input: { id }, wake: decided });
 * }
 */
export async function ensureRunning<Input>(
  client: DurableClient,
  which: Orchestrator<Input, unknown>,
  options: { instanceId: string; input: Input; wake?: ExternalEvent<null> | undefined },
): Promise<Ensured> {
  const { instanceId, wake } = options;
  const status = await find(client, instanceId);
  if (status === undefined || finished.includes(status.runtimeStatus)) {
    return (await unlessAlready(start(client, which, options))) ? 'started' : 'already started';
  }
  if (wake === undefined) {
    return 'running';
  }
  await raise(client, instanceId, wake, null);
  return 'woken';
}

/**
 * Starts an instance, and gives its id once the host has accepted it. It fails when an instance of that id runs.
 * {@link ensureRunning} is what starts workflows that have a record.
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

/** The status of an instance; `undefined` when the hub has none of that id. */
export function find(
  client: DurableClient,
  instanceId: string,
): Promise<DurableOrchestrationStatus | undefined> {
  return unlessUnknown(client.getStatus(instanceId));
}

/**
 * Raises an event. The SDK reports success also for an instance that has finished: use {@link ensureRunning} where the
 * event must arrive.
 *
 * @returns false when the hub has no instance of that id
 */
export async function raise<Payload>(
  client: DurableClient,
  instanceId: string,
  { eventName }: ExternalEvent<Payload>,
  payload: Payload,
): Promise<boolean> {
  // The host refuses an event without a body.
  const raised = client.raiseEvent(instanceId, eventName, payload ?? null);
  return (await unlessUnknown(raised.then(() => true))) ?? false;
}

/** The SDK's errors have no code: their messages alone distinguish them. */
const unlessUnknown = unless(/HTTP 404|No instance with ID/);
const unlessAlready = unless(/unexpected status code: 409/);

/** Makes `undefined` of an error whose message matches. */
function unless(message: RegExp): <Result>(answer: Promise<Result>) => Promise<Result | undefined> {
  return async (answer) => {
    try {
      return await answer;
    } catch (error) {
      if (error instanceof Error && message.test(error.message)) {
        return undefined;
      }
      throw error;
    }
  };
}
