import { keyFor, recordStore } from '../storage/index.js';
import { approvalRecord, type ApprovalState } from './model.js';
import { dueAt, overSince } from './rules.js';

/** The approvals. */
export const approvals = recordStore({
  table: 'Approvals',
  schema: approvalRecord,
  rowKey: 'approval',
  indexes: ({ state, history, approver, escalateTo }) => {
    const isEscalated = history.some(({ what }) => what === 'escalated');
    const askedOf = [...new Set(isEscalated ? [approver, escalateTo] : [approver])];
    return [
      {},
      { state },
      ...askedOf.flatMap((person) => [{ approver: person }, { approver: person, state }]),
    ].map((filter) => ({ partition: partitionOf(filter) }));
  },
  dueAt,
  endedAt: overSince,
});

/** Selects approvals to list. */
export interface ApprovalFilter {
  state?: ApprovalState | undefined;
  /** A person who was asked: the approver, or the person it has escalated to. */
  approver?: string | undefined;
}

/** The partition of the index with the approvals that match a filter, ordered by id. */
export function partitionOf({ state, approver }: ApprovalFilter): string {
  return [
    'all',
    ...(state === undefined ? [] : [`state-${state}`]),
    ...(approver === undefined ? [] : [`approver-${keyFor(approver)}`]),
  ].join('-');
}
