import { z } from 'zod';
import { duration, line, personName, text } from '../http/index.js';

const span = duration('PT1S', 'P90D').default('P1D');

/** What `POST /api/approvals` takes. */
export const approvalRequest = z.strictObject({
  subject: line(200),
  /** May be left out where the platform says who asks. */
  requestedBy: personName.optional(),
  approver: personName,
  escalateTo: personName,
  details: text(8 * 1024).optional(),
  /** How long the approver may take. */
  respondWithin: span,
  /** How long the person it escalates to may take. */
  escalateWithin: span,
});

/** A checked request, with the person who made it. */
export type ApprovalRequest = z.output<typeof approvalRequest> & { requestedBy: string };

/** What `POST /api/approvals/{id}/decision` takes. */
export const decisionRequest = z.strictObject({
  decision: z.enum(['approved', 'rejected']),
  /** May be left out where the platform says who decides. */
  by: personName.optional(),
  comment: text(2 * 1024).optional(),
});

/** A checked decision, with the person who made it. */
export type Decision = z.output<typeof decisionRequest> & { by: string };

/**
 * `pending` waits for the approver, `escalated` for the person it was escalated to. The others are final: a decision,
 * the end of time, or that nobody needs a decision any more (`withdrawn`).
 */
export const approvalState = z.enum(['pending', 'escalated', 'approved', 'rejected', 'expired', 'withdrawn']);
export type ApprovalState = z.infer<typeof approvalState>;

const happening = z.object({
  /** ISO 8601, UTC. */
  at: z.string(),
  /** `asked`: a person was sent the question. `reported`: the person who requested it was sent how it ended. */
  what: z.enum([
    'requested',
    'asked',
    'escalated',
    'approved',
    'rejected',
    'expired',
    'withdrawn',
    'reported',
  ]),
  /** The person who did it, or to whom it was done. */
  who: z.string(),
});
export type Happening = z.infer<typeof happening>;

/** An approval's record: the truth about it. Times are ISO 8601 in UTC. */
export const approvalRecord = z.object({
  /** The instance id of its workflow too. */
  id: z.string(),
  subject: z.string(),
  details: z.string().optional(),
  requestedBy: z.string(),
  approver: z.string(),
  escalateTo: z.string(),
  escalateWithin: z.string(),
  state: approvalState,
  /** Until when the approver may decide. */
  respondBy: z.string(),
  /** Until when the person it escalates to may decide. Until it escalates, when that would be at the earliest. */
  expiresAt: z.string(),
  decidedBy: z.string().optional(),
  comment: z.string().optional(),
  /** What happened when, in order. */
  history: z.array(happening),
  /** A hash of the request. It distinguishes its repeat from another request with the same key. */
  requestHash: z.string(),
});
export type Approval = z.infer<typeof approvalRecord>;

/** What the workflow reads of its record. */
export interface Progress {
  state: ApprovalState;
  /** When the time of the person whom it waits for ends. */
  deadline: string;
}

/** A message to a person about an approval. */
export interface Message {
  to: string;
  subject: string;
  text: string;
  /** What it says. An approval sends each at most once, apart from repeats with the same key. */
  step: 'asked' | 'escalated' | 'decided' | 'expired' | 'withdrawn';
}
