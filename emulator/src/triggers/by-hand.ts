import type { FunctionDefinition, InvocationRequest, TypedData } from '../worker/types.js';
import type { Timers } from './timers.js';

/**
 * The request that runs a timer or queue function without its trigger.
 * @param input the text of the message, for a queue function
 * @returns undefined for a function with another trigger
 */
export function requestByHand(
  { name, trigger }: FunctionDefinition,
  input: string,
  timers: Pick<Timers, 'input'>,
): InvocationRequest | undefined {
  const request = (value: TypedData, triggerMetadata: Record<string, TypedData>): InvocationRequest => ({
    functionName: name,
    inputData: { [trigger.name]: value },
    triggerMetadata,
  });
  if (trigger.type === 'timerTrigger') return request(timers.input(name), {});
  if (trigger.type === 'queueTrigger') return request({ string: input }, { QueueTrigger: { string: input } });
  return undefined;
}
