import { z } from 'zod';
import { duration, line, personName, text } from '../http/index.js';

const span = duration('PT1S', 'P90D').default('P1D');

/** The page behind the links to approvers. */
export const DECIDE_PAGE = '/decide';

/** The body of `POST /api/approvals`. */
export const approvalRequest = z.strictObject({
  subject: line(200),
  /** Optional where the platform signs people in. */
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

/** The body of `POST /api/approvals/{id}/decision`. */
export const decisionRequest = z.strictObject({
  decision: z.enum(['approved', 'rejected']),
  /** Optional where the platform signs people in. */
  by: personName.optional(),
  comment: text(2 * 1024).optional(),
});

/** A checked decision, with the person who made it. */
export type Decision = z.output<typeof decisionRequest> & { by: string };

/**
 * `pending` waits for the approver, `escalated` for the person it was escalated to. The others are final.
 * `withdrawn`: the requester needs no decision any more.
 */
export const approvalState = z.enum(['pending', 'escalated', 'approved', 'rejected', 'expired', 'withdrawn']);
export type ApprovalState = z.infer<typeof approvalState>;

const happening = z.object({
  /** ISO 8601, UTC. */
  at: z.string(),
  /**
   * `asked`: a question was sent to a person. `reminded`: the approver gets the question a second time. `reported`: the
   * end was sent to the requester.
   */
  what: z.enum([
    'requested',
    'asked',
    'reminded',
    'escalated',
    'approved',
    'rejected',
    'expired',
    'withdrawn',
    'reported',
  ]),
  /** The person who did it, or the receiver. */
  who: z.string(),
});
export type Happening = z.infer<typeof happening>;

/** The record of an approval, which decides. Times are ISO 8601 in UTC. */
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
  /** The approver's deadline. */
  respondBy: z.string(),
  /** The deadline of the person it escalates to. Before the escalation: the earliest possible one. */
  expiresAt: z.string(),
  decidedBy: z.string().optional(),
  comment: z.string().optional(),
  /** All events, in order. */
  history: z.array(happening),
  /** A hash of the request. It distinguishes its repeat from another request with the same key. */
  requestHash: z.string(),
  /** The workflow that has opened the approval, and the event that makes it read the decision. */
  wakes: z.object({ instanceId: z.string(), eventName: z.string() }).optional(),
});
export type Approval = z.infer<typeof approvalRecord>;

/** The part of the record that the workflow reads. */
export interface Progress {
  state: ApprovalState;
  /** The deadline of the person that it waits for. */
  deadline: string;
}

/** The end of an approval that did not expire, by the state of its record. */
export const verdicts = { approved: 'Approved', rejected: 'Rejected', withdrawn: 'Withdrawn' } as const;
export type Verdict = (typeof verdicts)[keyof typeof verdicts];

/** A message to a person about an approval. */
export interface Message {
  to: string;
  subject: string;
  text: string;
  /** The kind of message. An approval sends each once, apart from repeats with the same key. */
  step: 'asked' | 'reminded' | 'escalated' | 'decided' | 'expired' | 'withdrawn';
  /** The receiver can decide with the link in the message, until then. */
  decideUntil?: string;
}
