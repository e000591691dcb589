import type { OrchestrationContext, Task } from 'durable-functions';
import moment from 'moment';
import {
  allRetried,
  any,
  eventOrDeadline,
  now,
  orchestrator,
  persistently,
  retryPolicy,
  sleepUntil,
  waitFor,
  type TypedTask,
} from '../durable/index.js';
import {
  abandonGame,
  askConfirmation,
  checkVictory,
  creation,
  freeName,
  killUser,
  monitorUser,
  placement,
  readConfirmation,
  startNewWorkflow,
  type Step,
} from './activities.js';
import { approvalTask, gotTreasure, killMonster } from './events.js';
import type { GameReference } from './model.js';
import { CONFIRM_WITHIN, instanceIdOf, WATCH_EVERY, WATCH_FOR } from './rules.js';

/** A player waits for the set-up: some attempts within half a minute, then it has failed. */
const quickly = retryPolicy({ firstInterval: moment.duration(2, 'seconds'), maxAttempts: 4, backoff: 2 });

/** Makes what a game needs, all at once, and lets the player confirm. Gives whether they went in. */
export const runUserParallel = orchestrator(
  'RunUserParallelWorkflow',
  function* (context, game: GameReference) {
    try {
      yield* allRetried(context, quickly, () => creation.map(({ run }) => run(context, game)));
      return yield* userConfirmation(context, game, {
        instanceId: instanceIdOf('UserConfirmationWorkflow', game),
      });
    } catch (error) {
      return yield* undone(context, game, creation, error);
    }
  },
);

/** Gives the player two minutes to confirm, starts the game then, and kills them else. */
export const userConfirmation = orchestrator(
  'UserConfirmationWorkflow',
  function* (context, game: GameReference) {
    const deadline = now(context).add(CONFIRM_WITHIN);
    yield* askConfirmation(context, { ...game, by: deadline.toISOString() }, persistently);
    let confirmed = false;
    while (!confirmed && (yield* eventOrDeadline(context, approvalTask, deadline)).raised) {
      // Anybody may raise an event; only the record decides.
      ({ confirmed } = yield* readConfirmation(context, game, persistently));
    }
    if (!confirmed) {
      ({ confirmed } = yield* killUser(context, game, persistently));
    }
    if (confirmed) {
      yield* startNewWorkflow(context, { ...game, workflow: 'RunUserSequentialWorkflow' }, persistently);
    }
    return confirmed ? 'confirmed' : 'dead';
  },
);

/** Lays the dungeon out, one thing after the other, and has the game monitored. */
export const runUserSequential = orchestrator(
  'RunUserSequentialWorkflow',
  function* (context, game: GameReference) {
    try {
      for (const { run } of placement) {
        yield* run(context, game, quickly);
      }
      yield* startNewWorkflow(context, { ...game, workflow: 'GameMonitorWorkflow' }, persistently);
      return null;
    } catch (error) {
      return yield* undone(context, game, [...creation, ...placement], error);
    }
  },
);

/** Waits, for as long as it takes, until the monster is dead and the treasure taken. */
export const gameMonitor = orchestrator('GameMonitorWorkflow', function* (context, game: GameReference) {
  const { over } = yield* checkVictory(context, game, persistently);
  if (over) {
    return null;
  }
  // The events say when to look; the hour is for one that was lost.
  const look = sleepUntil(context, now(context).add(1, 'hour'));
  const first = yield* any<TypedTask<unknown>>(context, [
    waitFor(context, killMonster),
    waitFor(context, gotTreasure),
    look,
  ]);
  if (first !== look) {
    look.cancel();
  }
  context.df.continueAsNew(game);
  return null;
});

/** After so many looks the workflow continues as new, to keep its history short. */
const LOOKS_PER_EXECUTION = 30;

/** What the monitor of a user goes by. */
export interface Watch extends GameReference {
  /** When it ends, once it has begun. */
  until?: string;
}

/** Looks after the player every 20 seconds, until they are dead or hold the treasure, or an hour has passed. */
export const userMonitor = orchestrator(
  'UserMonitorWorkflow',
  function* (context, { until, ...game }: Watch) {
    const end = until === undefined ? now(context).add(WATCH_FOR) : moment.utc(until);
    for (let look = 0; look < LOOKS_PER_EXECUTION; look += 1) {
      const first = until === undefined && look === 0;
      const last = !now(context).isBefore(end);
      const { over } = yield* monitorUser(context, { ...game, first, last }, persistently);
      if (over || last) {
        return over ? 'over' : 'timed out';
      }
      yield* sleepUntil(context, moment.min(now(context).add(WATCH_EVERY), end));
    }
    context.df.continueAsNew({ ...game, until: end.toISOString() });
    return null;
  },
);

/** Undoes a set-up that has failed, the last step first, and frees the name. Throws what a person can understand. */
function* undone(
  context: OrchestrationContext,
  game: GameReference,
  steps: readonly Step[],
  error: unknown,
): Generator<Task, never, unknown> {
  yield* abandonGame(context, game, persistently);
  for (const { undo } of steps.toReversed()) {
    yield* undo(context, game, persistently);
  }
  yield* freeName(context, game, persistently);
  // The host puts its own account of the failure on the lines below the first.
  const [reason] = String(error instanceof Error ? error.message : error).split(/\s*\n/, 1);
  throw new Error(
    `The dungeon of ${game.name} could not be laid out. What was made is undone, and the name is free again. (${reason})`,
  );
}
