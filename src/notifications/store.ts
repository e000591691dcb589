import { z } from 'zod';
import { keyFor, newestFirst, recordStore } from '../storage/index.js';
import { notification, type Notification } from './message.js';

/** A message that was delivered. Its content is kept only in the outbox. */
export const delivery = z.object({
  id: z.string(),
  /** ISO 8601, UTC. */
  at: z.string(),
  /** The message, if there is no webhook. */
  message: notification.optional(),
});
export type Delivery = z.infer<typeof delivery>;

const OUTBOX = 'outbox';

/** The messages that were delivered, by their key. */
export const deliveries = recordStore({
  table: 'Deliveries',
  schema: delivery,
  rowKey: 'delivery',
  endedAt: ({ at }) => at,
  indexes: ({ at, message }) => (message === undefined ? [] : [{ partition: OUTBOX, row: newestFirst(at) }]),
});

/** The id of a message's delivery. */
export function deliveryOf({ key }: Pick<Notification, 'key'>): string {
  return keyFor(key);
}

/** The messages of the outbox, the latest first. */
export async function outbox(top: number): Promise<Delivery[]> {
  return (await deliveries.list(OUTBOX, { top })).records;
}
