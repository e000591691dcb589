import type { Moment } from 'moment';
import { refuse, type Refusal } from '../refusals/index.js';
import type { Rollout } from './model.js';
import { stateOf } from './rules.js';
import { because, draining, noting } from './step-rules.js';

/** Sends no more commands until it is resumed. Reports still count. */
export function paused(
  rollout: Rollout,
  by: string,
  reason: string | undefined,
  at: Moment,
): Rollout | Refusal {
  if (rollout.ending !== undefined) return tooLate(rollout);
  return rollout.paused
    ? rollout
    : noting({ ...rollout, paused: true }, `Paused by ${by}${because(reason)}`, at);
}

/** Goes on after a pause. */
export function resumed(
  rollout: Rollout,
  by: string,
  reason: string | undefined,
  at: Moment,
): Rollout | Refusal {
  if (rollout.ending !== undefined) return tooLate(rollout);
  return rollout.paused
    ? noting(
        { ...rollout, paused: false, progressAt: at.toISOString() },
        `Resumed by ${by}${because(reason)}`,
        at,
      )
    : rollout;
}

/** Ends it before its last wave. Devices that have a command may still report. */
export function aborted(
  rollout: Rollout,
  { by, reason, rollBack }: { by: string; reason?: string | undefined; rollBack: boolean },
  at: Moment,
): Rollout | Refusal {
  const outcome = rollBack ? 'rolled-back' : 'aborted';
  if (rollout.ending !== undefined) return rollout.ending.outcome === outcome ? rollout : tooLate(rollout);
  return draining(rollout, outcome, `Aborted by ${by}${reason === undefined ? '' : `: ${reason}`}`, at);
}

function tooLate(rollout: Rollout): Refusal {
  return refuse(
    'over',
    `The rollout is ${stateOf(rollout)}`,
    `Get /api/rollouts/${rollout.id} for what happened.`,
  );
}
