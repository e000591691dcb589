/** Activities for workflows of other features that need an approval. */
import { activity, clientActivity } from '../durable/index.js';
import moment from 'moment';
import { fingerprint } from '../http/index.js';
import type { ApprovalId } from './activities.js';
import { goOn } from './endpoints.js';
import type { Approval, ApprovalRequest } from './model.js';
import { decided } from './orchestrators.js';
import { spelledOnce } from './people.js';
import { request, withdraw } from './rules.js';
import { approvals } from './store.js';

/** The result of {@link openApproval}. */
export interface OpenedApproval {
  /**
   * False if the approval existed: its workflow runs, has ended, or will be started by the sweep. Then poll
   * {@link readApproval}.
   */
  opened: boolean;
  /** The latest time of its end. ISO 8601, UTC. */
  expiresAt: string;
}

/**
 * Records an approval under the caller's id; a repeat finds it. If `opened`, call `approvalOrchestrator`
 * next, with this id as the instance id too. When it has ended, use the result of {@link readApproval}: a
 * restarted caller does not get the orchestrator's result.
 */
export const openApproval = activity(
  'OpenApproval',
  async ({ id, wanted }: ApprovalId & { wanted: ApprovalRequest }): Promise<OpenedApproval> => {
    const opening = request(id, spelledOnce(wanted), fingerprint(wanted), moment.utc());
    const { record, inserted } = await approvals.insert(opening);
    return { opened: inserted, expiresAt: record.expiresAt };
  },
);

/** The state of an approval: `pending` and `escalated` have not ended. */
export type ApprovalOutcome = Pick<Approval, 'state' | 'decidedBy' | 'comment'>;

/** Reads the state of an approval. */
export const readApproval = activity('ReadApproval', async ({ id }: ApprovalId): Promise<ApprovalOutcome> => {
  const { state, decidedBy, comment } = (await approvals.read(id)) ?? unknown(id);
  return { state, decidedBy, comment };
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
