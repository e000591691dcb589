import moment, { type Moment } from 'moment';
import { refuse, type Refusal } from '../refusals/index.js';
import type { Approval, ApprovalRequest, Decision, Happening, Message, Progress } from './model.js';

/** The record of a new approval, which waits for its approver from now on. */
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

/** The person whom the approval waits for; nobody when it is over. */
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

/** Decides: in time, by the person whom the approval waits for. The repeat of a decision changes nothing. */
export function decide(
  approval: Approval,
  { decision, by, comment }: Decision,
  at: Moment,
): Approval | Refusal {
  const { state, decidedBy } = approval;
  const waiting = waitsFor(approval);
  if (waiting === undefined) {
    return state === decision && decidedBy === by && approval.comment === comment
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
  const { deadline } = progress(approval);
  return at.isBefore(deadline)
    ? note({ ...approval, state: decision, decidedBy: by, comment }, decision, by, at)
    : refuse('too-late', 'The time for this decision has passed', `It had to be made before ${deadline}.`);
}

/** Hands a pending approval whose approver's time has ended to the person it escalates to, whose time starts now. */
export function escalate(approval: Approval, at: Moment): Approval {
  const expiresAt = after(at, approval.escalateWithin).toISOString();
  return approval.state === 'pending' && !at.isBefore(approval.respondBy)
    ? note({ ...approval, state: 'escalated', expiresAt }, 'escalated', approval.escalateTo, at)
    : approval;
}

/** Ends an escalated approval that nobody decided in time. */
export function expire(approval: Approval, at: Moment): Approval {
  return approval.state === 'escalated' && !at.isBefore(approval.expiresAt)
    ? note({ ...approval, state: 'expired' }, 'expired', approval.escalateTo, at)
    : approval;
}

/** Ends an approval that waits, because nobody needs the decision any more. */
export function withdraw(approval: Approval, at: Moment): Approval {
  return waitsFor(approval) === undefined
    ? approval
    : note({ ...approval, state: 'withdrawn' }, 'withdrawn', approval.requestedBy, at);
}

/** The message that the approval's present state calls for, if it was not sent. Once it was, {@link markSent} says so. */
export function unsent(approval: Approval): Message | undefined {
  const { state, subject, requestedBy, approver, escalateTo, respondBy, expiresAt } = approval;
  if (isSent(approval)) {
    return undefined;
  }
  switch (state) {
    case 'pending':
      return {
        to: approver,
        step: 'asked',
        subject: `Please decide: ${subject}`,
        text: `${requestedBy} asks you to approve or reject this by ${respondBy}.`,
      };
    case 'escalated':
      return {
        to: escalateTo,
        step: 'escalated',
        subject: `Escalated to you: ${subject}`,
        text: `${approver} has not answered ${requestedBy}. Approve or reject this by ${expiresAt}.`,
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

/** Notes that the message {@link unsent} gave was sent, unless the approval has left the state that called for it. */
export function markSent(approval: Approval, { step, to }: Message, at: Moment): Approval {
  return unsent(approval)?.step === step
    ? note(approval, step === 'asked' || step === 'escalated' ? 'asked' : 'reported', to, at)
    : approval;
}

/** Whether somebody has approved or rejected it. */
export function isDecided({ state }: Pick<Approval, 'state'>): boolean {
  return state === 'approved' || state === 'rejected';
}

/** What the workflow goes by. */
export function progress({ state, respondBy, expiresAt }: Approval): Progress {
  return { state, deadline: state === 'pending' ? respondBy : expiresAt };
}

/** By when the workflow must have done something: sent the message that is unsent, or ended the wait. Nothing once it is over and reported. */
export function dueAt(approval: Approval): string | undefined {
  if (!isSent(approval)) {
    return approval.history.at(-1)!.at;
  }
  return waitsFor(approval) === undefined ? undefined : progress(approval).deadline;
}

/** Whether a message was sent since the approval came into its state. */
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
