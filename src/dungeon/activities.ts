import { randomInt } from 'node:crypto';
import moment, { type Moment } from 'moment';
import { activity, clientActivity, type Activity } from '../durable/index.js';
import { sendToConsole } from './console.js';
import type { Change, Game, GameKey, Workflow } from './model.js';
import {
  abandon,
  askToConfirm,
  awaitsConfirmation,
  check,
  free,
  isOver,
  isWon,
  killUnconfirmed,
  unchanged,
  watch,
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
import { ensureWorkflow } from './workflows.js';

/**
 * What a step of a claim does that another claim of the name has replaced: nothing. Its workflows end then, and nothing
 * of their game is left to undo.
 */
export type Superseded = 'superseded';

/** A step of the set-up, and what undoes it. */
export interface Step {
  run: Activity<GameKey, Superseded | null>;
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
export const abandonGame = activity('AbandonGame', async (key: GameKey): Promise<Superseded | null> => {
  return (await change(key, abandon)) === undefined ? 'superseded' : null;
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

/**
 * Starts a workflow of a game on its own, if the record says that the game needs it.
 *
 * @returns whether the player goes in, by the same record. `null` from an earlier version of the app
 */
export const startNewWorkflow = clientActivity(
  'StartNewWorkflow',
  async ({ workflow, ...key }: GameKey & { workflow: Workflow }, client): Promise<Confirmation | null> => {
    const game = await change(key, unchanged);
    if (game) {
      await ensureWorkflow(client, game, workflow);
    }
    return confirmationOf(game);
  },
);

/** What a monitor found: whether there is nothing left to monitor. */
export interface LookResult {
  over: boolean;
}

/** Looks at the player. Makes sure, once a minute and after a win, that the game's own monitor runs and reads the record. */
export const monitorUser = clientActivity(
  'MonitorUser',
  async ({ last, ...key }: GameKey & { last: boolean }, client): Promise<LookResult> => {
    let recorded = false;
    const game = await change(key, (current, at) => {
      const look = watch(current, last, at);
      recorded = look.game !== current;
      return look;
    });
    if (game && (recorded || isWon(game))) {
      await ensureWorkflow(client, game, 'GameMonitorWorkflow');
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
    run: activity(name, async (key: GameKey): Promise<Superseded | null> => {
      const game = await change(key, (current) =>
        current.state === 'open' ? run(current) : unchanged(current),
      );
      if (game === undefined) {
        return 'superseded';
      }
      if (game.state !== 'open') {
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
