import moment from 'moment';
import { event, eventOrDeadline, forSideEffects, orchestrator } from '../durable/index.js';
import { askApprover, carryOut, escalation, expiry, readProgress, type ApprovalId } from './activities.js';

/** Makes the workflow of an approval read its record, which contains the decision. */
export const decided = event<null>('Decided');

/**
 * Asks the approver, escalates after the approver's deadline, and carries out the decision. Returns the
 * outcome in a line.
 *
 * Any caller may raise the event, and a timer may fire early: each only makes the workflow read the record,
 * which decides.
 */
export const approvalOrchestrator = orchestrator(
  'ApprovalOrchestrator',
  function* (context, { id }: ApprovalId) {
    let approval = yield* askApprover(context, { id }, forSideEffects);

    while (approval.state === 'pending') {
      const { raised } = yield* eventOrDeadline(context, decided, moment.utc(approval.deadline));
      approval = raised
        ? yield* readProgress(context, { id }, forSideEffects)
        : yield* escalation(context, { id }, forSideEffects);
    }

    while (approval.state === 'escalated') {
      const { raised } = yield* eventOrDeadline(context, decided, moment.utc(approval.deadline));
      approval = raised
        ? yield* readProgress(context, { id }, forSideEffects)
        : yield* expiry(context, { id }, forSideEffects);
    }

    if (approval.state === 'expired') {
      return 'Expired';
    }
    const outcome =
      approval.state === 'approved' ? 'Approved' : approval.state === 'withdrawn' ? 'Withdrawn' : 'Rejected';
    return yield* carryOut(context, { id, outcome }, forSideEffects);
  },
);

/** Shows both decisions without a person. */
export const approvalSimulation = orchestrator('ApprovalSimulation', function* (context) {
  return [
    yield* carryOut(context, { outcome: 'Approved' }),
    yield* carryOut(context, { outcome: 'Rejected' }),
  ];
});
