import { OrchestrationRuntimeStatus as Status } from 'durable-functions';
import type { DurableClient, DurableOrchestrationStatus } from 'durable-functions';
import type { ExternalEvent } from './event.js';
import type { Orchestrator } from './orchestrator.js';

/** The result of {@link ensureRunning}. */
export type Ensured = 'started' | 'already started' | 'woken' | 'running';

/** The states of instances that have ended. */
const finished: readonly Status[] = [Status.Completed, Status.Failed, Status.Terminated, Status.Canceled];

/**
 * The only way to make a workflow run. It starts a missing instance, starts a finished one again, and
 * otherwise raises `wake`. Call it only while the workflow's record is not final: a finished instance, also a
 * Completed one, has not done its work then. A restarted workflow does what its record does not show as done.
 *
 * It handles two traps of the SDK. Raising an event on a finished instance succeeds, but the event is lost,
 * so the status is read first. Of callers that start one id at the same time, some get an error, which means
 * that another caller has started the instance. This is not a lock: simultaneous starts of one id can all be
 * accepted.
 *
 * @param options.instanceId at most 256 characters, made with `keyFor`: the SDK puts it into URLs without encoding
 * @param options.wake the event that makes a running instance read its record
 * @param options.hint the event's payload: what the instance will find. It decides nothing. Default: `null`
 * @param options.isNew whether the record was inserted just now. Then this starts the instance without reading its status
 * @example
 * if (!isFinal(approval)) {
 *   await ensureRunning(client, approvalOrchestrator, { instanceId: id, input: { id }, wake: decided });
 * }
 */
export async function ensureRunning<Input, Hint = null>(
  client: DurableClient,
  which: Orchestrator<Input, unknown>,
  options: {
    instanceId: string;
    input: Input;
    wake?: ExternalEvent<Hint | null> | undefined;
    hint?: Hint | undefined;
    isNew?: boolean;
  },
): Promise<Ensured> {
  const { instanceId, wake, hint = null, isNew = false } = options;
  const status = isNew ? undefined : await find(client, instanceId);
  if (status === undefined || isFinished(status)) {
    // Without an input the SDK would send the text "", and the orchestrator would get that.
    const started = client.startNew(which.orchestratorName, { instanceId, input: options.input ?? null });
    return (await unlessAlready(started)) === undefined ? 'already started' : 'started';
  }
  if (wake === undefined) {
    return 'running';
  }
  await raise(client, instanceId, wake, hint);
  return 'woken';
}

/**
 * The status of an instance; `undefined` when the hub has none of that id, where the SDK would throw.
 *
 * @example
 * const status = await find(client, id);
 * const progress = status?.customStatus;
 */
export function find(
  client: DurableClient,
  instanceId: string,
): Promise<DurableOrchestrationStatus | undefined> {
  return unlessUnknown(client.getStatus(instanceId));
}

/**
 * Whether an instance does nothing any more, whatever the way it ended.
 *
 * @example
 * const status = await find(client, id);
 * const runs = status !== undefined && !isFinished(status);
 */
export function isFinished({ runtimeStatus }: DurableOrchestrationStatus): boolean {
  return finished.includes(runtimeStatus);
}

/**
 * Removes the data of an instance that has finished. One that has not is terminated, and can be removed later.
 *
 * @returns whether nothing is left of it
 * @example
 * if (await removeInstance(client, id, 'The game is removed')) await deleteRows(id);
 */
export async function removeInstance(
  client: DurableClient,
  instanceId: string,
  reason: string,
): Promise<boolean> {
  const status = await find(client, instanceId);
  if (status === undefined) {
    return true;
  }
  if (!isFinished(status)) {
    await client.terminate(instanceId, reason);
    return false;
  }
  await client.purgeInstanceHistory(instanceId);
  return true;
}

/**
 * Raises an event. The SDK reports success also for a finished instance: use {@link ensureRunning} where the
 * event must arrive.
 *
 * @returns false when the hub has no instance of that id
 * @example
 * await raise(client, id, ended, null);
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

/** Whether an error of the SDK's client says that the hub fails now, because its storage is not there. */
export function isHubUnavailable(error: unknown): boolean {
  return error instanceof Error && /unexpected status code: 5\d\d/.test(error.message);
}

/** The SDK's errors have no code: only their messages distinguish them. */
const unlessUnknown = unless(/HTTP 404|No instance with ID/);
const unlessAlready = unless(/unexpected status code: 409/);

/** Turns an error whose message matches into `undefined`. */
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
