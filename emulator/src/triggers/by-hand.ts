import type {
  FunctionDefinition,
  InvocationOutcome,
  InvocationRequest,
  TypedData,
  Worker,
} from '../worker/types.js';
import type { StorageBindings } from './storage-bindings.js';
import type { Timers } from './timers.js';

/** What gives the values of triggers. */
export interface Triggers {
  timers: Pick<Timers, 'input'>;
  storage: Pick<StorageBindings, 'problem' | 'blobs'>;
  worker: Pick<Worker, 'invoke'>;
}

/**
 * Runs a timer, queue or blob function without its trigger.
 * @param input the text of the message, or the path of the blob
 * @returns undefined for a function with another trigger. Rejects when there is no such blob
 */
export function runByHand(
  definition: FunctionDefinition,
  input: string,
  { timers, storage, worker }: Triggers,
): Promise<InvocationOutcome> | undefined {
  const { name, trigger } = definition;
  const request = (value: TypedData, triggerMetadata: Record<string, TypedData>): InvocationRequest => ({
    functionName: name,
    inputData: { [trigger.name]: value },
    triggerMetadata,
  });
  switch (trigger.type) {
    case 'timerTrigger':
      return worker.invoke(request(timers.input(name), {}));
    case 'queueTrigger':
      return worker.invoke(request({ string: input }, { QueueTrigger: { string: input } }));
    case 'blobTrigger':
      return (async () => {
        const problem = storage.problem(trigger);
        if (problem !== undefined) throw new Error(`'${name}' cannot run: ${problem}.`);
        return worker.invoke({ functionName: name, ...(await storage.blobs.byHand(definition, input)) });
      })();
    default:
      return undefined;
  }
}
