import { createHash } from 'node:crypto';
import type { TransactionAction } from '@azure/data-tables';
import moment from 'moment';
import { Refusal } from '../refusals/index.js';
import {
  deleteIfUnchanged,
  insertIfAbsent,
  keyFor,
  odata,
  queryRows,
  readRow,
  replaceIfUnchanged,
  table,
  transact,
  untilItWins,
  type Columns,
  type Row,
  type RowKey,
} from '../storage/index.js';
import { adoptGame, putGameDue } from './game-index.js';
import {
  gameHead,
  parts,
  type Change,
  type Claim,
  type Game,
  type GameKey,
  type Line,
  type PartName,
} from './model.js';
import { claimGame } from './rules.js';
import { dueAt } from './supervision-rules.js';

/** How many lines of a name's story are kept. */
export const STORY_LENGTH = 100;

const HEAD = 'game';
const names = Object.keys(parts) as PartName[];

/**
 * Claims a name for a game that is in the index: inserts its head, or replaces that of a game which `mayBeReplaced`.
 *
 * @param due by which the index has the game, in ISO 8601
 * @returns the game; `undefined` when the name belongs to another game
 * @throws {TryLaterError} when the row was changed by others each time
 */
export async function claimName(
  key: Claim,
  due: string,
  mayBeReplaced: (game: Game) => boolean | Promise<boolean>,
): Promise<Game | undefined> {
  const { game } = await untilItWins(`the name ${key.name}`, async () => {
    const fresh = { ...claimGame(key, moment.utc()), dueAt: due };
    if (await insertIfAbsent(await games(), headKey(key.name), headColumns(fresh))) {
      return { game: fresh };
    }
    const rows = await readRows(key.name);
    const head = rows.get(HEAD);
    if (head === undefined) {
      return undefined;
    }
    const current = gameOf(rows);
    if (!(await mayBeReplaced(current))) {
      return { game: undefined };
    }
    const next = { ...claimGame(key, moment.utc(), current.told), dueAt: due };
    return (await replaceIfUnchanged(await games(), { ...head, columns: headColumns(next) }))
      ? { game: next }
      : undefined;
  });
  return game;
}

/** The claim on a name, whatever has become of its game; `undefined` when it was never claimed. */
export async function readClaim(name: string): Promise<GameKey | undefined> {
  const row = await readRow(await games(), headKey(name));
  return row && gameHead.parse(row.columns);
}

/** A name's game; `undefined` when it was never claimed. */
export async function readGame(name: string): Promise<Game | undefined> {
  const rows = await readRows(name);
  return rows.has(HEAD) ? gameOf(rows) : undefined;
}

/** A change as it was made. */
export interface Changed<Made extends Change = Change> {
  /** What the rule returned. */
  change: Made;
  /** Whether the record was changed here. */
  changed: boolean;
}

/** What {@link changeGame} returns for a rule that returns this. */
export type ChangeResult<Ruled> = Changed<Extract<Ruled, Change>> | Extract<Ruled, Refusal> | undefined;

/**
 * Changes a game by a rule, its story included, as a whole. Of several changes at once one is made first, and the rules
 * of the others run again on the changed record.
 *
 * @returns the change or the refusal of the rule; `undefined` when the name was never claimed
 * @throws {TryLaterError} when others changed the game each time, or its rows do not fit together
 */
export async function changeGame<Ruled extends Change | Refusal>(
  name: string,
  rule: (game: Game) => Ruled,
): Promise<ChangeResult<Ruled>> {
  const { result } = await untilItWins(`the game of ${name}`, async () => {
    const rows = await readRows(name);
    if (!rows.has(HEAD)) {
      return { result: undefined };
    }
    const game = gameOf(rows);
    const ruled = rule(game);
    if (ruled instanceof Refusal) {
      return { result: ruled as Extract<Ruled, Refusal> };
    }
    const change = ruled as Extract<Ruled, Change>;
    if (differences(rows, game, change).length === 0) {
      return { result: { change, changed: false } };
    }
    const indexed = { ...change, game: await kept(game, change.game) };
    return (await transact(await games(), differences(rows, game, indexed)))
      ? { result: { change: indexed, changed: true } }
      : undefined;
  });
  return result;
}

/** Keeps the promise of the index: no game is due before the time under which the index has it. */
async function kept(before: Game, game: Game): Promise<Game> {
  const due = dueAt(game);
  if (before.dueAt === undefined) {
    await adoptGame(game, due);
  } else if (due < before.dueAt) {
    await putGameDue(game, due);
  } else {
    return game;
  }
  return { ...game, dueAt: due };
}

/** Deletes the rows of a game, the head first: from then on there is no such player. Rows of another game stay. */
export async function deleteGame({ name, claim }: GameKey): Promise<void> {
  const rows = await queryRows(
    await games(),
    odata`PartitionKey eq ${headKey(name).partitionKey} and claim eq ${claim}`,
    1 + names.length + 2 * STORY_LENGTH,
  );
  for (const head of rows.filter(({ rowKey }) => rowKey === HEAD)) {
    await deleteIfUnchanged(await games(), head);
  }
  await Promise.all(
    rows.filter(({ rowKey }) => rowKey !== HEAD).map(async (row) => deleteIfUnchanged(await games(), row)),
  );
}

/** The lines of the present game's story after one, the oldest first; `undefined` when the name was never claimed. */
export async function readStory(name: string, after: number): Promise<Line[] | undefined> {
  const { partitionKey } = headKey(name);
  const filter = odata`PartitionKey eq ${partitionKey} and (RowKey eq ${HEAD} or RowKey gt ${lineKey(after)})`;
  const [head, ...lines] = await queryRows(await games(), filter, 1 + STORY_LENGTH);
  if (head?.rowKey !== HEAD) {
    return undefined;
  }
  const { claim, forgotten } = gameHead.parse(head.columns);
  // The lines of earlier games come first, until those games are removed.
  if (after < forgotten && lines.length === STORY_LENGTH) {
    return readStory(name, forgotten);
  }
  return lines
    .filter(({ columns }) => (columns['claim'] ?? claim) === claim)
    .map(({ columns }) => ({
      number: Number(columns['number']),
      text: String(columns['text']),
      at: String(columns['at']),
    }))
    .filter(({ number }) => number > forgotten);
}

const games = () => table('Dungeon');

/** A game's rows but its story, by their row keys. */
async function readRows(name: string): Promise<Map<string, Row>> {
  const { partitionKey } = headKey(name);
  const rows = await queryRows(
    await games(),
    odata`PartitionKey eq ${partitionKey} and RowKey lt ${'story'}`,
    1 + names.length,
  );
  return new Map(rows.map((row) => [row.rowKey, row]));
}

function gameOf(rows: Map<string, Row>): Game {
  const game: Game = gameHead.parse(rows.get(HEAD)?.columns);
  for (const name of names) {
    const columns = rows.get(partKey(name))?.columns;
    // A part that an earlier game of the name has left is none of this game.
    if (columns !== undefined && (columns['claim'] ?? game.claim) === game.claim) {
      Object.assign(game, { [name]: parts[name].parse(columns) });
    }
  }
  return game;
}

/** The writes of a change, guarded by the tag of the head, which every change replaces. None when nothing has changed. */
function differences(rows: Map<string, Row>, before: Game, { game, lines }: Change): TransactionAction[] {
  const head = rows.get(HEAD)!;
  const { partitionKey } = head;
  const actions: TransactionAction[] = [];
  for (const name of names) {
    const key = { partitionKey, rowKey: partKey(name) };
    if (game[name] === undefined) {
      if (before[name] !== undefined) {
        actions.push(['delete', key]);
      }
    } else if (JSON.stringify(game[name]) !== JSON.stringify(before[name])) {
      actions.push(['upsert', { ...game[name], ...key, claim: game.claim }, 'Replace']);
    }
  }
  if (actions.length === 0 && JSON.stringify(headColumns(game)) === JSON.stringify(headColumns(before))) {
    return [];
  }
  const told = before.told + lines.length;
  const at = moment.utc().toISOString();
  lines.forEach((text, index) => {
    const number = before.told + index + 1;
    // The tag of the head guards it: a row of that number can only be left from a game whose head was deleted.
    actions.push([
      'upsert',
      { partitionKey, rowKey: lineKey(number), number, text, at, claim: game.claim },
      'Replace',
    ]);
    // The lines of an earlier game are removed with that game: a transaction cannot delete a row that is not there.
    if (number - STORY_LENGTH > before.forgotten) {
      actions.push(['delete', { partitionKey, rowKey: lineKey(number - STORY_LENGTH) }]);
    }
  });
  actions.push([
    'update',
    { ...headColumns({ ...game, told }), partitionKey, rowKey: HEAD },
    'Replace',
    { etag: head.etag },
  ]);
  return actions;
}

function headColumns(game: Game): Columns {
  return gameHead.parse(game);
}

function headKey(name: string): RowKey {
  const key = keyFor(name);
  // A key has at most 1 KiB in UTF-16; two _ in a row are in no other key.
  const partitionKey =
    key.length <= 500 ? key : `${key.slice(0, 400)}__${createHash('sha256').update(name).digest('hex')}`;
  return { partitionKey, rowKey: HEAD };
}

function partKey(name: PartName): string {
  return `${HEAD}-${name}`;
}

function lineKey(number: number): string {
  return `story-${String(number).padStart(9, '0')}`;
}
