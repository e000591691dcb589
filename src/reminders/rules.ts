import moment, { type Moment } from 'moment';
import type { ReminderPlan, ReminderRequest, Reminders, ReminderState } from './model.js';

/** The record of new reminders, of which the first is due now. */
export function planned(id: string, request: ReminderRequest, requestHash: string, at: Moment): Reminders {
  return { ...request, id, state: 'active', startedAt: at.toISOString(), requestHash };
}

/** When a reminder is due, by its number from 0. */
export function dueAt({ startedAt, gaps }: Pick<ReminderPlan, 'startedAt' | 'gaps'>, number: number): Moment {
  // Growing gaps of 0, 1, 2, ... days add up to the triangular numbers.
  const day = gaps === 'growing' ? (number * (number + 1)) / 2 : number;
  return moment.utc(startedAt).add(day, 'days');
}

/** The reminders, ended; `undefined` when they had ended before. */
export function end(
  reminders: Reminders,
  state: Exclude<ReminderState, 'active'>,
  at: Moment,
): Reminders | undefined {
  return reminders.state === 'active' ? { ...reminders, state, endedAt: at.toISOString() } : undefined;
}
