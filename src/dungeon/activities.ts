import { randomInt } from 'node:crypto';
import { activity, clientActivity, find, raise, type Activity } from '../durable/index.js';
import { say } from './console.js';
import { gotTreasure } from './events.js';
import type { Change, Game, GameReference, Workflow } from './model.js';
import {
  abandon,
  askToConfirm,
  celebrate,
  createInventory,
  createMonster,
  createRoom,
  createUser,
  free,
  instanceIdOf,
  isOver,
  isWon,
  killUnconfirmed,
  placeInventoryInRoom,
  placeInventoryOnMonster,
  placeMonsterInRoom,
  placeUserInRoom,
  undoCreateInventory,
  undoCreateMonster,
  undoCreateRoom,
  undoCreateUser,
  undoPlaceInventoryInRoom,
  undoPlaceInventoryOnMonster,
  undoPlaceMonsterInRoom,
  undoPlaceUserInRoom,
  watch,
  type Look,
} from './rules.js';
import { changeGame } from './store.js';

/** A step of the set-up, and what undoes it. */
export interface Step {
  run: Activity<GameReference, null>;
  undo: Activity<GameReference, null>;
}

/** What a game begins with. */
export const creation: readonly Step[] = [
  step('CreateUser', createUser, undoCreateUser),
  step('CreateMonster', (game) => createMonster(game, randomInt), undoCreateMonster),
  step('CreateRoom', (game) => createRoom(game, randomInt), undoCreateRoom),
  step('CreateInventory', (game) => createInventory(game, randomInt), undoCreateInventory),
];

/** How the dungeon is laid out for a player who has confirmed. */
export const placement: readonly Step[] = [
  step('PlaceUserInRoom', placeUserInRoom, undoPlaceUserInRoom),
  step('PlaceInventoryInRoom', placeInventoryInRoom, undoPlaceInventoryInRoom),
  step('PlaceMonsterInRoom', placeMonsterInRoom, undoPlaceMonsterInRoom),
  step('PlaceInventoryOnMonster', placeInventoryOnMonster, undoPlaceInventoryOnMonster),
];

/** Ends a set-up that has failed: a step that comes late makes nothing any more. */
export const abandonGame = activity('AbandonGame', async (reference: GameReference) => {
  await change(reference, abandon);
  return null;
});

/** Frees the name of a game that has been undone. */
export const freeName = activity('FreeName', async (reference: GameReference) => {
  await change(reference, free);
  return null;
});

/** Tells the player until when they may confirm. */
export const askConfirmation = activity(
  'AskConfirmation',
  async ({ by, ...reference }: GameReference & { by: string }) => {
    await change(reference, (game) => askToConfirm(game, by));
    return null;
  },
);

/** Whether a player is going in. */
export interface Confirmation {
  confirmed: boolean;
}

/** Looks up whether the player has confirmed. */
export const readConfirmation = activity(
  'ReadConfirmation',
  async (reference: GameReference): Promise<Confirmation> => {
    const game = await change(reference, () => undefined);
    return { confirmed: game?.confirmed === true };
  },
);

/** Kills the player whose time is up, unless they confirmed first. */
export const killUser = activity('KillUser', async (reference: GameReference): Promise<Confirmation> => {
  const game = await change(reference, killUnconfirmed);
  return { confirmed: game?.confirmed === true };
});

/** Starts a workflow of a game on its own, unless it was started before: also when it has ended since. */
export const startNewWorkflow = clientActivity(
  'StartNewWorkflow',
  async ({ workflow, ...reference }: GameReference & { workflow: Workflow }, client) => {
    const instanceId = instanceIdOf(workflow, reference);
    if ((await find(client, instanceId)) === undefined) {
      await client.startNew(workflow, { instanceId, input: reference });
    }
    return null;
  },
);

/** What those who watch a game go by. */
export interface Standing {
  over: boolean;
}

/** Looks after a player, and wakes the game's own monitor should it have missed the victory. */
export const monitorUser = clientActivity(
  'MonitorUser',
  async ({ first, last, ...reference }: GameReference & Look, client): Promise<Standing> => {
    const game = await change(reference, (current) => watch(current, { first, last }));
    if (game && isWon(game) && !game.won) {
      await raise(client, instanceIdOf('GameMonitorWorkflow', reference), gotTreasure, null);
    }
    return { over: game === undefined || isOver(game) };
  },
);

/** Tells the victory, when there is one. */
export const checkVictory = activity('CheckVictory', async (reference: GameReference): Promise<Standing> => {
  const game = await change(reference, celebrate);
  return { over: game === undefined || game.won || game.state !== 'open' };
});

function step(name: string, run: (game: Game) => Change, undo: (game: Game) => Change): Step {
  return {
    run: activity(name, async (reference: GameReference) => {
      const game = await change(reference, (current) =>
        current.state === 'open' ? run(current) : undefined,
      );
      if (game?.state !== 'open') {
        throw new Error(`The dungeon of ${reference.name} is given up`);
      }
      return null;
    }),
    undo: activity(`Undo${name}`, async (reference: GameReference) => {
      await change(reference, undo);
      return null;
    }),
  };
}

/**
 * Changes the game, and tells what there is to tell. An activity that runs again changes nothing, and tells it again:
 * it may have been killed before it could.
 *
 * @returns the game as it now is; `undefined` when the name is another game's by now
 */
async function change(
  { name, claim }: GameReference,
  by: (game: Game) => Change | undefined,
): Promise<Game | undefined> {
  const result = await changeGame(name, (game) => (game.claim === claim ? by(game) : undefined));
  if (result?.game.claim !== claim) {
    return undefined;
  }
  await say(result.lines);
  return result.game;
}
