import type { DurableClient } from 'durable-functions';
import moment from 'moment';
import { raise, removeInstance } from '../durable/index.js';
import { putOff, removeDue, type DueEntry, type DueRecords } from '../storage/index.js';
import type { Supervised } from '../supervision/index.js';
import { sendToConsole } from './console.js';
import { gotTreasure } from './events.js';
import { findGame, KIND, putGameDue, removeFromIndex, unlistGame, type ListedGame } from './game-index.js';
import { workflows, type Game } from './model.js';
import { instanceIdOf, isExpired, KEEP_FOR, unchanged } from './rules.js';
import { changeGame, deleteGame, readGame } from './store.js';
import { dueAt, settle } from './supervision-rules.js';
import { ensureWorkflows } from './workflows.js';

/** After this time no request that wrote an entry can still be under way. */
const SETTLED_AFTER = KEEP_FOR;

/** The due games, as the sweep reads them. An entry may be earlier than its game is due: then it is moved when its time comes. */
const records: DueRecords = {
  kind: KIND,

  async holds(entry, at) {
    const listed = await findGame(entry.id);
    const game = listed && (await readGame(listed.name));
    if (game?.claim === entry.id && game.dueAt === entry.due) {
      return !(await moved(game, entry));
    }
    const settled = moment.utc(entry.writtenAt).add(SETTLED_AFTER);
    if (at.isBefore(settled)) {
      await putOff(entry, settled);
      return false;
    }
    if (listed !== undefined && game?.claim !== entry.id) {
      // The name belongs to another game by now, or the head of the game was deleted.
      return true;
    }
    if (listed === undefined) {
      for (const each of entry.touches()) {
        await removeFromIndex(each, entry.id);
      }
    }
    await removeDue(entry);
    return false;
  },

  async putOff(entry, until, learnt) {
    const removed = (await findGame(entry.id)) === undefined;
    await (removed ? removeDue(entry) : putOff(entry, until, learnt));
  },
};

/** Games of which a workflow failed, was terminated or never started, and games that have ended. */
export const supervised: Supervised = {
  name: 'dungeon',
  records,
  goOn: async (client, claim) => {
    const listed = await findGame(claim);
    if (listed === undefined) {
      return;
    }
    const game = await readGame(listed.name);
    if (game?.claim !== claim || isExpired(game, moment.utc())) {
      await removeGame(client, listed);
      return;
    }
    const result = await changeGame(game.name, (current) =>
      current.claim === claim ? settle(current, moment.utc()) : unchanged(current),
    );
    if (result?.change.game.claim !== claim) {
      return;
    }
    await sendToConsole(result.change.lines);
    if (result.changed) {
      // The monitor of the game reads that it has ended.
      await raise(client, instanceIdOf('GameMonitorWorkflow', { claim }), gotTreasure, null);
    }
    await ensureWorkflows(client, result.change.game);
  },
};

/** Moves the entry of a game that is due later than the entry says. @returns whether it is */
async function moved(game: Game, entry: DueEntry): Promise<boolean> {
  const due = dueAt(game);
  if (due <= entry.due) {
    return false;
  }
  await putGameDue(game, due);
  const result = await changeGame(game.name, (current) =>
    current.claim === game.claim && current.dueAt === entry.due
      ? { game: { ...current, dueAt: due }, lines: [] }
      : unchanged(current),
  );
  if (result?.change.game.dueAt !== entry.due) {
    await removeDue(entry);
  }
  return true;
}

/** Removes the data of a game's workflows, its rows, and its entries. If a workflow still runs, it is terminated, and the next sweep removes the game. */
async function removeGame(client: DurableClient, game: ListedGame): Promise<void> {
  const removed = await Promise.all(
    workflows.map(async (workflow) =>
      removeInstance(client, instanceIdOf(workflow, game), 'The game is removed'),
    ),
  );
  if (removed.every(Boolean)) {
    await deleteGame(game);
    await unlistGame(game);
  }
}
