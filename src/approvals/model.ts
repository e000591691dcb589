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
  /** How long the approver has. */
  respondWithin: span,
  /** How long whom it escalates to has. */
  escalateWithin: span,
});

/** A checked request, and by whom. */
export type ApprovalRequest = z.output<typeof approvalRequest> & { requestedBy: string };

/** What `POST /api/approvals/{id}/decision` takes. */
export const decisionRequest = z.strictObject({
  decision: z.enum(['approved', 'rejected']),
  /** May be left out where the platform says who decides. */
  by: personName.optional(),
  comment: text(2 * 1024).optional(),
});

/** A checked decision, and whose. */
export type Decision = z.output<typeof decisionRequest> & { by: string };

/** `pending` waits for the approver, `escalated` for whom it was escalated to; the others are final. */
export const approvalState = z.enum(['pending', 'escalated', 'approved', 'rejected', 'expired']);
export type ApprovalState = z.infer<typeof approvalState>;

const happening = z.object({
  /** ISO 8601, UTC. */
  at: z.string(),
  /** `asked` and `reported`: the approver was sent the question, and who asked was sent the decision. */
  what: z.enum(['requested', 'asked', 'escalated', 'approved', 'rejected', 'expired', 'reported']),
  /** Who did it, or to whom it was done. */
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
  /** Until when whom it escalates to may decide. Until it escalates, when that would be at the earliest. */
  expiresAt: z.string(),
  decidedBy: z.string().optional(),
  comment: z.string().optional(),
  /** What happened when, in order. */
  history: z.array(happening),
  /** A hash of the request, by which its repeat is told from another with the same key. */
  requestHash: z.string(),
});
export type Approval = z.infer<typeof approvalRecord>;

/** What a workflow needs to know of its record. */
export interface Standing {
  state: ApprovalState;
  /** When the time of whom it waits for is up. */
  deadline: string;
}
