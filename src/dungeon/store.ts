import { createHash, randomUUID } from 'node:crypto';
import type { TransactionAction } from '@azure/data-tables';
import moment from 'moment';
import {
  insertIfAbsent,
  keyFor,
  odata,
  queryRows,
  readRow,
  replaceIfUnchanged,
  table,
  transact,
  type Columns,
  type Row,
  type RowKey,
} from '../storage/index.js';
import {
  gameHead,
  parts,
  type Change,
  type Game,
  type GameReference,
  type Line,
  type PartName,
} from './model.js';
import { claimed } from './rules.js';

/** How many lines of a name's story are kept. */
export const STORY_LENGTH = 100;

const HEAD = 'game';
const names = Object.keys(parts) as PartName[];

/**
 * Claims a name: inserts its row, or takes over one that the game given to `isForsaken` has left.
 *
 * @returns the game of that name, and whether it was claimed here
 */
export async function claimName(
  name: string,
  isForsaken: (game: Game) => Promise<boolean>,
): Promise<{ game: Game; claimed: boolean }> {
  const key = headKey(name);
  for (;;) {
    const fresh = claimed({ name, claim: randomUUID() }, moment.utc());
    if (await insertIfAbsent(await games(), key, headColumns(fresh))) {
      return { game: fresh, claimed: true };
    }
    const row = await readRow(await games(), key);
    if (row === undefined) {
      continue;
    }
    const game = gameHead.parse(row.columns);
    if (!(await isForsaken(game))) {
      return { game, claimed: false };
    }
    const next = claimed(fresh, moment.utc(), game.told);
    if (await replaceIfUnchanged(await games(), { ...row, columns: headColumns(next) })) {
      return { game: next, claimed: true };
    }
  }
}

/** The claim on a name, whatever has become of its game; `undefined` when it was never claimed. */
export async function readClaim(name: string): Promise<GameReference | undefined> {
  const row = await readRow(await games(), headKey(name));
  return row && gameHead.parse(row.columns);
}

/** A name's game; `undefined` when it was never claimed. */
export async function readGame(name: string): Promise<Game | undefined> {
  const rows = await readRows(name);
  return rows.has(HEAD) ? gameOf(rows) : undefined;
}

/**
 * Changes a game by what its record says, story included, as a whole. Of any number of changes at once one is made
 * first, and the others are asked again.
 *
 * @param change gives `undefined` to leave the game as it is; it may be asked several times
 * @returns the game as it now is, and what there is to tell; `undefined` when the name was never claimed
 */
export async function changeGame(
  name: string,
  change: (game: Game) => Change | undefined,
): Promise<Change | undefined> {
  for (;;) {
    const rows = await readRows(name);
    if (!rows.has(HEAD)) {
      return undefined;
    }
    const game = gameOf(rows);
    const changed = change(game);
    if (changed === undefined) {
      return { game, lines: [] };
    }
    const actions = differences(rows, game, changed);
    if (actions.length === 0 || (await transact(await games(), actions))) {
      return changed;
    }
  }
}

/** The lines of the present game's story after one, the oldest first; `undefined` when the name was never claimed. */
export async function readStory(name: string, after: number): Promise<Line[] | undefined> {
  const { partitionKey } = headKey(name);
  const filter = odata`PartitionKey eq ${partitionKey} and (RowKey eq ${HEAD} or RowKey gt ${lineKey(after)})`;
  const [head, ...lines] = await queryRows(await games(), filter, 1 + STORY_LENGTH);
  if (head?.rowKey !== HEAD) {
    return undefined;
  }
  const { forgotten } = gameHead.parse(head.columns);
  return lines
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
    if (columns !== undefined) {
      Object.assign(game, { [name]: parts[name].parse(columns) });
    }
  }
  return game;
}

/** What has to be written, all guarded by the tag of the head, which every change replaces; nothing when nothing has changed. */
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
      actions.push(['upsert', { ...game[name], ...key }, 'Replace']);
    }
  }
  if (actions.length === 0 && JSON.stringify(headColumns(game)) === JSON.stringify(headColumns(before))) {
    return [];
  }
  const told = before.told + lines.length;
  const at = moment.utc().toISOString();
  lines.forEach((text, index) => {
    const number = before.told + index + 1;
    actions.push(['create', { partitionKey, rowKey: lineKey(number), number, text, at }]);
    if (number > STORY_LENGTH) {
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
