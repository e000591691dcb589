import type { OrchestrationContext, Task } from 'durable-functions';
import moment from 'moment';
import { awaitApproval, withdrawApproval } from '../approvals/index.js';
import { all, event, eventOrDeadline, forSideEffects, orchestrator, waitFor } from '../durable/index.js';
import {
  advanceRollout,
  advanceUpdate,
  askForWave,
  concludeRollout,
  findInLane,
  noteWaveApproval,
  planRollout,
  type Reference,
} from './activities.js';
import type { Lane, RolloutState } from './model.js';

/** Wakes the workflow of a rollout that was resumed or aborted. The record shows which. */
export const steered = event<null>('Steered');
/** Wakes the workflow of a device that has reported. The record shows what. */
export const updateReported = event<null>('UpdateReported');

/**
 * A rollout, from its plan to its end, in waves. Its record decides each step, so an execution that takes over from another
 * goes on there. Each step that may be long begins a new history. Returns the rollout's state.
 */
export const rolloutOrchestrator = orchestrator(
  'RolloutOrchestrator',
  function* (context, { id }: Reference): Generator<Task, RolloutState | 'continued', unknown> {
    for (;;) {
      const step = yield* advanceRollout(context, { id }, forSideEffects);
      switch (step.do) {
        case 'plan':
          yield* planRollout(context, { id }, forSideEffects);
          break;
        case 'update':
          yield* all(
            context,
            step.lanes.map((lane) => updateLane(context, { id, ...lane })),
          );
          break;
        case 'wait':
          if (step.until === undefined) yield* waitFor(context, steered);
          else yield* eventOrDeadline(context, steered, moment.utc(step.until));
          break;
        case 'approve':
          yield* awaitDecision(context, { id });
          // In this history, because the workflow of the approval may not have ended.
          continue;
        case 'conclude':
          return yield* concludeRollout(context, { id }, forSideEffects);
        case 'nothing':
          return step.state;
      }
      context.df.continueAsNew({ id });
      return 'continued';
    }
  },
);

/** Updates the devices of a lane, one after the other. Every ten devices begin a new history. */
const updateLane = orchestrator('UpdateLane', function* (context, { id, ...lane }: Reference & Lane) {
  const { indexes, next } = yield* findInLane(context, { id, ...lane }, forSideEffects);
  for (const index of indexes) {
    const { isHeld } = yield* updateDevice(context, { id, index });
    if (isHeld) return null;
  }
  if (next !== undefined) context.df.continueAsNew({ id, ...lane, from: next });
  return null;
});

/**
 * Updates a device, or rolls it back: sends the command, waits for the report until the deadline, and sends it again or gives
 * up. The record of the device decides; an event that comes for nothing changes nothing.
 */
const updateDevice = orchestrator(
  'UpdateDevice',
  function* (context, { id, index }: Reference & { index: number }) {
    for (;;) {
      const waiter = context.df.instanceId;
      const step = yield* advanceUpdate(context, { id, index, waiter }, forSideEffects);
      if (step.do === 'nothing') return { isHeld: step.isHeld };
      yield* eventOrDeadline(context, updateReported, moment.utc(step.until));
    }
  },
);

/** Waits until the next wave has a decision. */
function* awaitDecision(context: OrchestrationContext, { id }: Reference): Generator<Task, void, unknown> {
  const { approval } = yield* askForWave(context, { id }, forSideEffects);
  if (approval === undefined) return;
  yield* awaitApproval(context, approval, { caller: id, wake: steered }, function* (outcome) {
    const noted = { id, approval: approval.id, outcome };
    return (yield* noteWaveApproval(context, noted, forSideEffects)).waits;
  });
  // It waits in vain if the rollout was aborted. One that has ended stays as it is.
  yield* withdrawApproval(context, { id: approval.id }, forSideEffects);
}
