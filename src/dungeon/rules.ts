import moment, { type Moment } from 'moment';
import { Refusal, type Reason } from '../refusals/index.js';
import type { Change, Claim, Game, GameKey, Workflow } from './model.js';

/** How long a player has to confirm. */
export const CONFIRM_WITHIN = moment.duration(2, 'minutes');
/** How often the monitor of the user looks at a player. */
export const LOOK_EVERY = moment.duration(20, 'seconds');
/** How long it does. */
export const LOOK_FOR = moment.duration(1, 'hour');
/** After so many looks the monitor of the user continues as new, to keep its history short. */
export const LOOKS_PER_EXECUTION = 3;
/** A game that nobody touches for this long is closed. */
export const CLOSE_AFTER = moment.duration(2, 'days');
/** The rows of a game, and the data of its workflows, are kept for this long after its end. */
export const KEEP_FOR = moment.duration(10, 'minutes');
/** A claim whose workflows have not been started for this long can be taken over: the request may have died. */
const TAKE_OVER_AFTER = moment.duration(10, 'seconds');
/** The monitors record a look when the last recorded one is older than this. */
export const RECORD_LOOK_AFTER = { user: moment.duration(1, 'minute'), game: moment.duration(10, 'minutes') };

/** A refusal that is also a line on the console. */
export class DungeonRefusal extends Refusal {
  constructor(
    reason: Reason,
    detail: string,
    /** What the console prints. */
    readonly line: string,
  ) {
    super(reason, 'The dungeon says no', detail);
  }
}

/** The id of a game's workflow. */
export function instanceIdOf(workflow: Workflow, { claim }: Pick<GameKey, 'claim'>): string {
  return `dungeon-${workflow}-${claim}`;
}

/** Claims a name: the record of its new game. @param told how many lines of story the name has had so far */
export function claimGame({ name, claim: id, requestKey }: Claim, at: Moment, told = 0): Game {
  return {
    name,
    claim: id,
    requestKey,
    claimedAt: at.toISOString(),
    touchedAt: at.toISOString(),
    state: 'open',
    confirmed: false,
    watched: 'not yet',
    won: false,
    told,
    forgotten: told,
  };
}

/** Records that the workflows of a claim are started. The claim cannot be taken over any more. */
export function begin(game: Game): Change {
  return { game: { ...game, started: true }, lines: [] };
}

/** Whether the request that claimed the name has not started anything, though it had the time. */
export function isForsaken(game: Game, at: Moment): boolean {
  return isUnstarted(game) && at.diff(game.claimedAt) > TAKE_OVER_AFTER.asMilliseconds();
}

/**
 * For how many seconds more the request that claimed the name may be starting its game; `undefined` once the game is
 * started, or the request has had its time.
 */
export function startsWithin(game: Game, at: Moment): number | undefined {
  const left = TAKE_OVER_AFTER.asMilliseconds() - at.diff(game.claimedAt);
  return isUnstarted(game) && left >= 0 ? Math.ceil((left + 1) / 1000) : undefined;
}

function isUnstarted({ state, started, confirmBy }: Game): boolean {
  return state === 'open' && started !== true && confirmBy === undefined;
}

/** Whether the name may be claimed anew: its game is undone, closed or lost, or has ended or been left for long enough. */
export function isFree(game: Game, at: Moment): boolean {
  return !isTaken(game) || game.user?.isAlive === false || isIdle(game, at) || isExpired(game, at);
}

/** Whether there is such a player. */
export function isTaken({ state }: Game): boolean {
  return state !== 'free';
}

/** Whether the game ended so long ago that nothing of it is kept. */
export function isExpired(game: Game, at: Moment): boolean {
  const { endedAt = game.won ? game.claimedAt : undefined } = game;
  return endedAt !== undefined && !at.isBefore(moment.utc(endedAt).add(KEEP_FOR));
}

/** Whether nobody has touched a game that is still going on for too long. */
export function isIdle({ state, confirmed, won, touchedAt, claimedAt }: Game, at: Moment): boolean {
  return (
    state === 'open' && confirmed && !won && !at.isBefore(moment.utc(touchedAt ?? claimedAt).add(CLOSE_AFTER))
  );
}

/** Gives up a set-up that has failed: nothing more of the game is made. */
export function abandon(game: Game, at: Moment): Change {
  return isTaken(game)
    ? {
        game: game.state === 'undoing' ? game : { ...game, state: 'undoing', touchedAt: at.toISOString() },
        lines: [`Something went wrong while the dungeon of ${game.name} was laid out. All is undone.`],
      }
    : unchanged(game);
}

/** Frees the name of a game that is undone. */
export function free(game: Game, at: Moment): Change {
  return {
    game: ended({ ...withoutParts(game), state: 'free' }, at),
    lines: [`The name ${game.name} is free again.`],
  };
}

/** Closes a game that nobody has touched for too long, and frees its name. */
export function close(game: Game, at: Moment): Change {
  return isIdle(game, at)
    ? {
        game: ended({ ...withoutParts(game), state: 'free' }, at),
        lines: [
          `Nobody has touched the dungeon of ${game.name} for ${CLOSE_AFTER.asDays()} days. It is closed.`,
          `The name ${game.name} is free again.`,
        ],
      }
    : unchanged(game);
}

/** Gives the player until `by` to confirm, unless they have been given a time already. */
export function askToConfirm(game: Game, by: string): Change {
  return {
    game: { ...game, confirmBy: game.confirmBy ?? by },
    lines: [`${game.name} has ${CONFIRM_WITHIN.asMinutes()} minutes to confirm.`],
  };
}

/** Confirms that the player goes in. Refuses before they are asked, after their time is up, and once they are in. */
export function confirm(game: Game, at: Moment): Change | DungeonRefusal {
  const { name, state, user, confirmBy, confirmed } = game;
  if (!isTaken(game)) {
    return noSuchPlayer(name, 'confirm');
  }
  const line = `Attempt to confirm user ${name} failed.`;
  if (state !== 'open' || confirmBy === undefined || user === undefined) {
    return new DungeonRefusal('conflict', `Nothing waits for the confirmation of ${name} yet.`, line);
  }
  if (confirmed) {
    return user.inRoom ? new DungeonRefusal('over', `${name} is in the dungeon.`, line) : unchanged(game);
  }
  return !user.isAlive || !at.isBefore(confirmBy)
    ? new DungeonRefusal('too-late', `The time of ${name} to confirm is up.`, line)
    : {
        game: { ...game, confirmed: true, touchedAt: at.toISOString() },
        lines: [`${name} has accepted the challenge!`],
      };
}

/** Kills a player who has not confirmed in time. Before the time is up nothing changes: a timer may fire early. */
export function killUnconfirmed(game: Game, at: Moment): Change {
  const { name, user, confirmed, confirmBy } = game;
  return user && !confirmed && (!user.isAlive || !at.isBefore(confirmBy))
    ? {
        game: ended({ ...game, user: { ...user, isAlive: false } }, at),
        lines: [`${name} has not confirmed in time.`, `Alas, ${name} died from waiting too long!`],
      }
    : unchanged(game);
}

/** Whether the player can still confirm, or must still be killed. */
export function awaitsConfirmation({ state, user, confirmed }: Game): boolean {
  return state === 'open' && user?.isAlive === true && !confirmed;
}

/**
 * Looks at a player. The story has the first and the last look, and the record one a minute.
 *
 * @param last whether the monitor of the user ends after this look
 */
export function watch(game: Game, last: boolean, at: Moment): Change {
  const { name, state, user, watched, lookedAt } = game;
  if (state !== 'open') {
    return unchanged(game);
  }
  const over = isOver(game);
  const begins =
    watched === 'not yet' ? [`${name} is watched every ${LOOK_EVERY.asSeconds()} seconds from now on.`] : [];
  const seen =
    user?.isAlive === false
      ? `${name} is dead.`
      : over
        ? `${name} has the treasure.`
        : `${name} is alive but has not found the treasure.`;
  const ends = over ? ['is done.'] : last ? ['has timed out.'] : [];
  const lines = [...begins, seen, ...ends.map((how) => `The watch over ${name} ${how}`)];
  // A look may come late, after the last.
  const next = ends.length > 0 || watched === 'no more' ? 'no more' : 'now';
  const recent = lookedAt !== undefined && at.diff(lookedAt) < RECORD_LOOK_AFTER.user.asMilliseconds();
  if (next === watched && (recent || next === 'no more')) {
    return { game, lines: [], remarks: lines };
  }
  const looked: Game = { ...game, watched: next, lookedAt: at.toISOString() };
  return next === watched ? { game: looked, lines: [], remarks: lines } : { game: looked, lines };
}

/** Whether the player needs no watching any more: they are dead, or hold the treasure, or there is no dungeon. */
export function isOver({ state, user, treasure }: Game): boolean {
  return state !== 'open' || user?.isAlive === false || treasure?.at === 'player';
}

/** Whether the monster is dead and the player holds the treasure, in whichever order that came about. */
export function isWon({ monster, treasure }: Game): boolean {
  return monster?.isAlive === false && treasure?.at === 'player';
}

/** Looks at a game: records the win when there is one, closes the game when nobody plays it, or records the look. */
export function check(game: Game, at: Moment): Change {
  if (isWon(game)) {
    return { game: ended({ ...game, won: true }, at), lines: [`${game.name} has won the game!`] };
  }
  if (game.state !== 'open' || isIdle(game, at)) {
    return close(game, at);
  }
  return at.diff(lastCheck(game)) < RECORD_LOOK_AFTER.game.asMilliseconds()
    ? unchanged(game)
    : { game: { ...game, checkedAt: at.toISOString() }, lines: [] };
}

/** When the monitor of the game last recorded a look, or began to look at the latest. */
export function lastCheck({ checkedAt, touchedAt, claimedAt }: Game): string {
  return checkedAt ?? touchedAt ?? claimedAt;
}

/** Refuses what was asked of a player who does not exist. @param verb as the console prints it */
export function noSuchPlayer(name: string, verb: 'confirm' | 'use' = 'use'): DungeonRefusal {
  return new DungeonRefusal(
    'not-found',
    `There is no player ${name}.`,
    `Attempt to ${verb} missing user ${name} failed.`,
  );
}

/** Refuses a name that another player has. */
export function nameTaken(name: string): DungeonRefusal {
  return new DungeonRefusal(
    'conflict',
    `There is a player ${name} already. Take another name.`,
    `Attempt to add duplicate user ${name} failed.`,
  );
}

/** No change, and no lines. */
export function unchanged(game: Game): Change {
  return { game, lines: [] };
}

function ended(game: Game, at: Moment): Game {
  return { ...game, endedAt: game.endedAt ?? at.toISOString() };
}

function withoutParts({ user: _1, monster: _2, room: _3, weapon: _4, treasure: _5, ...head }: Game): Game {
  return head;
}
