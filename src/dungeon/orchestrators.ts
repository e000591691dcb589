import type { OrchestrationContext, Task } from 'durable-functions';
import moment from 'moment';
import {
  allRetried,
  any,
  eventOrDeadline,
  now,
  orchestrator,
  forSideEffects,
  retryPolicy,
  sinceVersion,
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
  type Confirmation,
  type Step,
  type Superseded,
} from './activities.js';
import { approvalTask, gotTreasure, killMonster } from './events.js';
import type { GameKey } from './model.js';
import { CONFIRM_WITHIN, instanceIdOf, LOOK_EVERY, LOOK_FOR, LOOKS_PER_EXECUTION } from './rules.js';

const SUPERSEDED: Superseded = 'superseded';

/** For a player who waits for the set-up: four attempts within 15 seconds, then the set-up has failed. */
const setUpRetries = retryPolicy({
  firstInterval: moment.duration(2, 'seconds'),
  maxAttempts: 4,
  backoff: 2,
});

/** Makes the parts of a game, all at once, and lets the player confirm. Returns whether they went in. */
export const runUserParallel = orchestrator('RunUserParallelWorkflow', function* (context, key: GameKey) {
  try {
    const made = yield* allRetried(context, setUpRetries, () => creation.map(({ run }) => run(context, key)));
    if (made.includes(SUPERSEDED)) {
      return SUPERSEDED;
    }
  } catch (error) {
    return yield* compensateAndFail(context, key, creation, error);
  }
  return yield* userConfirmation(context, key, { instanceId: instanceIdOf('UserConfirmationWorkflow', key) });
});

/** Gives the player two minutes to confirm. Then starts the game, or kills the player. */
export const userConfirmation = orchestrator('UserConfirmationWorkflow', function* (context, key: GameKey) {
  let deadline = now(context).add(CONFIRM_WITHIN);
  // A host that ran an earlier version recorded no result of this activity.
  const asked: Confirmation | null = yield* askConfirmation(
    context,
    { ...key, by: deadline.toISOString() },
    forSideEffects,
  );
  deadline = asked?.waitUntil === undefined ? deadline : moment.utc(asked.waitUntil);
  let confirmed = asked?.confirmed ?? false;
  let waits = !confirmed && (asked === null || asked.waitUntil !== undefined);
  let started = false;
  const start = { ...key, workflow: 'RunUserSequentialWorkflow' } as const;
  // Since version 2.0 one step reads the confirmation and starts what comes next.
  const startsAtOnce = sinceVersion(context, '2.0');
  while (waits) {
    // Anybody may raise an event, and a timer may fire early: only the record decides.
    const { raised } = yield* eventOrDeadline(context, approvalTask, deadline);
    let found: Confirmation | null;
    if (!raised) {
      found = yield* killUser(context, key, forSideEffects);
    } else if (startsAtOnce) {
      found = yield* startNewWorkflow(context, start, forSideEffects);
    } else {
      found = yield* readConfirmation(context, key, forSideEffects);
    }
    confirmed = found?.confirmed ?? false;
    started = confirmed && raised && startsAtOnce;
    waits = !confirmed && (raised || found?.waitUntil !== undefined);
    deadline = raised ? deadline : now(context).add(1, 'second');
  }
  if (confirmed && !started) {
    yield* startNewWorkflow(context, start, forSideEffects);
  }
  return confirmed ? 'confirmed' : 'dead';
});

/** Lays the dungeon out, one thing after the other, and starts the monitor of the game. */
export const runUserSequential = orchestrator('RunUserSequentialWorkflow', function* (context, key: GameKey) {
  try {
    for (const { run } of placement) {
      if ((yield* run(context, key, setUpRetries)) === SUPERSEDED) {
        return SUPERSEDED;
      }
    }
  } catch (error) {
    return yield* compensateAndFail(context, key, [...creation, ...placement], error);
  }
  yield* startNewWorkflow(context, { ...key, workflow: 'GameMonitorWorkflow' }, forSideEffects);
  return null;
});

/** Waits, for as long as it takes, until the monster is dead and the treasure taken, or the game is closed. */
export const gameMonitor = orchestrator('GameMonitorWorkflow', function* (context, key: GameKey) {
  const { over } = yield* checkVictory(context, key, forSideEffects);
  if (over) {
    return null;
  }
  // The events say when to look. The hourly look is for an event that was lost, and for a game that nobody plays.
  const look = sleepUntil(context, now(context).add(1, 'hour'));
  const first = yield* any<TypedTask<unknown>>(context, [
    waitFor(context, killMonster),
    waitFor(context, gotTreasure),
    look,
  ]);
  if (first !== look) {
    look.cancel();
  }
  context.df.continueAsNew(key);
  return null;
});

/** The input of the monitor of a user. */
export interface Watch extends GameKey {
  /** When it ends. Absent: an hour from now. */
  until?: string;
  /** After how many looks it continues as new. Absent in what an earlier version started. */
  looks?: number;
}

/** Looks at the player every 20 seconds, until they are dead or hold the treasure, or an hour has passed. */
export const userMonitor = orchestrator('UserMonitorWorkflow', function* (context, input: Watch) {
  const { until, looks = 30, ...key } = input;
  const end = until === undefined ? now(context).add(LOOK_FOR) : moment.utc(until);
  for (let look = 0; look < looks; look += 1) {
    const last = !now(context).isBefore(end);
    const { over } = yield* monitorUser(context, { ...key, last }, forSideEffects);
    if (over || last) {
      return over ? 'over' : 'timed out';
    }
    yield* sleepUntil(context, moment.min(now(context).add(LOOK_EVERY), end));
  }
  context.df.continueAsNew({ ...key, until: end.toISOString(), looks: LOOKS_PER_EXECUTION });
  return null;
});

/**
 * Undoes a set-up that has failed, the last step first, and frees the name. Fails with a reason that a person can read.
 * When another claim has replaced this one, it ends and changes nothing: the name is not free.
 */
function* compensateAndFail(
  context: OrchestrationContext,
  key: GameKey,
  steps: readonly Step[],
  error: unknown,
): Generator<Task, Superseded, unknown> {
  if ((yield* abandonGame(context, key, forSideEffects)) === SUPERSEDED) {
    return SUPERSEDED;
  }
  for (const { undo } of steps.toReversed()) {
    yield* undo(context, key, forSideEffects);
  }
  yield* freeName(context, key, forSideEffects);
  // The host adds its own account of the failure on the lines below the first.
  const [reason] = String(error instanceof Error ? error.message : error).split(/\s*\n/, 1);
  throw new Error(
    `The dungeon of ${key.name} could not be laid out. What was made is undone, and the name is free again. (${reason})`,
  );
}
