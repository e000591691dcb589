import type { DurableClient, DurableOrchestrationStatus } from 'durable-functions';
import type { ExternalEvent } from './event.js';
import type { Orchestrator } from './orchestrator.js';

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

/** The status of an instance; `undefined` when the hub has none of that id. */
export function find(
  client: DurableClient,
  instanceId: string,
): Promise<DurableOrchestrationStatus | undefined> {
  return unlessUnknown(client.getStatus(instanceId));
}

/** Raises an event; a finished instance takes no notice. @returns false when the hub has no instance of that id */
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

/** The SDK tells an unknown instance from other failures by its message alone. */
async function unlessUnknown<Result>(answer: Promise<Result>): Promise<Result | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Error && /HTTP 404|No instance with ID/.test(error.message)) {
      return undefined;
    }
    throw error;
  }
}
