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
  /** When the first is due. */
  startedAt: z.string(),
  endedAt: z.string().optional(),
  /** Tells a repeat of the request from another with the same key. */
  requestHash: z.string(),
});
export type Reminders = z.infer<typeof remindersRecord>;

/** What the workflow goes by. */
export interface ReminderPlan extends Pick<Reminders, 'id' | 'count' | 'gaps' | 'startedAt'> {
  /** How many were sent before the workflow continued as new. */
  sent?: number;
}

/** The workflow's custom status. */
export const progress = z.object({
  sent: z.number(),
  /** When the next is due, if there is one to come. */
  next: z.string().optional(),
});
export type Progress = z.infer<typeof progress>;
