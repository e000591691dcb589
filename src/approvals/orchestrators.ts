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
import { verdicts, type Progress, type Verdict } from './model.js';
import { reminderAt, verdictOf } from './rules.js';

/**
 * Makes the workflow of an approval read its record, which contains the decision. The event can name the outcome, so that
 * the workflow takes the step that reads the record and also reports that outcome.
 */
export const decided = event<Verdict | null>('Decided');

type Steps<Result> = Generator<Task, Result, unknown>;

/** The progress of an approval, and its outcome in a line once that was reported. */
type Standing = Progress & { report?: string };

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
    let approval: Standing = yield* askApprover(context, { id }, forSideEffects);

    // The histories of instances that began before version 2.0 go on with the next wait.
    if (sinceVersion(context, '2.0')) {
      approval = yield* remindInTime(context, { id }, approval);
    }

    while (approval.state === 'pending') {
      const wait = yield* eventOrDeadline(context, decided, moment.utc(approval.deadline));
      approval = wait.raised
        ? yield* afterEvent(context, { id }, wait.payload)
        : yield* escalation(context, { id }, forSideEffects);
    }

    while (approval.state === 'escalated') {
      const wait = yield* eventOrDeadline(context, decided, moment.utc(approval.deadline));
      approval = wait.raised
        ? yield* afterEvent(context, { id }, wait.payload)
        : yield* expiry(context, { id }, forSideEffects);
    }

    if (approval.report !== undefined) {
      return approval.report;
    }
    const outcome = verdictOf(approval);
    return outcome === undefined ? 'Expired' : yield* carryOut(context, { id, outcome }, forSideEffects);
  },
);

/** Continues after the event. Anybody may have raised it, with any payload: the record decides. */
function* afterEvent(
  context: OrchestrationContext,
  { id }: ApprovalId,
  payload: Verdict | null,
): Steps<Standing> {
  const [state, outcome] = Object.entries(verdicts).find(([, verdict]) => verdict === payload) ?? [];
  if (outcome === undefined) {
    return yield* readProgress(context, { id }, forSideEffects);
  }
  const done = yield* carryOut(context, { id, outcome }, forSideEffects);
  return typeof done === 'string'
    ? { state: state as keyof typeof verdicts, deadline: '', report: done }
    : done;
}

/** Waits for the decision until the day before a deadline that is a week away or more, and then reminds the approver. */
function* remindInTime(context: OrchestrationContext, { id }: ApprovalId, asked: Progress): Steps<Standing> {
  const reminder = reminderAt(asked, now(context));
  let approval: Standing = asked;
  while (reminder !== undefined && approval.state === 'pending') {
    const wait = yield* eventOrDeadline(context, decided, reminder);
    if (!wait.raised) {
      return yield* remindApprover(context, { id }, forSideEffects);
    }
    approval = yield* afterEvent(context, { id }, wait.payload);
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
