/** How the names of players are claimed, and the games of claims started. */
import { randomUUID } from 'node:crypto';
import type { HttpRequest } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import moment from 'moment';
import { find } from '../durable/index.js';
import { clientAddress, eventually, fingerprint, idempotencyKey } from '../http/index.js';
import { Refusal, TryLaterError } from '../refusals/index.js';
import { enterGame, withdrawGame } from './game-index.js';
import type { Claim, Game, GameKey } from './model.js';
import { begin, instanceIdOf, isForsaken, isFree, nameTaken, startsWithin, unchanged } from './rules.js';
import { changeGame, claimName, readGame } from './store.js';
import { dueAfterClaim } from './supervision-rules.js';
import { ensureWorkflows, startWorkflows } from './workflows.js';

/**
 * Claims the name and starts its workflows. Only a request whose claim still holds after that has opened the game. A
 * repeat of it, which has the same idempotency key, starts what is missing.
 */
export async function openGame(
  client: DurableClient,
  request: HttpRequest,
  name: string,
): Promise<GameKey | Refusal> {
  const idempotent = idempotencyKey(request);
  const requestKey = idempotent === undefined ? undefined : fingerprint(idempotent);
  const isOwn = (game: Game): boolean => requestKey !== undefined && game.requestKey === requestKey;
  const replaceable = async (game: Game): Promise<boolean> =>
    isOwn(game) ? isFree(game, moment.utc()) : mayBeReplaced(client, game);
  const taken = async (game: Game | undefined): Promise<GameKey | Refusal> =>
    game !== undefined && isOwn(game) ? startClaimed(client, game) : notAvailable(name);

  const current = await readGame(name);
  if (current && !(await replaceable(current))) {
    return taken(current);
  }
  const key: Claim = { name, claim: randomUUID(), requestKey };
  const due = dueAfterClaim(moment.utc());
  const listed = await enterGame(key, clientAddress(request), due);
  if (listed instanceof Refusal) {
    return listed;
  }
  const game = await claimName(key, due, replaceable);
  if (game === undefined) {
    await withdrawGame(listed, due);
    return taken(await readGame(name));
  }
  return startClaimed(client, game, startWorkflows);
}

/** Starts the workflows of a claim. @returns its key; a refusal when another claim has taken the name */
async function startClaimed(
  client: DurableClient,
  game: Game,
  start = ensureWorkflows,
): Promise<GameKey | Refusal> {
  const { name, claim } = game;
  await start(client, game);
  const begun = await changeGame(name, (claimed) =>
    claimed.claim !== claim
      ? nameTaken(name)
      : claimed.started === true
        ? unchanged(claimed)
        : begin(claimed),
  );
  return begun === undefined || begun instanceof Refusal ? nameTaken(name) : { name, claim };
}

/**
 * Why a name cannot be claimed: it is taken. While the request that has claimed it has not started the game, that is not
 * known: the request may have died, and its caller may be this one.
 *
 * @throws {TryLaterError} when that lasts
 */
async function notAvailable(name: string): Promise<Refusal> {
  const left = (game: Game | undefined): number | undefined => game && startsWithin(game, moment.utc());
  const seconds = left(
    await eventually(
      () => readGame(name),
      (game) => left(game) === undefined,
    ),
  );
  if (seconds !== undefined) {
    throw new TryLaterError(`The game of ${name} is being started`, seconds);
  }
  return nameTaken(name);
}

/** Starts the game of a name whose claim was left without one: a player who asks for it does not wait for the sweep. */
export async function startForsaken(client: DurableClient, name: string): Promise<void> {
  const game = await readGame(name);
  if (game && isForsaken(game, moment.utc())) {
    await ensureWorkflows(client, game);
  }
}

/** Whether a name may be claimed although it has a game: that is over, or never got as far as to start. */
async function mayBeReplaced(client: DurableClient, game: Game): Promise<boolean> {
  const at = moment.utc();
  return (
    isFree(game, at) ||
    (isForsaken(game, at) &&
      // It is started last.
      (await find(client, instanceIdOf('RunUserParallelWorkflow', game))) === undefined)
  );
}
