import type { OrchestrationContext, Task } from 'durable-functions';
import moment from 'moment';
import { event, eventOrDeadline, forSideEffects, now, orchestrator, sinceVersion } from '../durable/index.js';
import {
  askApprover,
  carryOut,
  escalation,
  expiry,
  readProgress,
  remindApprover,
  type ApprovalId,
} from './activities.js';
import type { Progress } from './model.js';
import { reminderAt } from './rules.js';

/** Makes the workflow of an approval read its record, which contains the decision. */
export const decided = event<null>('Decided');

/**
 * Asks the approver, reminds and escalates when the approver does not answer, and carries out the decision. Returns the
 * outcome in a line.
 *
 * Any caller may raise the event, and a timer may fire early: each only makes the workflow read the record,
 * which decides.
 */
export const approvalOrchestrator = orchestrator(
  'ApprovalOrchestrator',
  function* (context, { id }: ApprovalId) {
    let approval = yield* askApprover(context, { id }, forSideEffects);

    // The histories of instances that began before version 2.0 go on with the next wait.
    if (sinceVersion(context, '2.0')) {
      approval = yield* remindInTime(context, { id }, approval);
    }

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

/** Waits for the decision until the day before a deadline that is a week away or more, and then reminds the approver. */
function* remindInTime(
  context: OrchestrationContext,
  { id }: ApprovalId,
  asked: Progress,
): Generator<Task, Progress, unknown> {
  const reminder = reminderAt(asked, now(context));
  let approval = asked;
  while (reminder !== undefined && approval.state === 'pending') {
    const { raised } = yield* eventOrDeadline(context, decided, reminder);
    if (!raised) {
      return yield* remindApprover(context, { id }, forSideEffects);
    }
    approval = yield* readProgress(context, { id }, forSideEffects);
  }
  return approval;
}

/** Shows both decisions without a person. */
export const approvalSimulation = orchestrator('ApprovalSimulation', function* (context) {
  return [
    yield* carryOut(context, { outcome: 'Approved' }),
    yield* carryOut(context, { outcome: 'Rejected' }),
  ];
});
