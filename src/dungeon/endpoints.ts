import type { HttpRequest, InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { OrchestrationRuntimeStatus, type DurableClient } from 'durable-functions';
import moment from 'moment';
import { z } from 'zod';
import { find } from '../durable/index.js';
import {
  check,
  notFound,
  Problem,
  problemOf,
  queryOf,
  readJson,
  withProblems,
  type Handler,
} from '../http/index.js';
import { Refusal } from '../refusals/index.js';
import { openGame, startForsaken } from './claims.js';
import { sendRefusalToConsole, sendToConsole } from './console.js';
import { gotTreasure, killMonster } from './events.js';
import { actionRequest, playerName, playerRequest, workflows } from './model.js';
import { move } from './move-rules.js';
import { confirm, DungeonRefusal, instanceIdOf, isTaken, isWon, noSuchPlayer } from './rules.js';
import { changeGame, readClaim, readGame, readStory } from './store.js';
import { ensureWorkflow, wakeConfirmation } from './workflows.js';
import { worldOf } from './world.js';

const storyQuery = z.object({ after: z.coerce.number().int().min(0).max(999_999_999).default(0) });
const events = { KillMonster: killMonster, GotTreasure: gotTreasure };

/**
 * Claims a name, and starts its game. A request that repeats an idempotency key gets the same game.
 *
 * @returns the id of its first workflow
 * @throws {Problem} 400 when the name is not valid, or taken
 * @throws {TryLaterError} when another request is about to start a game of that name
 */
export async function startGame(
  client: DurableClient,
  request: HttpRequest,
  body: unknown,
): Promise<{ id: string }> {
  const { name } = check(playerRequest, body);
  const key = await openGame(client, request, name);
  if (key instanceof Refusal) {
    throw problemFor(key);
  }
  return { id: instanceIdOf('RunUserParallelWorkflow', key) };
}

/** `POST /api/NewUser` */
export const newUser: Handler = async (request, client, context) => {
  const { name } = await read(
    request,
    context,
    playerRequest,
    () => 'An attempt to create a user with no name was made.',
  );
  const key = await openGame(client, request, name);
  if (key instanceof Refusal) {
    throw await refused(context, key);
  }
  return { jsonBody: { name } };
};

/** `POST /api/ConfirmUser` */
export const confirmUser: Handler = async (request, client, context) => {
  const { name } = await read(
    request,
    context,
    playerRequest,
    () => 'An attempt to confirm a user with no name was made.',
  );
  const result =
    (await changeGame(name, (game) => confirm(game, moment.utc()))) ?? noSuchPlayer(name, 'confirm');
  if (result instanceof Refusal) {
    await attempt(context, startForsaken(client, name));
    throw await refused(context, result, result.reason === 'not-found' ? 400 : 404);
  }
  const { game, lines } = result.change;
  await Promise.all([
    attempt(context, sendToConsole(lines)),
    // The confirmation is recorded. If this fails, the workflow reads it at a repeat of the request, or when the time is up.
    attempt(context, wakeConfirmation(client, game)),
  ]);
  return { jsonBody: { name } };
};

/** `POST /api/Action` */
export const act: Handler = async (request, client, context) => {
  const action = await read(request, context, actionRequest, (name) =>
    name === undefined
      ? 'An attempt to act with no name was made.'
      : `User ${name} tried something that nobody understands.`,
  );
  const result =
    (await changeGame(action.name, (game) => move(game, action, moment.utc()))) ?? noSuchPlayer(action.name);
  if (result instanceof Refusal) {
    // A repeated move is refused. The monitor of the game may have missed the first.
    const game = await readGame(action.name);
    if (game && isWon(game)) {
      await attempt(context, ensureWorkflow(client, game, 'GameMonitorWorkflow'));
    }
    throw await refused(context, result);
  }
  const { game, lines, event } = result.change;
  await attempt(context, sendToConsole(lines));
  if (event) {
    // The move is recorded. If this fails, the monitor of the user wakes the monitor of the game.
    await attempt(context, ensureWorkflow(client, game, 'GameMonitorWorkflow', events[event]));
  }
  return { jsonBody: worldOf(game) };
};

/** `GET /api/GameStatus/{username}` */
export const gameStatus: Handler = async (request) => {
  const name = nameOf(request);
  const game = await readGame(name);
  if (game === undefined || !isTaken(game)) {
    throw problemFor(noSuchPlayer(name));
  }
  return { jsonBody: worldOf(game) };
};

/** `GET /api/CheckStatus/{username}/{workflow}` */
export const checkStatus: Handler = async (request, client) => {
  const name = nameOf(request);
  const workflow = workflows.find((each) => each === request.params['workflow']);
  const claim = workflow && (await readClaim(name));
  const status = claim && (await find(client, instanceIdOf(workflow, claim)));
  if (status === undefined) {
    throw notFound(`${name} has no such workflow. There are: ${workflows.join(', ')}.`);
  }
  const { createdTime, runtimeStatus } = status;
  // A workflow that continues as new runs.
  return {
    jsonBody: {
      created: createdTime,
      status: runtimeStatus === OrchestrationRuntimeStatus.ContinuedAsNew ? 'Running' : runtimeStatus,
    },
  };
};

/** `GET /api/dungeon/{username}/story?after=`: the last hundred lines of a game, or those after one. */
export const dungeonStory: Handler = async (request) => {
  const name = nameOf(request);
  const { after } = check(storyQuery, queryOf(request));
  const lines = await readStory(name, after);
  if (lines === undefined) {
    throw notFound(`There is no story of ${name}.`);
  }
  return { jsonBody: { lines } };
};

/**
 * Reads and checks the body. When it is not valid, the console prints a line.
 *
 * @param line the line, for the name in the body if there is a valid one
 */
async function read<Schema extends z.ZodType>(
  request: HttpRequest,
  context: InvocationContext,
  schema: Schema,
  line: (name: string | undefined) => string,
): Promise<z.output<Schema>> {
  let body: unknown;
  try {
    body = await readJson(request, { fromAnyPage: true });
    return check(schema, body);
  } catch (error) {
    if (error instanceof Problem) {
      await attempt(context, sendRefusalToConsole(line(playerRequest.safeParse(body).data?.name)));
    }
    throw error;
  }
}

/** Prints a refusal on the console. @returns the problem that answers it */
async function refused(context: InvocationContext, refusal: Refusal, status?: number): Promise<Problem> {
  if (refusal instanceof DungeonRefusal) {
    await attempt(context, sendRefusalToConsole(refusal.line));
  }
  return problemFor(refusal, status);
}

/** The problem that answers a refusal. The clients of the original game expect 400, whatever the reason. */
function problemFor(refusal: Refusal, status = 400): Problem {
  const { reason, title, detail } = refusal;
  return refusal instanceof DungeonRefusal
    ? new Problem(status, reason, title, { detail })
    : problemOf(refusal);
}

/** Waits for an effect on which the answer does not depend: what matters is in the record. */
async function attempt(context: InvocationContext, effect: Promise<unknown>): Promise<void> {
  await effect.catch((error: unknown) => {
    context.warn('A line was not sent to the console, or a workflow was not woken', error);
  });
}

function nameOf(request: HttpRequest): string {
  return check(playerName, request.params['username'] ?? '', 'username');
}

df.app.client.http('NewUser', {
  route: 'api/NewUser',
  methods: ['POST'],
  authLevel: 'anonymous',
  handler: withProblems(newUser),
});
df.app.client.http('ConfirmUser', {
  route: 'api/ConfirmUser',
  methods: ['POST'],
  authLevel: 'anonymous',
  handler: withProblems(confirmUser),
});
df.app.client.http('Action', {
  route: 'api/Action',
  methods: ['POST'],
  authLevel: 'anonymous',
  handler: withProblems(act),
});
df.app.client.http('GameStatus', {
  route: 'api/GameStatus/{username}',
  methods: ['GET'],
  authLevel: 'anonymous',
  handler: withProblems(gameStatus),
});
df.app.client.http('CheckStatus', {
  route: 'api/CheckStatus/{username}/{workflow}',
  methods: ['GET'],
  authLevel: 'anonymous',
  handler: withProblems(checkStatus),
});
df.app.client.http('DungeonStory', {
  route: 'api/dungeon/{username}/story',
  methods: ['GET'],
  authLevel: 'anonymous',
  handler: withProblems(dungeonStory),
});
