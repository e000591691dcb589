import type { Thing, World } from './api';
import { hasEnded, type Seen } from './watch';

/** The stage of a player's game. It alone decides what the page shows. */
export type Scene =
  | 'looking'
  | 'nobody'
  | 'making'
  | 'undone'
  | 'door'
  | 'entering'
  | 'room'
  | 'won'
  | 'dead';

export function sceneOf({ world, workflows }: Seen): Scene {
  if (world === undefined) return 'looking';
  if (!world?.user) {
    const { RunUserParallelWorkflow: making, RunUserSequentialWorkflow: placing } = workflows;
    if (making?.status === 'Failed' || placing?.status === 'Failed') return 'undone';
    return making && !hasEnded(making) ? 'making' : 'nobody';
  }
  if (!world.user.isAlive) return 'dead';
  if (world.user.currentRoom) return hasWon(world) ? 'won' : 'room';
  if (workflows.UserConfirmationWorkflow?.status === 'Completed') return 'entering';
  return workflows.UserConfirmationWorkflow ? 'door' : 'making';
}

/** The names in `inventoryItems`. */
export function names(items: string | null | undefined): string[] {
  return (items ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
}

/** The player's things. */
export const held = (world: World): string[] => names(world.user?.inventoryItems);

export const isTreasure = (world: World, name: string): boolean =>
  world.inventory?.some((thing: Thing) => thing.isTreasure && thing.name === name) ?? false;

function hasWon(world: World): boolean {
  return world.monster?.isAlive === false && held(world).some((name) => isTreasure(world, name));
}
