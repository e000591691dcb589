import type { Rollout, RolloutState, Span, Update, UpdateState } from './model.js';
import { isOver, stateOf, tally, wavesIn } from './rules.js';
import { commandId } from './update-rules.js';
import { waveOf } from './wave-rules.js';

/** A rollout in a list. */
export function summary(rollout: Rollout): object {
  const { id, firmware, requestedBy, createdAt, wave, ending, planned } = rollout;
  return {
    id,
    state: stateOf(rollout),
    reason: ending?.reason,
    firmware,
    wave: wave + 1,
    deviceCount: planned,
    requestedBy,
    createdAt,
  };
}

/** A rollout with its settings, its waves and what happened. */
export function details(rollout: Rollout, updates: readonly Update[]): object {
  const { maxFailureShare, soak, updateWithin, attempts, maxParallel, approval, soakUntil, stage, steps } =
    rollout;
  return {
    ...summary(rollout),
    waveEnds: rollout.waves,
    maxFailureShare,
    soak,
    ...(stage === 'soaking' && { soakUntil }),
    approveBetweenWaves: approval ?? false,
    updateWithin,
    attempts,
    maxParallel,
    waves: wavesIn(rollout).map((span, number) => shownWave(rollout, updates, span, number)),
    steps,
  };
}

function shownWave(rollout: Rollout, updates: readonly Update[], { from, to }: Span, number: number): object {
  const counts = tally(updates.filter(({ index }) => index >= from && index < to));
  return { number: number + 1, devices: to - from, state: waveState(rollout, counts, number), counts };
}

function waveState(
  rollout: Rollout,
  counts: Partial<Record<UpdateState, number>>,
  number: number,
): RolloutState | 'waiting' | 'done' {
  const state = stateOf(rollout);
  if (number === rollout.wave) return state === 'completed' ? 'done' : state;
  if (number < rollout.wave) return 'done';
  return counts['rolled-back'] || counts['not-rolled-back'] ? 'rolled-back' : 'waiting';
}

/** A device of a rollout. */
export function shownUpdate(rollout: Rollout, update: Update): object {
  const { index, device, state, attempts, previous, reason, sentAt, endedAt, deadline } = update;
  const wave = waveOf(wavesIn(rollout), index);
  return {
    device,
    wave: wave === undefined ? undefined : wave + 1,
    state: state === 'waiting' && isOver(rollout) ? 'not-updated' : state,
    attempts,
    ...(attempts > 0 && { command: commandId(rollout.id, update) }),
    previousFirmware: previous,
    reason,
    sentAt,
    reportBefore: state === 'sent' || state === 'rolling-back' ? deadline : undefined,
    endedAt,
  };
}
