import {
  changeRow,
  insertIfAbsent,
  odata,
  queryRows,
  readRow,
  table,
  type Columns,
  type RowKey,
} from '../storage/index.js';
import { approvalRecord, type Approval, type ApprovalState } from './model.js';

/** Inserts the record of an approval, unless there is one of its id. @returns the record as it now is, and whether it is this one */
export async function insertApproval(approval: Approval): Promise<{ approval: Approval; inserted: boolean }> {
  const inserted = await insertIfAbsent(await approvals(), keyOf(approval.id), columnsOf(approval));
  const existing = inserted ? approval : await readApproval(approval.id);
  if (existing === undefined) {
    throw new Error(`The approval ${approval.id} vanished while it was inserted`);
  }
  return { approval: existing, inserted };
}

/** The record of an approval; `undefined` when there is none. */
export async function readApproval(id: string): Promise<Approval | undefined> {
  const row = await readRow(await approvals(), keyOf(id));
  return row && approvalOf(row.columns);
}

/**
 * Changes an approval by what its record says. Of any number of changes at once one is made first, and the others are
 * asked again.
 *
 * @param change gives `undefined` to leave the record as it is; it may be asked several times
 * @returns the record as it now is, and whether it was changed here; `undefined` when there is none
 */
export async function changeApproval(
  id: string,
  change: (approval: Approval) => Approval | undefined,
): Promise<{ approval: Approval; changed: boolean } | undefined> {
  const result = await changeRow(await approvals(), keyOf(id), (columns) => {
    const approval = change(approvalOf(columns));
    return approval && columnsOf(approval);
  });
  return result && { approval: approvalOf(result.columns), changed: result.changed };
}

/** Which approvals to list. */
export interface ApprovalFilter {
  state?: ApprovalState | undefined;
  /** Who was asked: the approver, or whom it has escalated to. */
  approver?: string | undefined;
  /** Only those with an id after this one. */
  after?: string | undefined;
}

/**
 * Up to `limit` approvals, ordered by id. The table service reads every record from `after` on until it has that many:
 * good for tens of thousands of approvals, beyond which a table by approver is wanted.
 */
export async function listApprovals(
  { state, approver, after }: ApprovalFilter,
  limit: number,
): Promise<Approval[]> {
  const filter = [
    odata`PartitionKey gt ${after ?? ''}`,
    state === undefined ? undefined : odata`state eq ${state}`,
    approver === undefined ? undefined : odata`(approver eq ${approver} or escalatedTo eq ${approver})`,
  ]
    .filter((part) => part !== undefined)
    .join(' and ');
  const rows = await queryRows(await approvals(), filter, limit);
  return rows.map(({ columns }) => approvalOf(columns));
}

const approvals = () => table('Approvals');

function keyOf(id: string): RowKey {
  return { partitionKey: id, rowKey: 'approval' };
}

function columnsOf({ history, ...columns }: Approval): Columns {
  // Only there to be asked for: the history says it too.
  const escalatedTo = history.find(({ what }) => what === 'escalated')?.who;
  return { ...columns, escalatedTo, history: JSON.stringify(history) };
}

function approvalOf(columns: Columns): Approval {
  const history: unknown = JSON.parse(String(columns['history']));
  return approvalRecord.parse({ ...columns, history });
}
