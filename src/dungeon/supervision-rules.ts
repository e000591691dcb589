import moment, { type Duration, type Moment } from 'moment';
import type { Change, Game, Workflow } from './model.js';
import { close, CLOSE_AFTER, free, isWon, KEEP_FOR, lastCheck, RECORD_LOOK_AFTER } from './rules.js';
import { isLaidOut } from './setup-rules.js';

/** A workflow that makes the next step of a game has taken it after this long. */
const STEP_WITHIN = moment.duration(1, 'minute');
/** A monitor has recorded a look after this long: its interval, and what it may leave out. */
const LOOK_WITHIN = {
  user: moment.duration(30, 'seconds').add(RECORD_LOOK_AFTER.user),
  game: moment.duration(65, 'minutes').add(RECORD_LOOK_AFTER.game),
};

/** Ends what needs no workflow to end: a set-up that was being undone for too long, and a game that nobody plays. */
export function settle(game: Game, at: Moment): Change {
  return game.state === 'undoing' && !at.isBefore(dueAt(game)) ? free(game, at) : close(game, at);
}

/** The workflows that have work to do for a game, by its record. None when it has ended, or is being undone. */
export function neededWorkflows(game: Game): Workflow[] {
  return game.state !== 'open' || game.user?.isAlive === false || game.won
    ? []
    : [...(game.watched === 'no more' ? [] : (['UserMonitorWorkflow'] as const)), nextStep(game)];
}

/** The workflow that takes the next step. */
function nextStep(game: Game): Workflow {
  if (game.confirmBy === undefined) {
    return 'RunUserParallelWorkflow';
  }
  if (!game.confirmed) {
    return 'UserConfirmationWorkflow';
  }
  return isLaidOut(game) ? 'GameMonitorWorkflow' : 'RunUserSequentialWorkflow';
}

/**
 * When something must have happened to a game, in ISO 8601: the next step of its set-up, the death of a player who has
 * not confirmed, a recorded look of a monitor, its end because nobody plays it, or the removal of its rows.
 */
export function dueAt(game: Game): string {
  const { state, claimedAt, touchedAt = claimedAt, endedAt, won } = game;
  if (endedAt !== undefined || won || state === 'free') {
    return after(endedAt ?? touchedAt, KEEP_FOR);
  }
  if (state === 'undoing') {
    return after(touchedAt, STEP_WITHIN);
  }
  const { confirmBy, confirmed, watched, lookedAt } = game;
  const watch =
    watched === 'no more'
      ? []
      : [lookedAt === undefined ? after(claimedAt, STEP_WITHIN) : after(lookedAt, LOOK_WITHIN.user)];
  const step =
    confirmBy !== undefined && !confirmed
      ? [confirmBy]
      : isLaidOut(game) && !isWon(game)
        ? [after(lastCheck(game), LOOK_WITHIN.game), after(touchedAt, CLOSE_AFTER)]
        : [after(touchedAt, STEP_WITHIN)];
  // Times in ISO 8601 are ordered as texts.
  return [...watch, ...step].toSorted()[0]!;
}

function after(time: string, by: Duration): string {
  return moment.utc(time).add(by).toISOString();
}

/** When the claim of a new game is due, in ISO 8601. */
export function dueAfterClaim(at: Moment): string {
  return after(at.toISOString(), STEP_WITHIN);
}
