/**
 * The labels by which the real host restores the order of messages from one sender to one entity. Here
 * messages arrive in order, and a repeated message is known by its id. The labels are kept because an
 * entity's status shows them.
 */
import { NEVER, type EntityRequest } from './entity-messages.js';
import type { Timestamp } from '../history.js';

/** The labels that an entity has received, with the names of the extension's JSON. */
export interface MessageSorter {
  ReceivedFromInstance?: Record<string, { Last: Timestamp; ExecutionId?: string }>;
  ReceiveHorizon?: Timestamp;
}

/** The default of `entityMessageReorderWindowInMinutes`, in milliseconds. */
const WINDOW = 30 * 60_000;
/** How many senders an entity keeps in its state. */
const MAX_SENDERS = 200;

/**
 * The labels of a message. `last`: the Timestamp of the sender's message before it to that entity, if there
 * was one.
 */
export function label(
  now: Timestamp,
  last: Timestamp | undefined,
): Pick<EntityRequest, 'Timestamp' | 'Predecessor'> {
  return { Timestamp: now, Predecessor: last ?? NEVER };
}

/** Records the label of a request that an entity has received. Messages of clients have no sender. */
export function recordReceived(
  sorter: MessageSorter,
  { parent, parentExecution, Timestamp: sent, pos }: EntityRequest,
): void {
  if (parent === undefined || pos !== undefined) return;
  sorter.ReceiveHorizon ??= new Date(Date.parse(sent) - WINDOW).toISOString();
  const received = (sorter.ReceivedFromInstance ??= {});
  received[parent] = { Last: sent, ...(parentExecution !== undefined && { ExecutionId: parentExecution }) };
  const senders = Object.keys(received);
  if (senders.length > MAX_SENDERS) delete received[senders[0]!];
}
