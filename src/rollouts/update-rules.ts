import moment, { type Moment } from 'moment';
import { refuse, type Refusal } from '../refusals/index.js';
import type { Command, Direction, Report, Rollout, Update } from './model.js';

/** What is to be done about a device. */
export type Next =
  /** Send the command, for the first time or again. */
  | 'send'
  /** Wait for its report until the deadline. */
  | 'wait'
  /** It did not report in time, after the last attempt. */
  | 'give up'
  /** It needs something that must not happen now: the rollout is paused, or ends. */
  | 'held'
  /** Nothing. */
  | 'done';

/** The parts of a rollout that decide about its devices. */
export type Policy = Pick<Rollout, 'stage' | 'paused' | 'attempts' | 'updateWithin'>;

/** The record of a device that waits for its turn. */
export function planned(index: number, device: string): Update {
  return { index, device, state: 'waiting', attempts: 0, posted: 0 };
}

/** What is to be done about a device now. */
export function nextFor(update: Update, { stage, paused, attempts }: Policy, at: Moment): Next {
  const { state, deadline } = update;
  const inTime = deadline !== undefined && at.isBefore(deadline);
  const isLast = update.attempts >= attempts;
  if (stage === 'rolling-back' && needsRollBack(update)) {
    if (state !== 'rolling-back') return 'send';
    return inTime ? 'wait' : isLast ? 'give up' : 'send';
  }
  switch (state) {
    case 'waiting':
      return stage === 'updating' && !paused ? 'send' : 'held';
    case 'sent':
      if (inTime) return 'wait';
      if (isLast || stage !== 'updating') return 'give up';
      return paused ? 'held' : 'send';
    default:
      return 'done';
  }
}

/** Whether the device has the new firmware, may have it, or is on the way back. */
export function needsRollBack({ state, answered }: Update): boolean {
  switch (state) {
    case 'updated':
    case 'unhealthy':
    case 'rolling-back':
      return true;
    case 'failed':
      return answered !== true;
    default:
      return false;
  }
}

/** The device before its first command, with what it is now. */
export function begun(update: Update, firmware: string | undefined, health: string): Update {
  return update.state === 'waiting' ? { ...update, previous: firmware, healthBefore: health } : update;
}

/** The device that gets no command. */
export function skipped(update: Update, reason: string, at: Moment): Update {
  return update.state === 'waiting'
    ? { ...update, state: 'skipped', reason, endedAt: at.toISOString() }
    : update;
}

/** The device that a command is sent to, by an instance that waits for the report. */
export function sending(update: Update, { updateWithin }: Policy, waiter: string, at: Moment): Update {
  const isBack = needsRollBack(update);
  const isFirst = isBack ? update.state !== 'rolling-back' : update.state !== 'sent';
  const { answered: _, endedAt: __, ...rest } = update;
  return {
    ...rest,
    state: isBack ? 'rolling-back' : 'sent',
    attempts: isFirst ? 1 : update.attempts + 1,
    posted: isFirst ? 0 : update.posted,
    deadline: at.clone().add(moment.duration(updateWithin)).toISOString(),
    sentAt: at.toISOString(),
    waiter,
  };
}

/** The device whose command of that attempt is in its queue. */
export function posted(update: Update, attempt: number): Update {
  return update.attempts === attempt && update.posted < attempt ? { ...update, posted: attempt } : update;
}

/** The device whose report another instance waits for now. */
export function awaited(update: Update, waiter: string): Update {
  return update.waiter === waiter ? update : { ...update, waiter };
}

/** The device that has not reported in time. */
export function gaveUp(update: Update, at: Moment): Update {
  const state = update.state === 'rolling-back' ? 'not-rolled-back' : 'failed';
  const reason = `It has not reported after ${update.attempts === 1 ? 'one command' : `${update.attempts} commands`}`;
  return { ...update, state, reason, endedAt: at.toISOString() };
}

/** The device whose health got worse after the update. */
export function gotWorse(update: Update, health: string, at: Moment): Update {
  return update.state === 'updated'
    ? { ...update, state: 'unhealthy', reason: `Its health is ${health}`, endedAt: at.toISOString() }
    : update;
}

/** The device after its report. A repeat changes nothing; a late success counts. */
export function reported(
  update: Update,
  direction: Direction,
  { outcome, detail }: Report,
  at: Moment,
): Update | Refusal {
  const succeeded = outcome === 'succeeded';
  const ended = (state: Update['state']): Update => {
    const { reason: _, answered: __, ...rest } = update;
    const failure = succeeded ? {} : { answered: true, reason: detail ?? 'The device reports a failure' };
    return { ...rest, state, ...failure, endedAt: at.toISOString() };
  };
  if (direction === 'update') {
    switch (update.state) {
      case 'waiting':
      case 'skipped':
        return notSent();
      case 'sent':
        return ended(succeeded ? 'updated' : 'failed');
      case 'failed':
        return succeeded ? ended('updated') : update.answered === true ? update : ended('failed');
      case 'updated':
      case 'unhealthy':
        return succeeded ? update : contradicts();
      default:
        // Its answer to the later command counts.
        return update;
    }
  }
  switch (update.state) {
    case 'rolling-back':
      return ended(succeeded ? 'rolled-back' : 'not-rolled-back');
    case 'not-rolled-back':
      return succeeded ? ended('rolled-back') : update.answered === true ? update : ended('not-rolled-back');
    case 'rolled-back':
      return succeeded ? update : contradicts();
    default:
      return notSent();
  }
}

function notSent(): Refusal {
  return refuse('conflict', 'The device has no such command', 'Report only commands from its queue.');
}

function contradicts(): Refusal {
  return refuse('over', 'The device has reported a success already', 'Report each command once.');
}

/** The firmware that a device has, as far as its state in the rollout shows that. */
export function firmwareOf(update: Update, { firmware }: Pick<Rollout, 'firmware'>): string | undefined {
  switch (update.state) {
    case 'updated':
    case 'unhealthy':
      return firmware;
    case 'rolled-back':
      return update.previous;
    default:
      return undefined;
  }
}

const BACK = new Set<Update['state']>(['rolling-back', 'rolled-back', 'not-rolled-back']);

/** The id of the last command to a device. */
export function commandId(rollout: string, { index, state }: Update): string {
  return `${rollout}-${index}-${BACK.has(state) ? 'back' : 'update'}`;
}

const commandPattern = /^(rollout-[0-9a-f]{32})-(0|[1-9]\d{0,4})-(update|back)$/;

/** The parts of a command's id; `undefined` when it does not have that form. */
export function parseCommand(
  id: string,
): { rollout: string; index: number; direction: Direction } | undefined {
  const [, rollout, index, direction] = commandPattern.exec(id) ?? [];
  return rollout === undefined
    ? undefined
    : { rollout, index: Number(index), direction: direction === 'back' ? 'roll-back' : 'update' };
}

/** The command that a device gets. */
export function commandOf({ id, firmware }: Pick<Rollout, 'id' | 'firmware'>, update: Update): Command {
  const command = commandId(id, update);
  const isBack = BACK.has(update.state);
  return {
    id: command,
    kind: isBack ? 'roll-back' : 'update',
    firmware: isBack ? update.previous : firmware,
    attempt: update.attempts,
    reportBefore: update.deadline!,
    reportTo: `/api/devices/${update.device}/updates/${command}`,
  };
}
