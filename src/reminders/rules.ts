import moment, { type Moment } from 'moment';
import { refuse, type Refusal } from '../refusals/index.js';
import type { Progress, ReminderRequest, Reminders } from './model.js';

/** The record of new reminders. The first is due now. */
export function plan(
  id: string,
  request: ReminderRequest,
  { requestedBy, requestHash }: Pick<Reminders, 'requestedBy' | 'requestHash'>,
  at: Moment,
): Reminders {
  return { ...request, requestedBy, id, state: 'active', sent: 0, startedAt: at.toISOString(), requestHash };
}

/** The time of the next reminder; `undefined` when the reminders have ended. */
export function dueAt(reminders: Reminders): string | undefined {
  return reminders.state === 'active' ? dueOf(reminders, reminders.sent).toISOString() : undefined;
}

/** The number, from 0, of the reminder that is due now; `undefined` when none is. */
export function unsent(reminders: Reminders, at: Moment): number | undefined {
  const due = dueAt(reminders);
  return due === undefined || at.isBefore(due) ? undefined : reminders.sent;
}

/** Records that the reminder of that number was sent. The last one finishes the reminders. */
export function markSent(reminders: Reminders, number: number, at: Moment): Reminders {
  if (reminders.sent !== number) {
    return reminders;
  }
  const marked = { ...reminders, sent: number + 1 };
  return marked.state === 'active' && marked.sent === marked.count
    ? { ...marked, state: 'finished', endedAt: at.toISOString() }
    : marked;
}

/**
 * Ends reminders because the person has read the message. Refused when the last reminder was due already. A
 * repeat changes nothing.
 */
export function acknowledge(reminders: Reminders, at: Moment): Reminders | Refusal {
  const last = lastDue(reminders);
  return reminders.state !== 'active' || at.isBefore(last)
    ? end(reminders, 'acknowledged', at)
    : refuse('too-late', 'The last reminder was due already', `That was at ${last}.`);
}

/** When the last reminder is due. ISO 8601. From then on an acknowledgement has no effect. */
export function lastDue(reminders: Reminders): string {
  return dueOf(reminders, reminders.count - 1).toISOString();
}

/** Ends reminders because a caller cancels them, also when they are overdue. A repeat changes nothing. */
export function cancel(reminders: Reminders, at: Moment): Reminders | Refusal {
  return end(reminders, 'cancelled', at);
}

/** The part of the record that the workflow reads. */
export function progress(reminders: Reminders): Progress {
  const { state, sent } = reminders;
  const next = dueAt(reminders);
  return { state, sent, ...(next !== undefined && { next }) };
}

function end(reminders: Reminders, state: 'acknowledged' | 'cancelled', at: Moment): Reminders | Refusal {
  if (reminders.state === state) {
    return reminders;
  }
  return reminders.state === 'active'
    ? { ...reminders, state, endedAt: at.toISOString() }
    : refuse(
        'over',
        `The reminders are ${reminders.state} already`,
        `Get /api/reminders/${reminders.id} for when.`,
      );
}

/** The time of a reminder, by its number from 0. */
function dueOf({ startedAt, gaps }: Reminders, number: number): Moment {
  // Growing gaps of 0, 1, 2, ... days add up to the triangular numbers.
  const day = gaps === 'growing' ? (number * (number + 1)) / 2 : number;
  return moment.utc(startedAt).add(day, 'days');
}
