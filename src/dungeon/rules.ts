import moment, { type Moment } from 'moment';
import type { Action, Change, Game, GameReference, Parts, Thing, Workflow } from './model.js';
import { a, monsterName, roomOf, treasureName, weaponName, type Random } from './words.js';

/** How long a player has to confirm. */
export const CONFIRM_WITHIN = moment.duration(2, 'minutes');
/** How often somebody looks after a player. */
export const WATCH_EVERY = moment.duration(20, 'seconds');
/** How long somebody does. */
export const WATCH_FOR = moment.duration(1, 'hour');
/** A claim without a workflow is forgotten after this long: whoever made it was killed before it could start one. */
const CLAIM_GRACE = moment.duration(10, 'seconds');

/** The id of a game's workflow. */
export function instanceIdOf(workflow: Workflow, { claim }: Pick<GameReference, 'claim'>): string {
  return `dungeon-${workflow}-${claim}`;
}

/** The game of a name that was just claimed. */
export function claimed({ name, claim }: GameReference, at: Moment, told = 0): Game {
  return {
    name,
    claim,
    claimedAt: at.toISOString(),
    state: 'open',
    confirmed: false,
    watched: 'not yet',
    won: false,
    told,
    forgotten: told,
  };
}

/** Whether a game has had the time to begin, and nothing shows that it ever did. */
export function seemsForsaken({ claimedAt, confirmBy }: Game, at: Moment): boolean {
  return confirmBy === undefined && at.diff(claimedAt) > CLAIM_GRACE.asMilliseconds();
}

/** Whether a name is taken: there is such a player. */
export function isTaken({ state }: Game): boolean {
  return state !== 'free';
}

// What the set-up makes and places. What was made, placed or moved before stays as it is, and is told again.

export function createUser(game: Game): Change {
  return {
    game: { ...game, user: game.user ?? { isAlive: true, inRoom: false } },
    lines: [`${game.name} stands before the dungeon.`],
  };
}

export function createMonster(game: Game, random: Random): Change {
  const monster = game.monster ?? { name: monsterName(random), isAlive: true, inRoom: false };
  return {
    game: { ...game, monster },
    lines: [`Look out, ${game.name}! ${sentence(a(monster.name))} lives down there.`],
  };
}

export function createRoom(game: Game, random: Random): Change {
  const room = game.room ?? roomOf(random);
  return { game: { ...game, room }, lines: [`The ${room.name} has been dug for ${game.name}.`] };
}

export function createInventory(game: Game, random: Random): Change {
  const weapon = game.weapon ?? { name: weaponName(random), isTreasure: false, at: 'aside' };
  const treasure = game.treasure ?? { name: treasureName(random), isTreasure: true, at: 'aside' };
  return {
    game: { ...game, weapon, treasure },
    lines: [`${sentence(a(weapon.name))} and ${a(treasure.name)} have been put aside for ${game.name}.`],
  };
}

// What undoes it: nothing, where nothing was made.

export function undoCreateUser({ user, ...game }: Game): Change {
  return { game, lines: user ? [`${game.name} is sent home.`] : [] };
}

export function undoCreateMonster({ monster, ...game }: Game): Change {
  return { game, lines: monster ? [`The ${monster.name} is gone.`] : [] };
}

export function undoCreateRoom({ room, ...game }: Game): Change {
  return { game, lines: room ? [`The ${room.name} is filled up again.`] : [] };
}

export function undoCreateInventory({ weapon, treasure, ...game }: Game): Change {
  return {
    game,
    lines: weapon && treasure ? [`The ${weapon.name} and the ${treasure.name} are taken away.`] : [],
  };
}

export function placeUserInRoom(game: Game): Change {
  const { name, user, room } = complete(game);
  return {
    game: { ...game, user: { ...user, inRoom: true } },
    lines: [`${name} looks around. ${room.description}`],
  };
}

export function placeInventoryInRoom(game: Game): Change {
  const { name, weapon } = complete(game);
  return {
    game: { ...game, weapon: moved(weapon, 'aside', 'room') },
    lines: [`${name} sees ${a(weapon.name)} on the floor.`],
  };
}

export function placeMonsterInRoom(game: Game): Change {
  const { name, monster, room } = complete(game);
  return {
    game: { ...game, monster: { ...monster, inRoom: true } },
    lines: [`${name} notices ${a(monster.name)} in the ${room.name}.`],
  };
}

export function placeInventoryOnMonster(game: Game): Change {
  const { name, monster, treasure } = complete(game);
  const placed = moved(treasure, 'aside', 'monster');
  return {
    game: { ...game, treasure: placed },
    lines:
      placed.at === 'monster' ? [`${name} notices that the ${monster.name} clutches ${a(placed.name)}.`] : [],
  };
}

export function undoPlaceUserInRoom(game: Game): Change {
  const { name, user, room } = game;
  return user?.inRoom
    ? {
        game: { ...game, user: { ...user, inRoom: false } },
        lines: [`${name} is led out of the ${room?.name ?? 'room'}.`],
      }
    : unchanged(game);
}

export function undoPlaceInventoryInRoom(game: Game): Change {
  return putAside(game, 'weapon');
}

export function undoPlaceMonsterInRoom(game: Game): Change {
  const { monster, room } = game;
  return monster?.inRoom
    ? {
        game: { ...game, monster: { ...monster, inRoom: false } },
        lines: [`The ${monster.name} is driven out of the ${room?.name ?? 'room'}.`],
      }
    : unchanged(game);
}

export function undoPlaceInventoryOnMonster(game: Game): Change {
  return putAside(game, 'treasure');
}

/** From here on nothing more of the game is made. */
export function abandon(game: Game): Change {
  return isTaken(game)
    ? {
        game: { ...game, state: 'undoing' },
        lines: [`Something went wrong while the dungeon of ${game.name} was laid out. All is undone.`],
      }
    : unchanged(game);
}

/** The name may be claimed anew. */
export function free(game: Game): Change {
  return { game: { ...game, state: 'free' }, lines: [`The name ${game.name} is free again.`] };
}

/** Gives the player until `by` to confirm. */
export function askToConfirm(game: Game, by: string): Change {
  return {
    game: { ...game, confirmBy: by },
    lines: [`${game.name} has ${CONFIRM_WITHIN.asMinutes()} minutes to confirm.`],
  };
}

/** The player's confirmation; `undefined` when nothing waits for it: not yet, no more, or too late. */
export function confirm(game: Game, at: Moment): Change | undefined {
  const { name, state, user, confirmBy, confirmed } = game;
  if (state !== 'open' || confirmBy === undefined || user?.isAlive !== true || user.inRoom) {
    return undefined;
  }
  if (confirmed) {
    return unchanged(game);
  }
  return at.isAfter(confirmBy)
    ? undefined
    : { game: { ...game, confirmed: true }, lines: [`${name} has accepted the challenge!`] };
}

/** Kills a player who has not confirmed. */
export function killUnconfirmed(game: Game): Change {
  const { name, user, confirmed } = game;
  return user && !confirmed
    ? {
        game: { ...game, user: { ...user, isAlive: false } },
        lines: [`${name} has not confirmed in time.`, `Alas, ${name} died from waiting too long!`],
      }
    : unchanged(game);
}

/** Who looks after a player, and whether it was for the first or the last time. */
export interface Look {
  first: boolean;
  last: boolean;
}

/** Looks after a player. */
export function watch(game: Game, { first, last }: Look): Change {
  const { name, state, user } = game;
  if (state !== 'open') {
    return unchanged(game);
  }
  const over = isOver(game);
  const begins = first ? [`${name} is watched every ${WATCH_EVERY.asSeconds()} seconds from now on.`] : [];
  const seen =
    user?.isAlive === false
      ? `${name} is dead.`
      : over
        ? `${name} has the treasure.`
        : `${name} is alive but has not found the treasure.`;
  const ends = over ? ['is done.'] : last ? ['has timed out.'] : [];
  return {
    // A look may come late, after the last.
    game: { ...game, watched: ends.length > 0 || game.watched === 'no more' ? 'no more' : 'now' },
    lines: [...begins, seen, ...ends.map((how) => `The watch over ${name} ${how}`)],
  };
}

/** Whether nothing of interest will happen to the player any more: they are dead, or hold the treasure, or there is no dungeon. */
export function isOver({ state, user, treasure }: Game): boolean {
  return state !== 'open' || user?.isAlive === false || treasure?.at === 'player';
}

/** Whether the monster is dead and the player holds the treasure, in whichever order that came about. */
export function isWon({ monster, treasure }: Game): boolean {
  return monster?.isAlive === false && treasure?.at === 'player';
}

/** Tells the victory, when there is one. */
export function celebrate(game: Game): Change {
  return isWon(game)
    ? { game: { ...game, won: true }, lines: [`${game.name} has won the game!`] }
    : unchanged(game);
}

/** A move as it was made. */
export interface Moved extends Change {
  event?: MoveEvent;
}

/** A move that cannot be made. */
export interface Refused {
  /** What the player is told. */
  refused: string;
  /** What the console is told. */
  line: string;
  /** Set when the move had been made before: whoever waits for it may not know. */
  event?: MoveEvent;
}

/** The event that a move raises. */
export type MoveEvent = 'KillMonster' | 'GotTreasure';

/** Decides on a player's move. */
export function move(game: Game | undefined, action: Action): Moved | Refused {
  const { name } = action;
  if (game === undefined || !isTaken(game)) {
    return { refused: `There is no player ${name}.`, line: `Attempt to use missing user ${name} failed.` };
  }
  if (game.user?.isAlive === false) {
    return { refused: `${name} is dead.`, line: `Attempt to use dead user ${name} failed.` };
  }
  switch (action.action) {
    case 'get':
      return take(game, action);
    case 'kill':
      return kill(game, action);
    default:
      return {
        refused: `Nobody here understands "${action.action}": get or kill.`,
        line: `User ${name} tried something that nobody understands.`,
      };
  }
}

function take(game: Game, { name, target }: Action): Moved | Refused {
  const { weapon, treasure } = game;
  if (target === '') {
    return { refused: 'Say what to get, as the target.', line: `User ${name} tried to get nothing.` };
  }
  const got = [weapon, treasure].find((thing) => thing?.name === target);
  if (got?.at === 'player') {
    return {
      refused: `${name} holds the ${target} already.`,
      line: `User ${name} tried to get ${a(target)} twice.`,
      ...(got.isTreasure && { event: 'GotTreasure' }),
    };
  }
  if (got?.at !== 'room') {
    // The target is whatever was sent: only what is known to be a thing's name is repeated on the console.
    return {
      refused: `There is no ${target} on the floor.`,
      line: `User ${name} tried to get ${got ? a(got.name) : 'something'} that was not there.`,
    };
  }
  return got.isTreasure
    ? {
        game: { ...game, treasure: { ...got, at: 'player' } },
        lines: [`${name} has grabbed the treasure: the ${target}!`],
        event: 'GotTreasure',
      }
    : {
        game: { ...game, weapon: { ...got, at: 'player' } },
        lines: [`${name} has picked up the ${target}.`],
      };
}

function kill(game: Game, { name, target, with: tool }: Action): Moved | Refused {
  const { weapon, monster, treasure } = game;
  if (target === '') {
    return { refused: 'Say what to kill, as the target.', line: `User ${name} tried to kill nothing.` };
  }
  if (tool === '') {
    return { refused: 'Say what to kill it with.', line: `User ${name} tried to kill with no weapon.` };
  }
  if (weapon?.name !== tool || weapon.at !== 'player') {
    return {
      refused: `${name} has no ${tool} to kill with.`,
      line: `User ${name} tried to kill with a weapon they do not hold.`,
    };
  }
  if (monster?.name !== target || !monster.inRoom) {
    return { refused: `There is no ${target} here.`, line: `User ${name} tried to kill a ghost.` };
  }
  if (!monster.isAlive) {
    return {
      refused: `The ${target} is dead already.`,
      line: `User ${name} tried to kill an already dead ${target}.`,
      event: 'KillMonster',
    };
  }
  // Also when it was slain so soon that the treasure is still put aside for it: a dead monster is given nothing.
  return {
    game: {
      ...game,
      monster: { ...monster, isAlive: false },
      ...(treasure && { treasure: { ...treasure, at: 'room' } }),
    },
    lines: [
      `${name} has slain the ${target} with the ${tool}!`,
      ...(treasure ? [`The ${target} has dropped ${a(treasure.name)}.`] : []),
    ],
    event: 'KillMonster',
  };
}

/** A game as `GameStatus` answers it. */
export function worldOf(game: Game): object {
  const { name, user, monster, room, weapon, treasure } = game;
  const things = [weapon, treasure].filter((thing) => thing !== undefined);
  const at = (place: Thing['at']): string =>
    things
      .filter((thing) => thing.at === place)
      .map((thing) => thing.name)
      .join(',');
  const here = room?.name ?? null;
  return {
    user: {
      name,
      currentRoom: user?.inRoom ? here : null,
      isAlive: user?.isAlive ?? true,
      inventoryItems: at('player'),
    },
    monster: monster
      ? {
          name: monster.name,
          currentRoom: monster.inRoom ? here : null,
          isAlive: monster.isAlive,
          inventoryItems: at('monster'),
        }
      : null,
    inventory: things.map((thing) => ({
      name: thing.name,
      monster: thing.at === 'monster' ? (monster?.name ?? null) : null,
      room: thing.at === 'room' ? here : null,
      isTreasure: thing.isTreasure,
    })),
    room: room
      ? { ...room, monster: monster?.inRoom ? monster.name : null, inventoryItems: at('room') }
      : null,
  };
}

/** A game of which everything was made. */
function complete(game: Game): Game & Parts {
  const { user, monster, room, weapon, treasure } = game;
  if (!user || !monster || !room || !weapon || !treasure) {
    throw new Error(`The dungeon of ${game.name} is not complete`);
  }
  return { ...game, user, monster, room, weapon, treasure };
}

/** Where the thing was before it was placed. */
function putAside(game: Game, which: 'weapon' | 'treasure'): Change {
  const thing = game[which];
  return thing && thing.at !== 'aside'
    ? { game: { ...game, [which]: { ...thing, at: 'aside' } }, lines: [`The ${thing.name} is put aside.`] }
    : unchanged(game);
}

function unchanged(game: Game): Change {
  return { game, lines: [] };
}

/** The thing moved, unless it is not there any more. */
function moved(thing: Thing, from: Thing['at'], to: Thing['at']): Thing {
  return thing.at === from ? { ...thing, at: to } : thing;
}

function sentence(text: string): string {
  return text[0]!.toUpperCase() + text.slice(1);
}
