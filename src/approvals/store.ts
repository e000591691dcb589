import { keyForPerson, newestFirst, recordStore, type IndexEntry } from '../storage/index.js';
import { approvalRecord, type ApprovalState } from './model.js';
import { dueAt, overSince, progress, waitsFor } from './rules.js';

/** The approvals. */
export const approvals = recordStore({
  table: 'Approvals',
  schema: approvalRecord,
  rowKey: 'approval',
  indexVersion: 2,
  indexes: (approval) => {
    const { state, history, approver, escalateTo, requestedBy } = approval;
    const isEscalated = history.some(({ what }) => what === 'escalated');
    const askedOf = [...new Set(isEscalated ? [approver, escalateTo] : [approver])];
    const waiting = waitsFor(approval);
    return [
      ...[
        {},
        { state },
        ...askedOf.flatMap((person) => [{ approver: person }, { approver: person, state }]),
      ].map((filter): IndexEntry => ({ partition: partitionOf(filter) })),
      { partition: partitionOf({ requestedBy }), row: newestFirst(history[0]!.at) },
      ...(waiting === undefined
        ? []
        : [{ partition: partitionOf({ waitsFor: waiting }), row: progress(approval).deadline }]),
    ];
  },
  dueAt,
  endedAt: overSince,
});

/** Selects approvals to list. */
export interface ApprovalFilter {
  state?: ApprovalState | undefined;
  /** A person who was asked: the approver, or the person it has escalated to. */
  approver?: string | undefined;
  /** The person for whom they wait, the earliest deadline first. Not with other filters. */
  waitsFor?: string | undefined;
  /** The person who has requested them, the latest first. Not with other filters. */
  requestedBy?: string | undefined;
}

/** The partition of the index with the approvals that match a filter; ordered by id, if not otherwise. */
export function partitionOf({ state, approver, waitsFor: waiting, requestedBy }: ApprovalFilter): string {
  if (waiting !== undefined) return `waits-for-${keyForPerson(waiting)}`;
  if (requestedBy !== undefined) return `requested-by-${keyForPerson(requestedBy)}`;
  return [
    'all',
    ...(state === undefined ? [] : [`state-${state}`]),
    ...(approver === undefined ? [] : [`approver-${keyForPerson(approver)}`]),
  ].join('-');
}
