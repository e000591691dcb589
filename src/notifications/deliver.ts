import type { InvocationContext } from '@azure/functions';
import moment from 'moment';
import { canSign, pathOf, urlOf } from '../links/index.js';
import { count } from '../telemetry/index.js';
import { queued, type Notification, type Queued } from './message.js';
import { enqueue, NOTIFICATIONS, UNDELIVERED } from './queues.js';
import { waitBefore, type Outcome } from './rules.js';
import type { Sent } from './shapes.js';
import { deliveries, deliveryOf } from './store.js';
import { post, webhook } from './webhook.js';

/**
 * Delivers a message from the queue: to the webhook, or to the outbox when there is none. A message whose
 * delivery fails goes back into the queue and becomes visible later; one that cannot be delivered goes to the
 * poison queue, stays there, and is reported.
 *
 * A message with the key of a delivered one is dropped. If the app was killed between the delivery and its
 * record, the message is delivered twice.
 */
export async function deliver(message: unknown, context: InvocationContext): Promise<void> {
  const read = queued.safeParse(message);
  if (!read.success) {
    await giveUp({ message }, 'it is no notification', context);
    return;
  }
  const id = deliveryOf(read.data);
  if ((await deliveries.read(id)) !== undefined) return;
  const { attempts, failure: _, ...content } = read.data;
  const url = webhookOrReason();
  if (url === undefined) {
    await deliveries.insert({ id, at: moment.utc().toISOString(), message: content }, { isNew: true });
    return;
  }
  const outcome = await attempt(url, content);
  if (outcome.delivered) {
    await deliveries.insert({ id, at: moment.utc().toISOString() }, { isNew: true });
    count('notifications.delivered', 1);
    return;
  }
  const failed = { ...content, attempts: attempts + 1 };
  const wait = waitBefore(failed.attempts, outcome);
  if (wait === undefined) {
    await giveUp({ ...failed, failure: outcome.reason }, outcome.reason, context);
    return;
  }
  context.warn('Notification %s: %s; the next attempt is in %d s', content.key, outcome.reason, wait);
  await enqueue(NOTIFICATIONS, failed, wait);
}

/** The address of the webhook, or why it cannot be used: a wrong setting is put right while messages wait. */
function webhookOrReason(): URL | string | undefined {
  try {
    return webhook();
  } catch (error) {
    return (error as Error).message;
  }
}

async function attempt(url: URL | string, message: Notification): Promise<Outcome> {
  if (typeof url === 'string') return { delivered: false, reason: url, again: true };
  try {
    return await post(url, withLink(message));
  } catch (error) {
    return { delivered: false, reason: (error as Error).message, again: true };
  }
}

/** The message with its signed link, if the app can sign, and knows its own address. */
function withLink({ to, subject, text, link }: Notification): Sent {
  const url = link && canSign() ? urlOf(pathOf(link.allows)) : undefined;
  return { to, subject, text, ...(link && url !== undefined && { link: { label: link.label, url } }) };
}

async function giveUp(message: Queued | object, reason: string, context: InvocationContext): Promise<void> {
  await enqueue(UNDELIVERED, message);
  context.error('Notification %s was not delivered: %s', (message as Partial<Queued>).key, reason);
  count('notifications.undelivered', 1);
}
