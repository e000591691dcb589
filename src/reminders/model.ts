import { z } from 'zod';
import { personName, text } from '../http/index.js';

/** The page behind the links in reminders. */
export const ACKNOWLEDGE_PAGE = '/acknowledge';

/** The body of `POST /api/reminders`. */
export const reminderRequest = z.strictObject({
  to: personName,
  message: text(8 * 1024).min(1),
  count: z.number().int().min(1).max(100).default(10),
  /** `growing`: reminder number i, from 0, comes i days after the one before; `daily`: one day after. */
  gaps: z.enum(['growing', 'daily']).default('growing'),
});
export type ReminderRequest = z.output<typeof reminderRequest>;

/** `active`: there are more reminders to send. The others are final. */
export const reminderState = z.enum(['active', 'acknowledged', 'cancelled', 'finished']);
export type ReminderState = z.infer<typeof reminderState>;

/** The record of the reminders for a person, which decides. Times are ISO 8601 in UTC. */
export const remindersRecord = z.object({
  /** The instance id of their workflow too. */
  id: z.string(),
  to: z.string(),
  /** The person who planned them, if the platform has signed one in. */
  requestedBy: z.string().optional(),
  message: z.string(),
  count: z.number(),
  gaps: reminderRequest.shape.gaps.unwrap(),
  state: reminderState,
  /** How many were sent. */
  sent: z.number().default(0),
  /** When the first is due. */
  startedAt: z.string(),
  endedAt: z.string().optional(),
  /** A hash of the request. It distinguishes its repeat from another request with the same key. */
  requestHash: z.string(),
});
export type Reminders = z.infer<typeof remindersRecord>;

/** The part of the record that the workflow reads. Without the state it is the custom status. */
export interface Progress {
  state: ReminderState;
  sent: number;
  /** The time of the next reminder, if there is one. */
  next?: string;
}
