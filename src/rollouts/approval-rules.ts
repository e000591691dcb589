import type { Moment } from 'moment';
import type { Rollout } from './model.js';
import { wavesIn } from './rules.js';
import { because, count, draining, nextWave } from './step-rules.js';

/** The state of an approval. */
export interface ApprovalOutcome {
  state: 'pending' | 'escalated' | 'approved' | 'rejected' | 'expired' | 'withdrawn';
  decidedBy?: string | undefined;
  comment?: string | undefined;
}

/** An approval as the approvals feature takes it. */
export interface ApprovalRequest {
  id: string;
  wanted: Record<
    'subject' | 'details' | 'requestedBy' | 'approver' | 'escalateTo' | 'respondWithin' | 'escalateWithin',
    string
  >;
}

/** The approval of the next wave. */
export function approvalWanted(rollout: Rollout, operator: string): ApprovalRequest {
  const { id, wave, firmware, requestedBy } = rollout;
  const { approver = operator, escalateTo = operator, respondWithin, escalateWithin } = rollout.approval!;
  const waves = wavesIn(rollout);
  const { from, to } = waves[wave + 1]!;
  return {
    id: approvalId(rollout),
    wanted: {
      subject: `Firmware ${firmware}: wave ${wave + 2} of ${waves.length}, ${count(to - from, 'device')}`,
      details: `/api/rollouts/${id}`,
      // Nobody approves a request of their own. Only a rollout that nobody is named for has its approver as requester.
      requestedBy: requestedBy === approver ? 'rollouts' : requestedBy,
      approver,
      escalateTo,
      respondWithin,
      escalateWithin,
    },
  };
}

/** The id of the approval of the next wave. No caller can take it before: `keyFor` never makes such an underscore. */
export function approvalId({ id, wave }: Pick<Rollout, 'id' | 'wave'>): string {
  return `approval-_${id}-${wave + 2}`;
}

/** The rollout after the approval of its next wave; the same while that waits. */
export function approvalEnded(
  rollout: Rollout,
  approval: string,
  { state, decidedBy, comment }: ApprovalOutcome,
  at: Moment,
): Rollout {
  if (rollout.stage !== 'approving' || approval !== approvalId(rollout)) return rollout;
  switch (state) {
    case 'approved':
      return nextWave(rollout, `Approved by ${decidedBy}${because(comment)}`, at);
    case 'rejected':
      return draining(rollout, 'aborted', `Rejected by ${decidedBy}${comment ? `: ${comment}` : ''}`, at);
    case 'pending':
    case 'escalated':
      return rollout;
    case 'expired':
    case 'withdrawn':
      return draining(rollout, 'aborted', 'Nobody has approved the next wave in time', at);
  }
}
