import { z } from 'zod';
import { personName, text } from '../http/index.js';

/** What `POST /api/reminders` takes. */
export const reminderRequest = z.strictObject({
  to: personName,
  message: text(8 * 1024).min(1),
  count: z.number().int().min(1).max(100).default(10),
  /** `growing`: reminder number i, from 0, comes i days after the one before; `daily`: each comes a day after. */
  gaps: z.enum(['growing', 'daily']).default('growing'),
});
export type ReminderRequest = z.output<typeof reminderRequest>;

/** `active` has reminders to come; the others are final. */
export const reminderState = z.enum(['active', 'acknowledged', 'cancelled', 'finished']);
export type ReminderState = z.infer<typeof reminderState>;

/** The record of somebody's reminders: the truth about them. Times are ISO 8601 in UTC. */
export const remindersRecord = z.object({
  /** The instance id of their workflow too. */
  id: z.string(),
  to: z.string(),
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

/** What the workflow reads of its record. All but the state is its custom status. */
export interface Progress {
  state: ReminderState;
  sent: number;
  /** When the next is due, if there is one to come. */
  next?: string;
}
