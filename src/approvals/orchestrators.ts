import type { OrchestrationContext, Task } from 'durable-functions';
import moment from 'moment';
import { event, eventOrDeadline, orchestrator, persistently } from '../durable/index.js';
import { askApprover, carryOut, escalation, expiry, readStanding, type Reference } from './activities.js';
import type { Standing } from './model.js';
import { isDecided } from './rules.js';

/** Wakes the workflow of an approval that was decided. Whether it was, the record says. */
export const decided = event<null>('Decided');

/** Asks the approver, escalates when their time is up, and carries out what was decided. Gives the outcome in a line. */
export const approvalOrchestrator = orchestrator(
  'ApprovalOrchestrator',
  function* (context, { id }: Reference) {
    let standing = yield* askApprover(context, { id }, persistently);
    standing =
      (yield* decisionInTime(context, id, standing)) ?? (yield* escalation(context, { id }, persistently));
    if (!isDecided(standing)) {
      standing =
        (yield* decisionInTime(context, id, standing)) ?? (yield* expiry(context, { id }, persistently));
    }
    if (!isDecided(standing)) {
      return 'Expired';
    }
    return yield* carryOut(
      context,
      { id, outcome: standing.state === 'approved' ? 'Approved' : 'Rejected' },
      persistently,
    );
  },
);

/** Shows both ways an approval can end, without anybody to decide. */
export const approvalSimulation = orchestrator('ApprovalSimulation', function* (context) {
  return [
    yield* carryOut(context, { outcome: 'Approved' }),
    yield* carryOut(context, { outcome: 'Rejected' }),
  ];
});

/** Waits until the record is decided; gives nothing when the time of whom it waits for is up first. */
function* decisionInTime(
  context: OrchestrationContext,
  id: string,
  { state, deadline }: Standing,
): Generator<Task, Standing | undefined, unknown> {
  if (isDecided({ state })) {
    return { state, deadline };
  }
  while ((yield* eventOrDeadline(context, decided, moment.utc(deadline))).raised) {
    // Anybody may raise an event; only the record decides.
    const standing = yield* readStanding(context, { id }, persistently);
    if (isDecided(standing)) {
      return standing;
    }
  }
  return undefined;
}
