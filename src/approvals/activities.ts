import type { InvocationContext } from '@azure/functions';
import moment from 'moment';
import { activity } from '../durable/index.js';
import { notify } from '../notifications/index.js';
import { Refusal } from '../refusals/index.js';
import type { Rule } from '../storage/index.js';
import { DECIDE_PAGE, type Approval, type Progress, type Verdict } from './model.js';
import { escalate, expire, isDecided, markSent, progress, remind, unsent, verdictOf } from './rules.js';
import { approvals } from './store.js';

/** The approval that an activity is about. */
export type ApprovalId = Pick<Approval, 'id'>;

/** Sends the question to the person that the approval waits for, unless it was sent. */
export const askApprover = activity('AskApprover', async ({ id }: ApprovalId, context): Promise<Progress> => {
  const approval = await change(id, (current) => current);
  return progress(isDecided(approval) ? approval : await sendUnsent(approval, context));
});

/** Reads the progress of an approval. */
export const readProgress = activity('ReadStanding', async ({ id }: ApprovalId): Promise<Progress> =>
  progress(await change(id, (current) => current)),
);

/** Sends the question to the approver a second time, unless it was decided first. */
export const remindApprover = activity(
  'RemindApprover',
  async ({ id }: ApprovalId, context): Promise<Progress> => {
    const approval = await change(id, (current) => remind(current, moment.utc()));
    return progress(approval.state === 'pending' ? await sendUnsent(approval, context) : approval);
  },
);

/** Escalates an approval whose approver's time has ended, unless it was decided first. */
export const escalation = activity('Escalation', async ({ id }: ApprovalId, context): Promise<Progress> => {
  const approval = await change(id, (current) => escalate(current, moment.utc()));
  return progress(approval.state === 'escalated' ? await sendUnsent(approval, context) : approval);
});

/** Ends an approval that nobody decided in time, unless it was decided first. */
export const expiry = activity('Expiry', async ({ id }: ApprovalId, context): Promise<Progress> => {
  const approval = await change(id, (current) => expire(current, moment.utc()));
  return progress(approval.state === 'expired' ? await sendUnsent(approval, context) : approval);
});

/**
 * Reports a decision to the requester, or a withdrawal to the person who was asked. A simulation has no
 * approval, and reports to nobody.
 *
 * @returns the outcome in a line; the progress of the approval when it has no such outcome, and then nothing is reported
 */
export const carryOut = activity(
  'Approval',
  async (
    { outcome, id }: { outcome: Verdict } & Partial<ApprovalId>,
    context,
  ): Promise<string | Progress> => {
    if (id === undefined) {
      return outcome;
    }
    const approval = await change(id, (current) => current);
    if (verdictOf(approval) !== outcome) {
      return progress(approval);
    }
    const { subject } = await sendUnsent(approval, context);
    return `${outcome}: ${subject}`;
  },
);

/**
 * Sends the message that belongs to the approval's state, and records that it was sent. If a run was
 * interrupted between the two, the next run sends the message again, with the same key.
 */
async function sendUnsent(approval: Approval, context: InvocationContext): Promise<Approval> {
  const message = unsent(approval);
  if (message === undefined) {
    return approval;
  }
  const { id, details } = approval;
  const { step, to, subject, text, decideUntil } = message;
  await notify(
    {
      to,
      subject,
      text: details ? `${text}\n\n${details}` : text,
      about: `/api/approvals/${id}`,
      key: `${id}-${step}`,
      ...(decideUntil !== undefined && {
        link: {
          label: 'Approve or reject',
          allows: {
            page: DECIDE_PAGE,
            id,
            person: to,
            actions: ['approved', 'rejected'],
            until: decideUntil,
          },
        },
      }),
    },
    context,
  );
  return change(approval, (current) => markSent(current, message, moment.utc()));
}

async function change(which: string | Approval, rule: Rule<Approval>): Promise<Approval> {
  const result = await approvals.change(which, rule);
  if (result === undefined || result instanceof Refusal) {
    throw new Error(`There is no approval ${typeof which === 'string' ? which : which.id}`);
  }
  return result.record;
}
