import type { Change, Game, Parts, Thing } from './model.js';
import { unchanged } from './rules.js';
import { a, monsterName, roomOf, treasureName, weaponName, type Random } from './words.js';

// The set-up makes and places. What was made, placed or moved before stays as it is; the lines are sent again.

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

// The undoing of it. Nothing changes where nothing was made.

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

/** The thing moved, unless it is not there any more. */
function moved(thing: Thing, from: Thing['at'], to: Thing['at']): Thing {
  return thing.at === from ? { ...thing, at: to } : thing;
}

function sentence(text: string): string {
  return text[0]!.toUpperCase() + text.slice(1);
}

/** Whether everything has been placed. */
export function isLaidOut({ user, monster, weapon, treasure }: Game): boolean {
  return (
    user?.inRoom === true &&
    monster?.inRoom === true &&
    [weapon, treasure].every((thing) => thing !== undefined && thing.at !== 'aside')
  );
}
