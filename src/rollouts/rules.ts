import moment, { type Moment } from 'moment';
import {
  MOST_DEVICES,
  type Rollout,
  type RolloutRequest,
  type RolloutState,
  type Span,
  type Step,
  type Update,
  type UpdateState,
} from './model.js';
import { count, draining, ending, entering, nextWave, noting } from './step-rules.js';
import { needsRollBack, nextFor } from './update-rules.js';
import { lanesOf, wavesOf } from './wave-rules.js';

/** A stage that takes longer may have lost its workflow. Some stages last long, because devices or people do. */
const STAGE_TAKES = moment.duration(10, 'minutes');
const LONG_STAGE_TAKES = moment.duration(1, 'hour');

/** The record of a new rollout. */
export function begin(id: string, wanted: RolloutRequest, requestHash: string, at: Moment): Rollout {
  const { approveBetweenWaves, ...rest } = wanted;
  const approval =
    approveBetweenWaves === true
      ? { respondWithin: 'P1D', escalateWithin: 'P1D' }
      : approveBetweenWaves || undefined;
  const rollout: Rollout = {
    ...rest,
    id,
    ...(approval && { approval }),
    stage: 'planning',
    paused: false,
    planned: 0,
    wave: 0,
    steps: [],
    createdAt: at.toISOString(),
    progressAt: at.toISOString(),
    requestHash,
  };
  return noting(rollout, `${wanted.requestedBy} asks for ${wanted.firmware}.`, at);
}

/** The waves of a rollout, over the devices that are planned so far. */
export function wavesIn({ waves, planned }: Rollout): Span[] {
  return wavesOf(waves, planned);
}

/** The present wave; without devices while there is none. */
export function presentWave(rollout: Rollout): Span {
  return wavesIn(rollout)[rollout.wave] ?? { from: 0, to: 0 };
}

/** Records a part of the plan, unless that was done. The last part has no `to`, where the next one would begin. */
export function plannedUntil(
  rollout: Rollout,
  part: { from?: string | undefined; to?: string | undefined; planned: number },
  at: Moment,
): Rollout {
  if (rollout.stage !== 'planning' || part.from !== rollout.plannedTo) return rollout;
  const { plannedTo: _, ...rest } = rollout;
  const planning = { ...rest, planned: part.planned, ...(part.to !== undefined && { plannedTo: part.to }) };
  if (part.planned > MOST_DEVICES)
    return draining(planning, 'aborted', `There are more than ${MOST_DEVICES} devices`, at);
  if (part.to !== undefined) return planning;
  const waves = wavesIn(planning);
  return waves.length === 0
    ? ending(planning, 'completed', 'There is no device that needs this firmware', at)
    : entering(
        planning,
        'updating',
        `${count(waves.at(-1)!.to, 'device')} in ${count(waves.length, 'wave')}.`,
        at,
      );
}

/** The number of devices of a wave in each state. */
export function tally(updates: readonly Update[]): Partial<Record<UpdateState, number>> {
  const counts: Partial<Record<UpdateState, number>> = {};
  for (const { state } of updates) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

/** Whether more devices of a wave have failed than may. Devices that got no command do not count. */
export function hasFailed(
  { maxFailureShare }: Pick<Rollout, 'maxFailureShare'>,
  counts: { failed: number; devices: number },
): boolean {
  return counts.failed > maxFailureShare * counts.devices;
}

/** Stops the rollout and rolls it back, because too many devices of the present wave have failed. */
export function stopped(rollout: Rollout, counts: { failed: number; devices: number }, at: Moment): Rollout {
  const stops = rollout.stage === 'updating' || rollout.stage === 'soaking';
  if (!stops || !hasFailed(rollout, counts)) return rollout;
  const reason = `Of the ${count(counts.devices, 'device')} of wave ${rollout.wave + 1}, ${counts.failed} failed`;
  return draining(rollout, 'rolled-back', reason, at);
}

/** Where the rollout goes on, given the devices of its present wave; the same while it has to wait. */
export function advanced(rollout: Rollout, updates: readonly Update[], at: Moment): Rollout {
  const { failed = 0, unhealthy = 0, skipped = 0 } = tally(updates);
  const waves = wavesIn(rollout);
  const name = `wave ${rollout.wave + 1}`;
  switch (rollout.stage) {
    case 'updating':
    case 'soaking': {
      const counts = { failed: failed + unhealthy, devices: updates.length - skipped };
      if (hasFailed(rollout, counts)) return stopped(rollout, counts, at);
      if (rollout.stage === 'updating') {
        if (updates.some(({ state }) => state === 'waiting' || state === 'sent')) return rollout;
        const soakUntil = at.clone().add(moment.duration(rollout.soak)).toISOString();
        return entering({ ...rollout, soakUntil }, 'soaking', `All devices of ${name} have answered.`, at);
      }
      if (at.isBefore(rollout.soakUntil) || rollout.paused) return rollout;
      if (rollout.wave + 1 >= waves.length) return ending(rollout, 'completed', 'All waves are done', at);
      return rollout.approval === undefined
        ? nextWave(rollout, `The devices of ${name} are healthy.`, at)
        : entering(rollout, 'approving', `The devices of ${name} are healthy. A person has to approve.`, at);
    }
    case 'draining':
      if (updates.some(({ state }) => state === 'sent')) return rollout;
      return rollout.ending?.outcome === 'rolled-back'
        ? entering(rollout, 'rolling-back', `The devices of ${name} are rolled back.`, at)
        : entering(rollout, 'concluding', 'No device has a command any more.', at);
    case 'rolling-back':
      if (updates.some((update) => needsRollBack(update))) return rollout;
      return rollout.wave === 0
        ? entering(rollout, 'concluding', 'All waves are rolled back.', at)
        : entering(
            { ...rollout, wave: rollout.wave - 1 },
            'rolling-back',
            `The devices of wave ${rollout.wave} are rolled back.`,
            at,
          );
    default:
      return rollout;
  }
}

/** What the workflow does next, once the rollout has {@link advanced}. */
export function nextStep(rollout: Rollout, updates: readonly Update[], at: Moment): Step {
  switch (rollout.stage) {
    case 'planning':
      return { do: 'plan' };
    case 'approving':
      return { do: 'approve' };
    case 'concluding':
      return { do: 'conclude' };
    case 'over':
      return { do: 'nothing', state: stateOf(rollout) };
    case 'soaking':
      return at.isBefore(rollout.soakUntil) ? { do: 'wait', until: rollout.soakUntil! } : { do: 'wait' };
    default: {
      const isIdle = updates.every((update) => ['held', 'done'].includes(nextFor(update, rollout, at)));
      return isIdle
        ? { do: 'wait' }
        : { do: 'update', lanes: lanesOf(presentWave(rollout), rollout.maxParallel) };
    }
  }
}

/** The rollout whose requester knows how it ended. */
export function concluded(rollout: Rollout, at: Moment): Rollout {
  return rollout.stage === 'concluding'
    ? entering(rollout, 'over', `${rollout.requestedBy} was notified.`, at)
    : rollout;
}

/** Whether nothing has to happen any more. */
export function isOver({ stage }: Pick<Rollout, 'stage'>): boolean {
  return stage === 'over';
}

/** The state of a rollout, as callers see it. */
export function stateOf({ stage, paused: isPaused, ending: end }: Rollout): RolloutState {
  if (isPaused) return 'paused';
  switch (stage) {
    case 'approving':
      return 'awaiting-approval';
    case 'draining':
    case 'concluding':
      return 'stopping';
    case 'over':
      return end?.outcome ?? 'completed';
    default:
      return stage;
  }
}

/**
 * The time by which its workflow must have done something. Devices and people may take long: then the sweep looks from time
 * to time. A paused rollout waits for a person, without a limit.
 */
export function dueAt(rollout: Rollout): string | undefined {
  const { stage, progressAt, watchedAt = progressAt, soakUntil = progressAt } = rollout;
  if (stage === 'over' || rollout.paused) return undefined;
  const seen = moment.utc(watchedAt > progressAt ? watchedAt : progressAt);
  switch (stage) {
    case 'soaking':
      return watchedAt > soakUntil ? seen.add(STAGE_TAKES).toISOString() : soakUntil;
    case 'planning':
    case 'concluding':
      return seen.add(STAGE_TAKES).toISOString();
    default:
      return seen.add(LONG_STAGE_TAKES).toISOString();
  }
}

/** The rollout that the sweep has looked at. */
export function watched(rollout: Rollout, at: Moment): Rollout {
  return isOver(rollout) ? rollout : { ...rollout, watchedAt: at.toISOString() };
}
