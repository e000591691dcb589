import { createHash } from 'node:crypto';
import type { TableClient } from '@azure/data-tables';
import moment from 'moment';
import { refuse, type Refusal } from '../refusals/index.js';
import {
  listEntries,
  putDue,
  putEntry,
  readRow,
  removeDueEntry,
  removeEntry,
  table,
  upsert,
  type IndexEntry,
} from '../storage/index.js';
import type { GameKey } from './model.js';
import { KEEP_FOR } from './rules.js';

/** The setting: how many games there can be in all, those included that ended less than ten minutes ago. */
const MAX_GAMES = { read: () => process.env['DungeonMaxGames'], otherwise: 900 };
/** The setting: how many of them one caller can have opened. */
const MAX_GAMES_PER_CALLER = { read: () => process.env['DungeonMaxGamesPerCaller'], otherwise: 50 };

/** The kind of the games in the due index. */
export const KIND = 'Dungeon';

/** The partition of all games, each with its name and caller. */
const GAMES = 'games';

/** A game by its entry in the index. */
export interface ListedGame extends GameKey {
  /** The partition of its caller, if that is known. */
  caller: string | undefined;
}

/**
 * Enters a game that is about to be opened into the index: its due time, its name, and its caller. The due entry is
 * written first and removed last, so that the sweep finds what an interrupted request leaves.
 *
 * @param address what tells anonymous callers apart; without it only the limit of all games holds
 * @param due ISO 8601
 * @returns the entry, or a refusal when there are too many games; the index is then as before
 */
export async function enterGame(
  { name, claim }: GameKey,
  address: string | undefined,
  due: string,
): Promise<ListedGame | Refusal> {
  const caller = address === undefined ? undefined : partitionOf(address);
  const listed = { name, claim, caller };
  await putDue({ kind: KIND, id: claim, due }, touched(caller), moment.utc());
  await putListing(claim, name, caller);
  // Each request counts after it has written its own entry, so that never more get through than the limit allows.
  const full = await Promise.all([
    isFull(GAMES, limitOf(MAX_GAMES)),
    caller !== undefined && isFull(caller, limitOf(MAX_GAMES_PER_CALLER)),
  ]);
  if (!full.includes(true)) {
    return listed;
  }
  await withdrawGame(listed, due);
  return refuse(
    'too-many',
    'There are too many games',
    `Finish a game, or try again later: a game is removed ${KEEP_FOR.asMinutes()} minutes after its end.`,
    { retryAfter: 60 },
  );
}

/** Enters a game that was opened by an earlier version of the app, which had no index. */
export async function adoptGame({ name, claim }: GameKey, due: string): Promise<void> {
  await putDue({ kind: KIND, id: claim, due }, [], moment.utc());
  await putListing(claim, name, undefined);
}

/** Removes the entries of a game that was not opened. */
export async function withdrawGame(game: ListedGame, due: string): Promise<void> {
  await unlistGame(game);
  await removeDueEntry({ kind: KIND, id: game.claim, due });
}

/** Removes the entries of a game, but not the entry by which it is due. */
export async function unlistGame({ claim, caller }: ListedGame): Promise<void> {
  for (const entry of touched(caller)) {
    await removeFromIndex(entry, claim);
  }
}

/** The game with a claim; `undefined` when the index has none. */
export async function findGame(claim: string): Promise<ListedGame | undefined> {
  const row = await readRow(await gameIndex(), { partitionKey: GAMES, rowKey: claim });
  const caller = row?.columns['caller'];
  return (
    row && {
      name: String(row.columns['name']),
      claim,
      caller: caller === undefined ? caller : String(caller),
    }
  );
}

/** Has the sweep find a game by another time than before. */
export async function putGameDue({ claim }: GameKey, due: string): Promise<void> {
  await putDue({ kind: KIND, id: claim, due }, [], moment.utc());
}

/** The table of the lists of games. The id of each entry is the claim of its game. */
const gameIndex = (): Promise<TableClient> => table('DungeonIndex');

async function putListing(claim: string, name: string, caller: string | undefined): Promise<void> {
  const index = await gameIndex();
  await upsert(index, { partitionKey: GAMES, rowKey: claim }, { id: claim, name, caller });
  if (caller !== undefined) {
    await putEntry(index, { partition: caller }, claim);
  }
}

function touched(caller: string | undefined): IndexEntry[] {
  return [...(caller === undefined ? [] : [{ partition: caller }]), { partition: GAMES }];
}

/** Removes an entry of a game. A claim is never made again, so nothing can need the entry later. */
export async function removeFromIndex(entry: IndexEntry, claim: string): Promise<void> {
  await removeEntry(await gameIndex(), entry, claim, '*');
}

async function isFull(partition: string, limit: number): Promise<boolean> {
  return (await listEntries(await gameIndex(), partition, '', limit + 1)).length > limit;
}

function limitOf({ read, otherwise }: { read: () => string | undefined; otherwise: number }): number {
  const limit = Number(read());
  return Number.isInteger(limit) && limit > 0 ? limit : otherwise;
}

/** The address itself is not kept. */
function partitionOf(address: string): string {
  return `caller-${createHash('sha256').update(address).digest('hex').slice(0, 32)}`;
}
