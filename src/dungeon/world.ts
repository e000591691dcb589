import type { Game, Thing } from './model.js';

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
