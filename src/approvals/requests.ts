/** What the workflow of another feature calls, to have an approval as a part of it. */
import { activity, clientActivity } from '../durable/index.js';
import moment from 'moment';
import { fingerprint } from '../http/index.js';
import type { ApprovalId } from './activities.js';
import { goOn } from './endpoints.js';
import type { Approval, ApprovalRequest } from './model.js';
import { decided } from './orchestrators.js';
import { request, withdraw } from './rules.js';
import { approvals } from './store.js';

/** What {@link openApproval} gives. */
export interface OpenedApproval {
  /** False for one that was there: its workflow runs, has ended, or is started by the sweep. Then poll {@link readApproval}. */
  opened: boolean;
  /** When it will have ended, at the latest. ISO 8601, UTC. */
  expiresAt: string;
}

/**
 * Records an approval under an id of the caller's; its repeat finds it. If `opened`, call `approvalOrchestrator` next, with this id as
 * the instance id too, and go by {@link readApproval} when that has ended: its result is lost if the caller's workflow is.
 */
export const openApproval = activity(
  'OpenApproval',
  async ({ id, wanted }: ApprovalId & { wanted: ApprovalRequest }): Promise<OpenedApproval> => {
    const opening = request(id, wanted, fingerprint(wanted), moment.utc());
    const { record, inserted } = await approvals.insert(opening);
    return { opened: inserted, expiresAt: record.expiresAt };
  },
);

/** How an approval is: `pending` and `escalated` have not ended. */
export type ApprovalOutcome = Pick<Approval, 'state' | 'decidedBy' | 'comment'>;

/** Reads how an approval is. */
export const readApproval = activity('ReadApproval', async ({ id }: ApprovalId): Promise<ApprovalOutcome> => {
  const { state, decidedBy, comment } = (await approvals.read(id)) ?? unknown(id);
  return { state, decidedBy, comment };
});

/** Ends an approval that nobody needs any more, if it waits. Its workflow ends then. */
export const withdrawApproval = clientActivity('WithdrawApproval', async ({ id }: ApprovalId, client) => {
  const result = await approvals.change(id, (approval) => withdraw(approval, moment.utc()));
  // It may never have been opened.
  if (result !== undefined && 'record' in result) {
    await goOn(client, result.record, decided);
  }
});

function unknown(id: string): never {
  throw new Error(`There is no approval ${id}`);
}
