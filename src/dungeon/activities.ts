import { randomInt } from 'node:crypto';
import moment, { type Moment } from 'moment';
import { activity, clientActivity, find, raise, type Activity } from '../durable/index.js';
import { sendToConsole } from './console.js';
import { gotTreasure } from './events.js';
import type { Change, Game, GameKey, Workflow } from './model.js';
import {
  abandon,
  askToConfirm,
  awaitsConfirmation,
  check,
  free,
  instanceIdOf,
  isOver,
  isWon,
  killUnconfirmed,
  unchanged,
  watch,
  type Look,
} from './rules.js';
import {
  createInventory,
  createMonster,
  createRoom,
  createUser,
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
} from './setup-rules.js';
import { changeGame } from './store.js';

/** A step of the set-up, and what undoes it. */
export interface Step {
  run: Activity<GameKey, null>;
  undo: Activity<GameKey, null>;
}

/** The steps that make the parts of a game. */
export const creation: readonly Step[] = [
  step('CreateUser', createUser, undoCreateUser),
  step('CreateMonster', (game) => createMonster(game, randomInt), undoCreateMonster),
  step('CreateRoom', (game) => createRoom(game, randomInt), undoCreateRoom),
  step('CreateInventory', (game) => createInventory(game, randomInt), undoCreateInventory),
];

/** The steps that lay the dungeon out for a player who has confirmed. */
export const placement: readonly Step[] = [
  step('PlaceUserInRoom', placeUserInRoom, undoPlaceUserInRoom),
  step('PlaceInventoryInRoom', placeInventoryInRoom, undoPlaceInventoryInRoom),
  step('PlaceMonsterInRoom', placeMonsterInRoom, undoPlaceMonsterInRoom),
  step('PlaceInventoryOnMonster', placeInventoryOnMonster, undoPlaceInventoryOnMonster),
];

/** Gives up a set-up that has failed: a step that comes late makes nothing any more. */
export const abandonGame = activity('AbandonGame', async (key: GameKey) => {
  await change(key, abandon);
  return null;
});

/** Frees the name of a game that is undone. */
export const freeName = activity('FreeName', async (key: GameKey) => {
  await change(key, free);
  return null;
});

/** Whether a player goes in. */
export interface Confirmation {
  confirmed: boolean;
  /** Until when the player may confirm. Absent when there is nothing to wait for. */
  waitUntil?: string;
}

/** Asks the player to confirm. */
export const askConfirmation = activity(
  'AskConfirmation',
  async ({ by, ...key }: GameKey & { by: string }): Promise<Confirmation> =>
    confirmationOf(await change(key, (game) => askToConfirm(game, by))),
);

/** Reads whether the player has confirmed. */
export const readConfirmation = activity('ReadConfirmation', async (key: GameKey): Promise<Confirmation> =>
  confirmationOf(await change(key, unchanged)),
);

/** Kills the player if their time is up and they have not confirmed. */
export const killUser = activity('KillUser', async (key: GameKey): Promise<Confirmation> =>
  confirmationOf(await change(key, killUnconfirmed)),
);

/** Starts a workflow of a game on its own, unless it was started before: also when it has ended since. */
export const startNewWorkflow = clientActivity(
  'StartNewWorkflow',
  async ({ workflow, ...key }: GameKey & { workflow: Workflow }, client) => {
    const instanceId = instanceIdOf(workflow, key);
    if ((await find(client, instanceId)) === undefined) {
      await client.startNew(workflow, { instanceId, input: key });
    }
    return null;
  },
);

/** What a monitor found: whether there is nothing left to monitor. */
export interface LookResult {
  over: boolean;
}

/** Looks at the player, and wakes the game's own monitor if that has missed the win. */
export const monitorUser = clientActivity(
  'MonitorUser',
  async ({ first, last, ...key }: GameKey & Look, client): Promise<LookResult> => {
    const game = await change(key, (current, at) => watch(current, { first, last }, at));
    if (game && isWon(game) && !game.won) {
      await raise(client, instanceIdOf('GameMonitorWorkflow', key), gotTreasure, null);
    }
    return { over: game === undefined || isOver(game) };
  },
);

/** Records the win when there is one, and closes a game that nobody plays. */
export const checkVictory = activity('CheckVictory', async (key: GameKey): Promise<LookResult> => {
  const game = await change(key, check);
  return { over: game === undefined || game.won || game.state !== 'open' };
});

function step(name: string, run: (game: Game) => Change, undo: (game: Game) => Change): Step {
  return {
    run: activity(name, async (key: GameKey) => {
      const game = await change(key, (current) =>
        current.state === 'open' ? run(current) : unchanged(current),
      );
      if (game?.state !== 'open') {
        throw new Error(`The set-up of the dungeon of ${key.name} was given up`);
      }
      return null;
    }),
    undo: activity(`Undo${name}`, async (key: GameKey) => {
      await change(key, undo);
      return null;
    }),
  };
}

function confirmationOf(game: Game | undefined): Confirmation {
  const { confirmed = false, confirmBy } = game ?? {};
  return game && awaitsConfirmation(game) && confirmBy !== undefined
    ? { confirmed, waitUntil: confirmBy }
    : { confirmed };
}

/**
 * Changes the game, and sends the lines of the change to the console. An activity that runs again changes nothing, and
 * sends its lines again: it may have been killed before it could.
 *
 * @returns the game as it now is; `undefined` when the name belongs to another game by now, or to none
 */
async function change(
  { name, claim }: GameKey,
  rule: (game: Game, at: Moment) => Change,
): Promise<Game | undefined> {
  const result = await changeGame(name, (game) =>
    game.claim === claim ? rule(game, moment.utc()) : unchanged(game),
  );
  if (result?.change.game.claim !== claim) {
    return undefined;
  }
  const { game, lines, remarks = [] } = result.change;
  await sendToConsole([...lines, ...remarks]);
  return game;
}
