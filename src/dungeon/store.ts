import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TransactionAction } from '@azure/data-tables';
import moment from 'moment';
import { Refusal, TryLaterError } from '../refusals/index.js';
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
import { gameHead, parts, type Change, type Game, type GameKey, type Line, type PartName } from './model.js';
import { claimGame } from './rules.js';

/** How many lines of a name's story are kept. */
export const STORY_LENGTH = 100;

/** How often a change is attempted. Each failure means that another change was made first. */
const ATTEMPTS = 20;

const HEAD = 'game';
const names = Object.keys(parts) as PartName[];

/**
 * Claims a name: inserts its row, or takes over one whose game `mayTakeOver`.
 *
 * @returns the game of that name, and whether it was claimed here
 * @throws {TryLaterError} when the row was changed by others each time
 */
export async function claimName(
  name: string,
  mayTakeOver: (game: Game) => boolean | Promise<boolean>,
): Promise<{ game: Game; claimed: boolean }> {
  const key = headKey(name);
  return untilDone(name, async () => {
    const fresh = claimGame({ name, claim: randomUUID() }, moment.utc());
    if (await insertIfAbsent(await games(), key, headColumns(fresh))) {
      return { game: fresh, claimed: true };
    }
    const row = await readRow(await games(), key);
    if (row === undefined) {
      return undefined;
    }
    const game = gameHead.parse(row.columns);
    if (!(await mayTakeOver((await readGame(name)) ?? game))) {
      return { game, claimed: false };
    }
    const next = claimGame(fresh, moment.utc(), game.told);
    return (await replaceIfUnchanged(await games(), { ...row, columns: headColumns(next) }))
      ? { game: next, claimed: true }
      : undefined;
  });
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
  const done = await untilDone(name, async () => {
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
    const actions = differences(rows, game, change);
    const changed = actions.length > 0;
    return !changed || (await transact(await games(), actions)) ? { result: { change, changed } } : undefined;
  });
  return done.result;
}

/** Repeats an attempt, after a random pause that grows, until it returns a result. */
async function untilDone<Result>(name: string, attempt: () => Promise<Result | undefined>): Promise<Result> {
  for (let failures = 0; failures < ATTEMPTS; failures += 1) {
    const result = await attempt();
    if (result !== undefined) {
      return result;
    }
    await sleep(Math.random() * Math.min(200, 5 * 2 ** failures));
  }
  throw new TryLaterError(
    `The game of ${name} could not be changed in ${ATTEMPTS} attempts: others change it all the time, or its rows in the table Dungeon do not fit together`,
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
  const { forgotten, told } = gameHead.parse(head.columns);
  return lines
    .map(({ columns }) => ({
      number: Number(columns['number']),
      text: String(columns['text']),
      at: String(columns['at']),
    }))
    .filter(({ number }) => number > forgotten && number <= told);
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
    actions.push(['upsert', { partitionKey, rowKey: lineKey(number), number, text, at }, 'Replace']);
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
