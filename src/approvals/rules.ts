import moment, { type Moment } from 'moment';
import type { Approval, ApprovalRequest, Decision, Happening, Standing } from './model.js';

/** The record of a new approval, which waits for its approver from now on. */
export function requested(id: string, request: ApprovalRequest, requestHash: string, at: Moment): Approval {
  const { respondWithin, ...rest } = request;
  const respondBy = after(at, respondWithin);
  return {
    ...rest,
    id,
    state: 'pending',
    respondBy: respondBy.toISOString(),
    expiresAt: after(respondBy, request.escalateWithin).toISOString(),
    history: [{ at: at.toISOString(), what: 'requested', who: request.requestedBy }],
    requestHash,
  };
}

/** Whom the approval waits for; nobody when it is over. */
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

/** The approval once its approver has been asked; `undefined` when they have been, or it no longer waits for them. */
export function asked(approval: Approval, at: Moment): Approval | undefined {
  return approval.state === 'pending' && !has(approval, 'asked')
    ? noting(approval, 'asked', approval.approver, at)
    : undefined;
}

/** The decided approval; `undefined` when it is over, or waits for somebody else. */
export function decide(
  approval: Approval,
  { decision, by, comment }: Decision,
  at: Moment,
): Approval | undefined {
  return waitsFor(approval) === by
    ? noting({ ...approval, state: decision, decidedBy: by, comment }, decision, by, at)
    : undefined;
}

/** The approval handed to whom it escalates to, whose time starts now; `undefined` when it does not wait for its approver. */
export function escalate(approval: Approval, at: Moment): Approval | undefined {
  const expiresAt = after(at, approval.escalateWithin).toISOString();
  return approval.state === 'pending'
    ? noting({ ...approval, state: 'escalated', expiresAt }, 'escalated', approval.escalateTo, at)
    : undefined;
}

/** The approval that nobody decided in time; `undefined` when it is not escalated. */
export function expire(approval: Approval, at: Moment): Approval | undefined {
  return approval.state === 'escalated'
    ? noting({ ...approval, state: 'expired' }, 'expired', approval.escalateTo, at)
    : undefined;
}

/** The decided approval once who asked for it knows; `undefined` when they do, or it is not decided. */
export function reported(approval: Approval, at: Moment): Approval | undefined {
  return awaitsReport(approval) ? noting(approval, 'reported', approval.requestedBy, at) : undefined;
}

/** Whether a decision has been recorded that the workflow has not carried out: it may not know of it. */
export function awaitsReport(approval: Approval): boolean {
  return isDecided(approval) && !has(approval, 'reported');
}

/** Whether nothing shows that the workflow ever ran. */
export function awaitsStart(approval: Approval): boolean {
  return approval.state === 'pending' && !has(approval, 'asked');
}

/** Whether somebody has approved or rejected it. */
export function isDecided({ state }: Pick<Approval, 'state'>): boolean {
  return state === 'approved' || state === 'rejected';
}

/** What the workflow goes by. */
export function standing({ state, respondBy, expiresAt }: Approval): Standing {
  return { state, deadline: state === 'pending' ? respondBy : expiresAt };
}

function has({ history }: Approval, what: Happening['what']): boolean {
  return history.some((happening) => happening.what === what);
}

function noting(approval: Approval, what: Happening['what'], who: string, at: Moment): Approval {
  return { ...approval, history: [...approval.history, { at: at.toISOString(), what, who }] };
}

function after(at: Moment, duration: string): Moment {
  return at.clone().add(moment.duration(duration));
}
