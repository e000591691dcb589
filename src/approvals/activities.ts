import type { InvocationContext } from '@azure/functions';
import moment from 'moment';
import { activity } from '../durable/index.js';
import { notify, type Notification } from '../notifications/index.js';
import type { Approval, Standing } from './model.js';
import { asked, escalate, expire, reported, standing } from './rules.js';
import { changeApproval, readApproval } from './store.js';

/** Which approval an activity is about. */
export interface Reference {
  id: string;
}

/** Asks the approver to decide. */
export const askApprover = activity('AskApprover', async ({ id }: Reference, context): Promise<Standing> => {
  const approval = await approvalOf(id);
  if (approval.state === 'pending') {
    await tell(approval, context, {
      to: approval.approver,
      step: 'asked',
      subject: `Please decide: ${approval.subject}`,
      text: `${approval.requestedBy} asks you to approve or reject this by ${approval.respondBy}.`,
    });
  }
  return standing(await change(id, (current) => asked(current, moment.utc())));
});

/** Looks up how an approval stands. */
export const readStanding = activity('ReadStanding', async ({ id }: Reference): Promise<Standing> =>
  standing(await approvalOf(id)),
);

/** Hands an approval whose approver's time is up to whom it escalates to, unless it was decided first. */
export const escalation = activity('Escalation', async ({ id }: Reference, context): Promise<Standing> => {
  const approval = await change(id, (current) => escalate(current, moment.utc()));
  if (approval.state === 'escalated') {
    await tell(approval, context, {
      to: approval.escalateTo,
      step: 'escalated',
      subject: `Escalated to you: ${approval.subject}`,
      text: `${approval.approver} has not answered ${approval.requestedBy}. Approve or reject this by ${approval.expiresAt}.`,
    });
  }
  return standing(approval);
});

/** Ends an approval that nobody decided in time, unless it was decided first. */
export const expiry = activity('Expiry', async ({ id }: Reference, context): Promise<Standing> => {
  const approval = await change(id, (current) => expire(current, moment.utc()));
  if (approval.state === 'expired') {
    await tell(approval, context, {
      to: approval.requestedBy,
      step: 'expired',
      subject: `Expired: ${approval.subject}`,
      text: `Neither ${approval.approver} nor ${approval.escalateTo} has answered in time.`,
    });
  }
  return standing(approval);
});

/** How a decision turned out. */
export type Outcome = 'Approved' | 'Rejected';

/** Carries out a decision: tells who asked. Without an approval, as in a simulation, there is nobody to tell. */
export const carryOut = activity(
  'Approval',
  async ({ outcome, id }: { outcome: Outcome } & Partial<Reference>, context) => {
    if (id === undefined) {
      return outcome;
    }
    const approval = await approvalOf(id);
    await tell(approval, context, {
      to: approval.requestedBy,
      step: 'decided',
      subject: `${outcome}: ${approval.subject}`,
      text: `${approval.decidedBy ?? 'Somebody'} has decided.${approval.comment ? `\n\n${approval.comment}` : ''}`,
    });
    await change(id, (current) => reported(current, moment.utc()));
    return `${outcome}: ${approval.subject}`;
  },
);

type Message = Pick<Notification, 'to' | 'subject' | 'text'> & { step: string };

async function tell(
  { id, details }: Approval,
  context: InvocationContext,
  { step, text, ...message }: Message,
): Promise<void> {
  await notify(
    {
      ...message,
      text: details ? `${text}\n\n${details}` : text,
      about: `/api/approvals/${id}`,
      key: `${id}-${step}`,
    },
    context,
  );
}

async function approvalOf(id: string): Promise<Approval> {
  return (await readApproval(id)) ?? unknown(id);
}

async function change(id: string, by: (approval: Approval) => Approval | undefined): Promise<Approval> {
  return (await changeApproval(id, by))?.approval ?? unknown(id);
}

function unknown(id: string): never {
  throw new Error(`There is no approval ${id}`);
}
