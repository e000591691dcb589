/**
 * Random orchestrations in random worlds. Each ends as its text says, once, in any order of events, and
 * whatever fails meanwhile. Both sides of the protocol count task ids, and the protocol does not show when
 * the counts differ. So the test compares the emulator's count with the SDK's after every replay. In some
 * worlds orchestrators wait in memory between their episodes. There, the history of each episode is also
 * replayed, and has to come out the same.
 *
 * A failure prints its seed and path. With these, `fc.assert` repeats it.
 */
import type { OrchestrationContext, Task } from 'durable-functions';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { eventColumns } from '../src/durable/azure-storage/rows.js';
import type { TaskScheduled } from '../src/durable/history.js';
import { HistoryMismatchError, replayHistory } from '../src/durable/replay/replay.js';
import { SdkV3 } from '../src/durable/protocol/sdk-v3.js';
import type { Worker } from '../src/worker/types.js';
import { loadFunctions } from './support/functions.js';
import type { ActivityInput, Ending } from './support/simulation.js';
import { simulate } from './support/simulation.js';

type Step =
  | { kind: 'activity'; fails: boolean }
  | { kind: 'retry'; failures: number; attempts: number }
  | { kind: 'timer'; seconds: number }
  | { kind: 'event'; name: string }
  | { kind: 'child'; rounds: Statement[][]; fails: boolean; attempts: number }
  | { kind: 'call'; key: Key; fails: boolean }
  | { kind: 'all' | 'any'; steps: Step[] };

/** Statements that are not tasks. */
type Statement = Step | { kind: 'signal'; key: Key } | { kind: 'locked'; keys: Key[] };

/** Statements about a counter that all orchestrations share. */
type Key = 'a' | 'b';
const KEYS: readonly Key[] = ['a', 'b'];

/** The input of an orchestrator: steps in rounds. Each round is an execution of its own. */
interface Program {
  rounds: Statement[][];
  fails: boolean;
  round: number;
  results: Outcome[];
}
type Outcome = 'done' | 'failed';

const leaf: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('activity' as const), fails: fc.boolean() }),
  fc.record({
    kind: fc.constant('retry' as const),
    failures: fc.nat(3),
    attempts: fc.integer({ min: 1, max: 3 }),
  }),
  // Up to twenty days: some timers need hops.
  fc.record({ kind: fc.constant('timer' as const), seconds: fc.oneof(fc.nat(5), fc.nat(20 * 86_400)) }),
  fc.record({ kind: fc.constant('event' as const), name: fc.constantFrom('A', 'B') }),
  fc.record({ kind: fc.constant('call' as const), key: fc.constantFrom(...KEYS), fails: fc.boolean() }),
);
const { statement } = fc.letrec<{ step: Step; statement: Statement }>((tie) => ({
  step: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    leaf,
    fc.record({
      kind: fc.constantFrom('all' as const, 'any' as const),
      steps: fc.array(tie('step'), { minLength: 1, maxLength: 4 }),
    }),
    fc.record({
      kind: fc.constant('child' as const),
      rounds: fc.array(fc.array(tie('statement'), { maxLength: 3 }), { minLength: 1, maxLength: 2 }),
      fails: fc.boolean(),
      attempts: fc.integer({ min: 1, max: 2 }),
    }),
  ),
  statement: fc.oneof(
    { weight: 5, arbitrary: tie('step') },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('signal' as const), key: fc.constantFrom(...KEYS) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('locked' as const),
        keys: fc.subarray([...KEYS], { minLength: 1 }),
      }),
    },
  ),
}));
const rounds = fc.array(fc.array(statement, { maxLength: 5 }), { minLength: 1, maxLength: 3 });
interface World {
  seed: number;
  kills: number;
  faults: number;
  suspensions: number;
  oneEventAnEpisode: boolean;
  maxIdle: number;
  /** See `ReplayOptions`. */
  inFullUpTo: number;
}
const world: fc.Arbitrary<World> = fc.record({
  seed: fc.integer(),
  kills: fc.nat(3),
  faults: fc.nat(4),
  suspensions: fc.nat(2),
  oneEventAnEpisode: fc.boolean(),
  maxIdle: fc.constantFrom(0, 200),
  inFullUpTo: fc.constantFrom(0, 10, Infinity),
});

/** The result of a step, by its text. */
function outcome(next: Statement): Outcome {
  switch (next.kind) {
    case 'activity':
    case 'child':
    case 'call':
      return next.fails ? 'failed' : 'done';
    case 'retry':
      return next.failures < next.attempts ? 'done' : 'failed';
    // The result is the winner, failed or not.
    case 'timer':
    case 'event':
    case 'any':
    case 'signal':
    case 'locked':
      return 'done';
    case 'all':
      return next.steps.some((inner) => outcome(inner) === 'failed') ? 'failed' : 'done';
  }
}

/** How often a counter is incremented. */
function count(next: Statement, key: Key): number {
  switch (next.kind) {
    case 'call':
      return next.key === key && !next.fails ? 1 : 0;
    case 'signal':
      return next.key === key ? 1 : 0;
    case 'locked':
      return next.keys.includes(key) ? 1 : 0;
    case 'child':
      return (next.fails ? next.attempts : 1) * sum(next.rounds.flat(), key);
    case 'all':
    case 'any':
      return sum(next.steps, key);
    default:
      return 0;
  }
}

function sum(steps: readonly Statement[], key: Key): number {
  return steps.reduce((total, step) => total + count(step, key), 0);
}

interface Counting {
  df: { taskOrchestratorExecutor: { sequenceNumber: number } };
}
const contexts = new Map<string, Counting>();
/** By instance: the outcomes that its code saw since this was cleared, while `isReplaying` was false. */
const seen = new Map<string, Outcome[]>();
/** By instance: the trigger and the answer of its last run, as the app's hooks saw them. */
const hooked = new Map<string, string>();
/** How many episodes continued a run that waited in memory. */
let resumptions = 0;
let worker: Worker;
let sdk: SdkV3;

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  worker = await loadFunctions(async () => {
    const [df, { app }] = await Promise.all([import('durable-functions'), import('@azure/functions')]);
    function task(context: OrchestrationContext, next: Step): Task {
      const call = context.df.newGuid(`${context.df.instanceId} ${context.df.getInput<Program>().round}`);
      switch (next.kind) {
        case 'activity':
          return context.df.callActivity('step', { call, failures: next.fails ? 1 : 0 });
        case 'retry':
          return context.df.callActivityWithRetry('step', new df.RetryOptions(1000, next.attempts), {
            call,
            failures: next.failures,
          });
        case 'timer':
          return context.df.createTimer(
            new Date(context.df.currentUtcDateTime.getTime() + next.seconds * 1000),
          );
        case 'event':
          return context.df.waitForExternalEvent(next.name);
        case 'call':
          return context.df.callEntity(new df.EntityId('counter', next.key), next.fails ? 'refuse' : 'add');
        case 'child': {
          const input = { rounds: next.rounds, fails: next.fails, round: 0, results: [] };
          return next.attempts === 1
            ? context.df.callSubOrchestrator('random', input)
            : context.df.callSubOrchestratorWithRetry(
                'random',
                new df.RetryOptions(1000, next.attempts),
                input,
              );
        }
        case 'all':
          return context.df.Task.all(next.steps.map((inner) => task(context, inner)));
        case 'any':
          return context.df.Task.any(next.steps.map((inner) => task(context, inner)));
      }
    }
    app.hook.postInvocation(({ inputs: [trigger], result }) => {
      const { instanceId, history } = trigger as { instanceId?: string; history?: unknown };
      if (history !== undefined) hooked.set(instanceId!, JSON.stringify({ trigger, result }));
    });
    df.app.activity('step', {
      handler: ({ attempt, failures }: Required<ActivityInput> & { failures: number }) => {
        if (attempt <= failures) throw new Error('It fails.');
      },
    });
    df.app.entity<number>('counter', ({ df: entity }) => {
      const value = entity.getState(() => 0)!;
      switch (entity.operationName) {
        case 'add':
          entity.setState(value + 1);
          break;
        case 'get':
          entity.return(value);
          break;
        case 'set':
          entity.setState(entity.getInput<number>()!);
          break;
        default:
          throw new Error('It fails.');
      }
    });
    df.app.orchestration('random', function* (context) {
      // oxlint-disable-next-line orchestrators/no-shared-state -- the test counts as the SDK does, from the input of each replay
      contexts.set(context.df.instanceId, context as unknown as Counting);
      const { rounds: all, fails, round, results } = context.df.getInput<Program>();
      for (const next of all[round]!) {
        try {
          switch (next.kind) {
            case 'signal':
              context.df.signalEntity(new df.EntityId('counter', next.key), 'add');
              break;
            case 'locked': {
              const counters = next.keys.map((key) => new df.EntityId('counter', key));
              // A request goes to the entity itself and a lock from one to the next, so that what was asked
              // before may come after it; and then it is out of order, as in production. An answer says that
              // it has come.
              for (const counter of counters) yield context.df.callEntity(counter, 'get');
              const lock = (yield context.df.lock(counters)) as { release(): void };
              for (const counter of counters)
                yield context.df.callEntity(
                  counter,
                  'set',
                  ((yield context.df.callEntity(counter, 'get')) as number) + 1,
                );
              lock.release();
              break;
            }
            default:
              yield task(context, next);
          }
          results.push('done');
        } catch {
          results.push('failed');
        }
        context.df.setCustomStatus(results.length);
        if (!context.df.isReplaying) {
          const { instanceId } = context.df;
          // oxlint-disable-next-line orchestrators/no-shared-state -- as an app's log
          seen.set(instanceId, [...(seen.get(instanceId) ?? []), results.at(-1)!]);
        }
      }
      if (round + 1 < all.length) {
        context.df.continueAsNew({ rounds: all, fails, round: round + 1, results });
        return undefined;
      }
      if (fails) throw new Error('It fails.');
      return results;
    });
  });
  const invoke = worker.invoke.bind(worker);
  worker.invoke = async (request) => {
    const instanceId = (request.triggerValue as { instanceId?: string } | undefined)?.instanceId ?? '';
    const then = seen.get(instanceId);
    const invoked = await invoke(request);
    // A run that only finds a place in the code.
    if (request.locate !== undefined) {
      if (then === undefined) seen.delete(instanceId);
      else seen.set(instanceId, then);
    }
    return invoked;
  };
  sdk = new SdkV3(worker);
});
afterAll(() => {
  vi.useRealTimers();
});

async function run(
  program: Statement[][],
  { oneEventAnEpisode, maxIdle, inFullUpTo, ...circumstances }: World,
): Promise<Ending> {
  return simulate(
    worker,
    { name: 'random', input: JSON.stringify({ rounds: program, fails: false, round: 0, results: [] }) },
    {
      ...circumstances,
      engine: {
        oneEventAnEpisode,
        maxIdle,
        replay: async (instanceId, replay) => {
          const answer = await replay();
          answer.sequenceNumber = contexts.get(instanceId)!.df.taskOrchestratorExecutor.sequenceNumber;
          seen.delete(instanceId);
          return answer;
        },
        replays: {
          inFullUpTo,
          compare: async (instanceId, resumed, replay) => {
            resumptions++;
            const then = { seen: seen.get(instanceId), hooked: hooked.get(instanceId) };
            seen.delete(instanceId);
            const replayed = await replay();
            expect({ seen: seen.get(instanceId), hooked: hooked.get(instanceId) }).toEqual(then);
            seen.delete(instanceId);
            // Those that were cancelled in earlier episodes are no news.
            expect([...replayed.cancelledTimers]).toEqual(
              expect.arrayContaining([...resumed.cancelledTimers]),
            );
            expect({ ...resumed, cancelledTimers: null }).toEqual({ ...replayed, cancelledTimers: null });
          },
        },
      },
    },
  );
}

/** What chance has found once. */
const FOUND: [Program['rounds'], World][] = [
  // The hint of a child, or of an entity, fails. Its host dies when it has recorded a result, and has not sent it yet.
  [
    [
      [
        {
          kind: 'all',
          steps: [
            { kind: 'child', rounds: [[]], fails: false, attempts: 1 },
            { kind: 'timer', seconds: 0 },
          ],
        },
      ],
    ],
    {
      seed: -2_147_483_626,
      kills: 2,
      faults: 3,
      suspensions: 0,
      oneEventAnEpisode: false,
      maxIdle: 0,
      inFullUpTo: 0,
    },
  ],
  [
    [[{ kind: 'locked', keys: ['a', 'b'] }], []],
    {
      seed: -1_368_218_533,
      kills: 1,
      faults: 2,
      suspensions: 0,
      oneEventAnEpisode: false,
      maxIdle: 0,
      inFullUpTo: 0,
    },
  ],
];
const RUNS = inject('long') ? 2000 : 16;

test(`${RUNS} random orchestrations end as they read`, { timeout: 1_500_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(rounds, world, async (program, circumstances) => {
      const { record, entities, histories, wrong } = await run(program, circumstances);
      const expected = program.flat().map(outcome);
      expect({
        status: record.runtimeStatus,
        output: record.output,
        custom: record.customStatus,
        wrong,
      }).toEqual({
        status: 'Completed',
        output: JSON.stringify(expected),
        // A round without steps ends in the episode of the round before, whose custom status stays.
        custom: program.slice(-2).every(({ length }) => length === 0) ? null : String(expected.length),
        wrong: [],
      });
      for (const key of KEYS)
        expect(entities[`@counter@${key}`] ?? 0, `counter ${key}`).toBe(sum(program.flat(), key));
      // Unchanged code follows all histories that it has written, as events and as rows. It follows none with
      // another step.
      for (const history of histories) {
        await replayHistory(history, { sdk });
        await replayHistory(
          history.map((event) => eventColumns(event, 'x')),
          { sdk },
        );
        const step = history.findLastIndex(({ EventType }) => EventType === 'TaskScheduled');
        if (step >= 0)
          await expect(
            replayHistory(history.with(step, { ...(history[step] as TaskScheduled), Name: 'other' }), {
              sdk,
            }),
          ).rejects.toThrow(HistoryMismatchError);
      }
    }),
    { numRuns: RUNS, examples: FOUND },
  );
  expect(resumptions).toBeGreaterThan(RUNS);
});

test('a seed repeats the same world, step by step', async () => {
  await fc.assert(
    fc.asyncProperty(rounds, world, async (program, circumstances) => {
      expect((await run(program, circumstances)).steps).toEqual((await run(program, circumstances)).steps);
    }),
    { numRuns: 3 },
  );
});
