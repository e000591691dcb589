import moment, { type Moment } from 'moment';
import { refuse, type Refusal } from '../refusals/index.js';
import {
  verdicts,
  type Approval,
  type ApprovalRequest,
  type Decision,
  type Happening,
  type Message,
  type Progress,
  type Verdict,
} from './model.js';

/** The messages that ask a person to decide. */
const QUESTIONS: readonly Message['step'][] = ['asked', 'reminded', 'escalated'];

/** The record of a new approval, which waits for its approver. */
export function request(id: string, wanted: ApprovalRequest, requestHash: string, at: Moment): Approval {
  const { respondWithin, ...rest } = wanted;
  const respondBy = after(at, respondWithin);
  return {
    ...rest,
    id,
    state: 'pending',
    respondBy: respondBy.toISOString(),
    expiresAt: after(respondBy, wanted.escalateWithin).toISOString(),
    history: [{ at: at.toISOString(), what: 'requested', who: wanted.requestedBy }],
    requestHash,
  };
}

/** The person that the approval waits for; `undefined` when it is final. */
export function waitsFor({ state, approver, escalateTo }: Approval): string | undefined {
  switch (state) {
    case 'pending':
      return approver;
    case 'escalated':
      return escalateTo;
    default:
      return undefined;
  }
}

/**
 * Decides, if the person is the one that the approval waits for and the deadline has not passed. The same
 * decision of the same person again changes nothing: the first comment stays.
 */
export function decide(
  approval: Approval,
  { decision, by, comment }: Decision,
  at: Moment,
): Approval | Refusal {
  const { state, decidedBy } = approval;
  const waiting = waitsFor(approval);
  if (waiting === undefined) {
    return state === decision && decidedBy === by
      ? approval
      : refuse(
          'over',
          `The approval is ${state} already`,
          `Get /api/approvals/${approval.id} for what happened.`,
        );
  }
  if (waiting !== by) {
    return refuse('forbidden', 'That is for somebody else', `The approval waits for ${waiting}.`);
  }
  if (decision === 'approved' && by === approval.requestedBy) {
    return refuse(
      'forbidden',
      'Nobody approves a request of their own',
      `It escalates at ${approval.respondBy}, or expires at ${approval.expiresAt}. You can reject it now.`,
    );
  }
  const { deadline } = progress(approval);
  return at.isBefore(deadline)
    ? note({ ...approval, state: decision, decidedBy: by, comment }, decision, by, at)
    : refuse('too-late', 'The time for this decision has passed', `It had to be made before ${deadline}.`);
}

/**
 * When an approver with a week or more to decide gets the question a second time: a day before the deadline.
 * `undefined` when the question comes once.
 *
 * @param at soon after the request
 */
export function reminderAt({ state, deadline }: Progress, at: Moment): Moment | undefined {
  const hasWeek = moment.utc(deadline).diff(at, 'days', true) > 6;
  return state === 'pending' && hasWeek ? moment.utc(deadline).subtract(1, 'day') : undefined;
}

/** Makes the question unsent again, once, for an approver who has not answered. */
export function remind(approval: Approval, at: Moment): Approval {
  const { state, respondBy, approver, history } = approval;
  return state === 'pending' && at.isBefore(respondBy) && !history.some(({ what }) => what === 'reminded')
    ? note(approval, 'reminded', approver, at)
    : approval;
}

/** Escalates a pending approval after the approver's deadline. The time of the second person starts now. */
export function escalate(approval: Approval, at: Moment): Approval {
  const expiresAt = after(at, approval.escalateWithin).toISOString();
  return approval.state === 'pending' && !at.isBefore(approval.respondBy)
    ? note({ ...approval, state: 'escalated', expiresAt }, 'escalated', approval.escalateTo, at)
    : approval;
}

/** Expires an escalated approval after its deadline. */
export function expire(approval: Approval, at: Moment): Approval {
  return approval.state === 'escalated' && !at.isBefore(approval.expiresAt)
    ? note({ ...approval, state: 'expired' }, 'expired', approval.escalateTo, at)
    : approval;
}

/** Withdraws an approval that waits. */
export function withdraw(approval: Approval, at: Moment): Approval {
  return waitsFor(approval) === undefined
    ? approval
    : note({ ...approval, state: 'withdrawn' }, 'withdrawn', approval.requestedBy, at);
}

/**
 * The message that belongs to the approval's state, if it was not sent. {@link markSent} records the sending.
 */
export function unsent(approval: Approval): Message | undefined {
  const { state, subject, requestedBy, approver, escalateTo, respondBy, expiresAt } = approval;
  if (isSent(approval)) {
    return undefined;
  }
  switch (state) {
    case 'pending':
      if (approval.history.at(-1)!.what === 'reminded') {
        return {
          to: approver,
          step: 'reminded',
          subject: `Still to decide: ${subject}`,
          text: `${requestedBy} waits for your answer. At ${respondBy} the question goes to ${escalateTo}.`,
          decideUntil: respondBy,
        };
      }
      return {
        to: approver,
        step: 'asked',
        subject: `Please decide: ${subject}`,
        text: `${requestedBy} asks you to approve or reject this by ${respondBy}.`,
        decideUntil: respondBy,
      };
    case 'escalated':
      return {
        to: escalateTo,
        step: 'escalated',
        subject: `Escalated to you: ${subject}`,
        text: `${approver} has not answered ${requestedBy}. Approve or reject this by ${expiresAt}.`,
        decideUntil: expiresAt,
      };
    case 'expired':
      return {
        to: requestedBy,
        step: 'expired',
        subject: `Expired: ${subject}`,
        text: `Neither ${approver} nor ${escalateTo} has answered in time.`,
      };
    case 'withdrawn':
      return {
        to: approval.history.some(({ what }) => what === 'escalated') ? escalateTo : approver,
        step: 'withdrawn',
        subject: `No longer needed: ${subject}`,
        text: `${requestedBy} no longer needs your decision.`,
      };
    default: {
      const { decidedBy = 'Somebody', comment } = approval;
      return {
        to: requestedBy,
        step: 'decided',
        subject: `${state === 'approved' ? 'Approved' : 'Rejected'}: ${subject}`,
        text: `${decidedBy} has decided.${comment ? `\n\n${comment}` : ''}`,
      };
    }
  }
}

/**
 * Records that the message of {@link unsent} was sent, unless the approval has left the state of that
 * message.
 */
export function markSent(approval: Approval, { step, to }: Message, at: Moment): Approval {
  return unsent(approval)?.step === step
    ? note(approval, QUESTIONS.includes(step) ? 'asked' : 'reported', to, at)
    : approval;
}

/** Whether it was approved or rejected. */
export function isDecided({ state }: Pick<Approval, 'state'>): boolean {
  return state === 'approved' || state === 'rejected';
}

/**
 * When a workflow that waits for an approval reads its record again: after 1, 2, 4 minutes and so on, up to an hour; and
 * when it expires.
 *
 * @param look how often it has read the record since it began to wait, from 0
 * @param expiresAt the latest end. ISO 8601, UTC
 */
export function nextLook(at: Moment, look: number, expiresAt: string): Moment {
  const next = at.clone().add(Math.min(2 ** look, 60), 'minutes');
  const end = moment.utc(expiresAt);
  return end.isAfter(at) ? moment.min(next, end) : next;
}

/** How an approval ended; `undefined` while it waits, and when it has expired. */
export function verdictOf({ state }: Pick<Approval, 'state'>): Verdict | undefined {
  return state === 'approved' || state === 'rejected' || state === 'withdrawn' ? verdicts[state] : undefined;
}

/** The part of the record that the workflow reads. */
export function progress({ state, respondBy, expiresAt }: Approval): Progress {
  return { state, deadline: state === 'pending' ? respondBy : expiresAt };
}

/**
 * The time by which the workflow must have sent the unsent message or ended the wait; `undefined` once the
 * approval is final and reported.
 */
export function dueAt(approval: Approval): string | undefined {
  if (!isSent(approval)) {
    return approval.history.at(-1)!.at;
  }
  return waitsFor(approval) === undefined ? undefined : progress(approval).deadline;
}

/** Since when the approval is final and reported; `undefined` before. */
export function overSince(approval: Approval): string | undefined {
  return dueAt(approval) === undefined ? approval.history.at(-1)!.at : undefined;
}

/** Whether the message of the approval's state was sent. */
function isSent({ history }: Approval): boolean {
  const { what } = history.at(-1)!;
  return what === 'asked' || what === 'reported';
}

function note(approval: Approval, what: Happening['what'], who: string, at: Moment): Approval {
  return { ...approval, history: [...approval.history, { at: at.toISOString(), what, who }] };
}

function after(at: Moment, duration: string): Moment {
  return at.clone().add(moment.duration(duration));
}
