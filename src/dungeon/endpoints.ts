import type { HttpRequest, InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { OrchestrationRuntimeStatus, type DurableClient } from 'durable-functions';
import moment from 'moment';
import { z } from 'zod';
import { find, raise, start } from '../durable/index.js';
import { check, notFound, Problem, queryOf, readJson, withProblems, type Handler } from '../http/index.js';
import { say } from './console.js';
import { approvalTask, gotTreasure, killMonster } from './events.js';
import { actionRequest, playerName, playerRequest, workflows, type Game } from './model.js';
import { runUserParallel, userMonitor } from './orchestrators.js';
import { confirm, instanceIdOf, isTaken, move, seemsForsaken, worldOf } from './rules.js';
import { changeGame, claimName, readClaim, readGame, readStory } from './store.js';

const storyQuery = z.object({ after: z.coerce.number().int().min(0).max(999_999_999).default(0) });
const events = { KillMonster: killMonster, GotTreasure: gotTreasure };

/**
 * Claims a name, and starts its game.
 *
 * @returns the id of its first workflow
 * @throws {Problem} 400 when it is no name, or taken
 */
export async function startGame(
  client: DurableClient,
  _request: HttpRequest,
  body: unknown,
): Promise<{ id: string; name: string }> {
  const { name } = check(playerRequest, body);
  const { game, claimed } = await claimName(name, (current) => isForsaken(client, current));
  if (!claimed) {
    throw new Problem(400, 'name-taken', 'The name is taken', {
      detail: `There is a player ${name} already. Take another name.`,
    });
  }
  const reference = { name, claim: game.claim };
  const id = instanceIdOf('RunUserParallelWorkflow', reference);
  // The game itself last: it shows that both were started.
  await start(client, userMonitor, {
    instanceId: instanceIdOf('UserMonitorWorkflow', reference),
    input: reference,
  });
  await start(client, runUserParallel, { instanceId: id, input: reference });
  return { id, name };
}

/** `POST /api/NewUser` */
export const newUser: Handler = async (request, client, context) => {
  const { name } = await reading(
    request,
    context,
    (body) => startGame(client, request, body),
    (known) =>
      known === undefined
        ? 'An attempt to create a user with no name was made.'
        : `Attempt to add duplicate user ${known} failed.`,
  );
  return { jsonBody: { name } };
};

/** `POST /api/ConfirmUser` */
export const confirmUser: Handler = async (request, client, context) => {
  const { name } = await reading(
    request,
    context,
    (body) => check(playerRequest, body),
    () => 'An attempt to confirm a user with no name was made.',
  );
  let confirmation: ReturnType<typeof confirm>;
  const result = await changeGame(name, (game) => (confirmation = confirm(game, moment.utc())));
  if (result === undefined || !isTaken(result.game)) {
    await tell(context, [`Attempt to confirm missing user ${name} failed.`]);
    throw unknownPlayer(name);
  }
  if (confirmation === undefined) {
    throw notFound(`Nothing waits for the confirmation of ${name}: not yet, or no more.`);
  }
  await Promise.all([
    tell(context, result.lines),
    // It is confirmed, whether the workflow hears of it now, by a repeat of the request or when the time is up.
    wake(context, raise(client, instanceIdOf('UserConfirmationWorkflow', result.game), approvalTask, true)),
  ]);
  return { jsonBody: { name } };
};

/** `POST /api/Action` */
export const act: Handler = async (request, client, context) => {
  const action = await reading(
    request,
    context,
    (body) => check(actionRequest, body),
    (known) =>
      known === undefined
        ? 'An attempt to act with no name was made.'
        : `User ${known} tried something that nobody understands.`,
  );
  let outcome = move(undefined, action);
  const result = await changeGame(action.name, (game) => {
    outcome = move(game, action);
    return 'refused' in outcome ? undefined : outcome;
  });
  await tell(context, 'refused' in outcome ? [outcome.line] : outcome.lines);
  if (result && outcome.event) {
    // Whoever looks after the player wakes the monitor should this fail.
    await wake(
      context,
      raise(client, instanceIdOf('GameMonitorWorkflow', result.game), events[outcome.event], null),
    );
  }
  if ('refused' in outcome) {
    throw refusal(outcome.refused);
  }
  return { jsonBody: worldOf(outcome.game) };
};

/** `GET /api/GameStatus/{username}` */
export const gameStatus: Handler = async (request) => {
  const name = nameOf(request);
  const game = await readGame(name);
  if (game === undefined || !isTaken(game)) {
    throw unknownPlayer(name);
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

/** Whether a name may be taken over: its game was undone, or never got as far as to start. */
async function isForsaken(client: DurableClient, game: Game): Promise<boolean> {
  return (
    !isTaken(game) ||
    (seemsForsaken(game, moment.utc()) &&
      (await find(client, instanceIdOf('RunUserParallelWorkflow', game))) === undefined)
  );
}

/**
 * Does something with the body; a refusal is told on the console.
 *
 * @param line what is told, given the name when the body has one
 */
async function reading<Result>(
  request: HttpRequest,
  context: InvocationContext,
  use: (body: unknown) => Result | Promise<Result>,
  line: (known: string | undefined) => string,
): Promise<Result> {
  let body: unknown;
  try {
    body = await readJson(request);
    return await use(body);
  } catch (error) {
    if (error instanceof Problem) {
      await tell(context, [line(playerRequest.safeParse(body).data?.name)]);
    }
    throw error;
  }
}

/** Says lines on the console; the answer does not depend on it. */
async function tell(context: InvocationContext, lines: readonly string[]): Promise<void> {
  await say(lines).catch((error: unknown) => {
    context.warn('The console was not told', error);
  });
}

/** Wakes a workflow; the record has what it will find. */
async function wake(context: InvocationContext, raised: Promise<unknown>): Promise<void> {
  await raised.catch((error: unknown) => {
    context.warn('A workflow was not woken', error);
  });
}

function nameOf(request: HttpRequest): string {
  return check(playerName, request.params['username'] ?? '', 'username');
}

function unknownPlayer(name: string): Problem {
  return refusal(`There is no player ${name}.`);
}

function refusal(detail: string): Problem {
  return new Problem(400, 'refused', 'The dungeon says no', { detail });
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
