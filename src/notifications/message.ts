import { z } from 'zod';
import { allowed } from '../links/index.js';

/** A message to a person, as it is queued: this, as JSON, in base64. */
export const notification = z.object({
  /** The receiver's name or address. */
  to: z.string(),
  subject: z.string(),
  text: z.string(),
  /** The path of the resource that it is about. */
  about: z.string(),
  /** The same when an activity runs twice, so that the deliverer can recognize a repeat. */
  key: z.string(),
  /** What the receiver can do by a link. The link itself is signed when the message is delivered. */
  link: z.object({ label: z.string(), allows: allowed }).optional(),
});
export type Notification = z.infer<typeof notification>;

/** A message in the queue. */
export const queued = notification.extend({
  /** How often its delivery has failed. */
  attempts: z.number().int().default(0),
  /** Why the app has given it up, in the poison queue. */
  failure: z.string().optional(),
});
export type Queued = z.infer<typeof queued>;
