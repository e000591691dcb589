import type { OrchestrationContext, Task } from 'durable-functions';
import moment from 'moment';
import { eventOrDeadline, forSideEffects, now, type ExternalEvent } from '../durable/index.js';
import type { ApprovalRequest } from './model.js';
import { approvalOrchestrator } from './orchestrators.js';
import { openApproval, readApproval, type ApprovalOutcome } from './requests.js';
import { nextLook } from './rules.js';

/**
 * Opens an approval, and waits until the caller needs it no more. A decision raises `wake` for the caller; the record of
 * the approval is read from time to time, too, and when it expires.
 *
 * @param approval its id, and the request
 * @param caller the instance id of the workflow that waits
 * @param stillWaits notes what was read in the caller's record, and returns whether the caller still waits
 */
export function* awaitApproval(
  context: OrchestrationContext,
  { id, wanted }: { id: string; wanted: ApprovalRequest },
  { caller, wake }: { caller: string; wake: ExternalEvent<null> },
  stillWaits: (outcome: ApprovalOutcome) => Generator<Task, boolean, unknown>,
): Generator<Task, void, unknown> {
  const opening = { id, wanted, wakes: { instanceId: caller, ...wake } };
  const { opened, expiresAt } = yield* openApproval(context, opening, forSideEffects);
  if (opened) {
    const run = approvalOrchestrator(context, { id }, { instanceId: id });
    yield* eventOrDeadline(context, wake, moment.utc(expiresAt).add(1, 'hour'), run);
  }
  for (let look = 0; ; look += 1) {
    const outcome = yield* readApproval(context, { id }, forSideEffects);
    if (!(yield* stillWaits(outcome))) {
      return;
    }
    yield* eventOrDeadline(context, wake, nextLook(now(context), look, outcome.expiresAt ?? expiresAt));
  }
}
