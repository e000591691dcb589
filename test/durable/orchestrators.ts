import * as df from 'durable-functions';
import type { DurableClient, Task } from 'durable-functions';
import moment from 'moment';
import {
  activity,
  all,
  allRetried,
  any,
  entity,
  event,
  eventOrDeadline,
  now,
  orchestrator,
  retryPolicy,
  sleepUntil,
  waitFor,
} from '../../src/durable/index.js';

/** Orchestrators that show what `durable/` does. */

const double = activity('Double', (number: number) => number * 2);
const pause = activity('Pause', (name: string) => name);
const flaky = activity('Flaky', (attempts: number): number => attempts);
const knock = event<string>('Knock');

const twice = retryPolicy({ firstInterval: moment.duration(10, 'seconds'), maxAttempts: 3, backoff: 2 });

export const pair = orchestrator('Pair', function* (context, number: number) {
  return yield* all(context, [double(context, number), pause(context, 'b')]);
});

export const parent = orchestrator('Parent', function* (context, number: number) {
  return yield* pair(context, number, { instanceId: `${context.df.instanceId}-child` });
});

export const none = orchestrator('None', function* (context) {
  return yield* all(context, []);
});

export const retried = orchestrator('Retried', function* (context) {
  return yield* flaky(context, 0, twice);
});

export const retriedTogether = orchestrator('RetriedTogether', function* (context) {
  return yield* allRetried(context, twice, () => [double(context, 21), flaky(context, 0)]);
});

export const withoutInput = orchestrator('WithoutInput', function* (_context, input: null) {
  yield* [];
  return { input };
});

/** Waits an hour at most for a knock. */
export const door = orchestrator('Door', function* (context) {
  const outcome = yield* eventOrDeadline(context, knock, now(context).add(1, 'hour'));
  return outcome.raised ? outcome.payload : 'nobody';
});

/** Waits an hour for a knock, is busy for a while, and waits for as many knocks as it is told. */
export const busyDoor = orchestrator('BusyDoor', function* (context, knocks: number) {
  const heard: string[] = [];
  yield* eventOrDeadline(context, knock, now(context).add(1, 'hour'));
  yield* pause(context, 'busy');
  while (heard.length < knocks) {
    const outcome = yield* eventOrDeadline(context, knock, now(context).add(1, 'hour'));
    heard.push(outcome.raised ? outcome.payload : 'nobody');
  }
  return heard;
});

/** As {@link busyDoor}, but waits for ever in the end. */
export const patientDoor = orchestrator('PatientDoor', function* (context) {
  yield* eventOrDeadline(context, knock, now(context).add(1, 'hour'));
  yield* pause(context, 'busy');
  return yield* waitFor(context, knock);
});

export const first = orchestrator('First', function* (context) {
  const [soon, late] = [
    sleepUntil(context, now(context).add(1, 'minute')),
    sleepUntil(context, now(context).add(1, 'day')),
  ];
  const winner = yield* any(context, [late, soon]);
  late.cancel();
  return { soon: winner === soon, at: now(context).toISOString() };
});

/** Counts by steps, and refuses to go below zero. */
const tally = entity(
  'Tally',
  { count: 0 },
  {
    add(state, { by }: { by: number }) {
      const count = state.count + by;
      return count < 0
        ? [state, { refused: true, count: state.count }]
        : [{ count }, { refused: false, count }];
    },
  },
);

/** Sends a step, and waits for the answers to two others. */
export const tallied = orchestrator('Tallied', function* (context, key: string) {
  tally.send(context, key, 'add', { by: 1 });
  return yield* all(context, [
    tally.call(context, key, 'add', { by: 2 }),
    tally.call(context, key, 'add', { by: -4 }),
  ]);
});

df.app.client.http('TallyByClient', {
  route: 'tally/{key}',
  methods: ['POST'],
  authLevel: 'anonymous',
  handler: async ({ params: { key = '' } }, client) => {
    const before = await tally.read(client, key);
    await tally.signal(client, key, 'add', { by: 5 });
    return { jsonBody: before };
  },
});

export const ring = event<null>('Ring');

/** Completes when somebody rings. */
export const rung = orchestrator('Rung', function* (context, _input: null) {
  return { ring: yield* waitFor(context, ring) };
});

/** A function of the app to which a test gives what it does with the app's durable client. */
let use: (client: DurableClient) => Promise<unknown> = () => Promise.resolve();
df.app.client.http('UseClient', {
  route: 'use-client',
  methods: ['POST'],
  authLevel: 'anonymous',
  handler: async (_request, client) => ({ jsonBody: { result: await use(client) } }),
});
export function willUse(next: typeof use): void {
  use = next;
}

// Below, the SDK without `durable/`: the traps that it guards against.

df.app.orchestration('BareNone', function* (context): Generator<Task, unknown, unknown> {
  return yield context.df.Task.all([]);
});

df.app.orchestration('BareDoor', function* (context): Generator<Task, unknown, unknown> {
  const [awaited, timer] = [
    context.df.waitForExternalEvent('Knock'),
    context.df.createTimer(now(context).add(1, 'hour').toDate()),
  ];
  const winner = yield context.df.Task.any([awaited, timer]);
  if (winner === awaited) timer.cancel();
  yield pause(context, 'busy');
  // The event comes while the orchestrator is busy.
  return yield context.df.waitForExternalEvent('Knock');
});

df.app.orchestration('BareInput', function* (context) {
  yield* [];
  return { input: context.df.getInput() };
});
