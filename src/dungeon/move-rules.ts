import type { Moment } from 'moment';
import type { Action, Change, Game } from './model.js';
import { DungeonRefusal, isIdle, isTaken, noSuchPlayer } from './rules.js';
import { a } from './words.js';

/** The event that a move raises. */
export type MoveEvent = 'KillMonster' | 'GotTreasure';

/** A move that was made. */
export interface Moved extends Change {
  event?: MoveEvent;
}

/** Makes a player's move. */
export function move(game: Game, action: Action, at: Moment): Moved | DungeonRefusal {
  const { name } = action;
  if (!isTaken(game) || isIdle(game, at)) {
    return noSuchPlayer(name);
  }
  if (game.user?.isAlive === false) {
    return new DungeonRefusal('over', `${name} is dead.`, `Attempt to use dead user ${name} failed.`);
  }
  const touched = { ...game, touchedAt: at.toISOString() };
  switch (action.action) {
    case 'get':
      return take(touched, action);
    case 'kill':
      return kill(touched, action);
    default:
      return refuse(
        `Nobody here understands "${action.action}": get or kill.`,
        `User ${name} tried something that nobody understands.`,
      );
  }
}

function take(game: Game, { name, target }: Action): Moved | DungeonRefusal {
  const { weapon, treasure } = game;
  if (target === '') {
    return refuse('Say what to get, as the target.', `User ${name} tried to get nothing.`);
  }
  const got = [weapon, treasure].find((thing) => thing?.name === target);
  if (got?.at === 'player') {
    return refuse(`${name} holds the ${target} already.`, `User ${name} tried to get ${a(target)} twice.`);
  }
  if (got?.at !== 'room') {
    // The target can be any text: the console repeats only what is the name of a thing.
    return refuse(
      `There is no ${target} on the floor.`,
      `User ${name} tried to get ${got ? a(got.name) : 'something'} that was not there.`,
    );
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

function kill(game: Game, { name, target, with: tool }: Action): Moved | DungeonRefusal {
  const { weapon, monster, treasure } = game;
  if (target === '') {
    return refuse('Say what to kill, as the target.', `User ${name} tried to kill nothing.`);
  }
  if (tool === '') {
    return refuse('Say what to kill it with.', `User ${name} tried to kill with no weapon.`);
  }
  if (weapon?.name !== tool || weapon.at !== 'player') {
    return refuse(
      `${name} has no ${tool} to kill with.`,
      `User ${name} tried to kill with a weapon they do not hold.`,
    );
  }
  if (monster?.name !== target || !monster.inRoom) {
    return refuse(`There is no ${target} here.`, `User ${name} tried to kill a ghost.`);
  }
  if (!monster.isAlive) {
    return refuse(`The ${target} is dead already.`, `User ${name} tried to kill an already dead ${target}.`);
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

function refuse(detail: string, line: string): DungeonRefusal {
  return new DungeonRefusal('conflict', detail, line);
}
