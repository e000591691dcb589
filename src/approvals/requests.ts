/** Activities for workflows of other features that need an approval. */
import { activity, clientActivity } from '../durable/index.js';
import moment from 'moment';
import { fingerprint } from '../http/index.js';
import type { ApprovalId } from './activities.js';
import { goOn } from './endpoints.js';
import type { Approval, ApprovalRequest } from './model.js';
import { decided } from './orchestrators.js';
import { spelledOnce } from './people.js';
import { expire, request, withdraw } from './rules.js';
import { approvals } from './store.js';

/** The result of {@link openApproval}. */
export interface OpenedApproval {
  /**
   * True in histories of an earlier version: the caller runs `approvalOrchestrator` as a sub-orchestration. A decision at
   * that moment starts the same instance, and the caller then waits in vain for the end of its own.
   */
  opened: boolean;
  /** The latest time of its end. ISO 8601, UTC. */
  expiresAt: string;
}

/**
 * Records an approval under the caller's id, and starts its workflow; a repeat finds it. Its decision raises the event
 * `wakes`. The record decides: read it with {@link readApproval} after the event, when it has expired, and from time to
 * time, because an event can be lost.
 */
export const openApproval = clientActivity(
  'OpenApproval',
  async (
    { id, wanted, wakes }: ApprovalId & Pick<Approval, 'wakes'> & { wanted: ApprovalRequest },
    client,
  ): Promise<OpenedApproval> => {
    const opening = request(id, spelledOnce(wanted), fingerprint(wanted), moment.utc());
    const { record, inserted: isNew } = await approvals.insert({ ...opening, ...(wakes && { wakes }) });
    await goOn(client, record, { isNew });
    return { opened: false, expiresAt: record.expiresAt };
  },
);

/** The state of an approval: `pending` and `escalated` have not ended. */
export type ApprovalOutcome = Pick<Approval, 'state' | 'decidedBy' | 'comment'> & {
  /** Its latest end. ISO 8601, UTC. Absent in histories of an earlier version. */
  expiresAt?: string;
};

/** Reads the state of an approval. One that nobody can decide any more has expired, also if nothing has recorded that. */
export const readApproval = activity('ReadApproval', async ({ id }: ApprovalId): Promise<ApprovalOutcome> => {
  const approval = (await approvals.read(id)) ?? unknown(id);
  const { state, decidedBy, comment, expiresAt } = expire(approval, moment.utc());
  return { state, decidedBy, comment, expiresAt };
});

/** Withdraws an approval that is not needed any more, if it waits. Its workflow ends then. */
export const withdrawApproval = clientActivity('WithdrawApproval', async ({ id }: ApprovalId, client) => {
  const result = await approvals.change(id, (approval) => withdraw(approval, moment.utc()));
  // It may not exist.
  if (result !== undefined && 'record' in result) {
    await goOn(client, result.record, { wake: decided });
  }
});

function unknown(id: string): never {
  throw new Error(`There is no approval ${id}`);
}
