/**
 * What our engine hands to the SDK, against what a real Functions host handed to it for the same app and the same calls.
 * Each fixture holds the inputs of all replays of one instance, in order.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { SkippingClock } from '../src/durable/clock.js';
import { Engine } from '../src/durable/engine.js';
import { MemoryHub } from '../src/durable/memory-hub.js';
import { SdkV3 } from '../src/durable/sdk-v3.js';
import type { InvocationRequest, Worker } from '../src/worker/types.js';
import { recordedApp } from './support/recorded-app.js';

type Event = Record<string, unknown> & { EventType: number };
interface Input { history: Event[]; input: unknown; instanceId: string; isReplaying: boolean; parentInstanceId: string | null }

const folder = path.join(import.meta.dirname, 'fixtures/orchestrations');
const recordings = readdirSync(folder);

const [TERMINATED, TIMER_FIRED, RAISED, SUSPENDED, RESUMED] = [3, 11, 15, 19, 20];

/** Where one run of the real host cannot be had again, and why. */
const exempt: Record<string, string> = {
  'nondet__nondet-x.json': 'keeps its state in a global that the first run of the process decides',
  'waiter__parentTerm-x-child.json': 'has one input, and its parent was terminated meanwhile: covered by waiter__term-1.json',
  'longchain__kill-1.json': 'six activities in a row, nine seconds of real waiting: the same as chain3',
  'failing__failing-1.json': 'was rewound, which this version does not do; its other replays are those of the other runs of failing',
  'full__early-1.json': 'an event overtook the first activity: chance. engine.test.ts covers early events',
  'child__parent-1-fixed.json': 'second child of parent-1, run and compared with it',
};

let worker: Worker;
beforeAll(async () => { worker = await recordedApp(); });

describe('Orchestrators are handed what a real host handed to them', () => {
  test.for(recordings.filter((file) => !(file in exempt)))('%s', async (file) => {
    const recorded = JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as Input[];
    const handed = await play(recorded);
    const ours = handed.filter(({ instanceId }) => instanceId === handed.find((input) => nameOf(input) === nameOf(recorded[0]!))!.instanceId);
    if (/^(fan|allFail)__/.test(file)) {
      // Of activities that run at once, which ends first and which results come together is chance there.
      expect(byId(ours.at(-1)!)).toEqual(byId(recorded.at(-1)!));
      return;
    }
    expect(ours.map((input) => normalise(input))).toEqual(recorded.map((input) => normalise(input)));
  });
});

/** Makes the calls that a recording shows, in the order in which it shows them, and returns all inputs that we gave. */
async function play(recorded: readonly Input[]): Promise<Input[]> {
  const handed: Input[] = [];
  const spy: Worker = {
    functions: worker.functions,
    find: (name) => worker.find(name),
    invoke: async (request: InvocationRequest) => {
      if (request.triggerValue !== undefined) handed.push(structuredClone(request.triggerValue) as Input);
      return worker.invoke(request);
    },
  };
  const clock = new SkippingClock(Date.UTC(2026, 0, 1, 12, 0, 0, 123));
  const engine = new Engine({ hub: new MemoryHub({ name: 'OracleHub' }), clock, sdk: new SdkV3(spy), log: () => {}, oneEventAnEpisode: true });
  await engine.start();

  const started = recorded[0]!.history.find(({ EventType }) => EventType === 0)!;
  const parent = started['ParentInstance'] as { Name: string; OrchestrationInstance: { InstanceId: string } } | null;
  const root = parent === null
    ? { name: String(started['Name']), instanceId: recorded[0]!.instanceId, input: started['Input'] as string | null }
    : { name: parent.Name, instanceId: parent.OrchestrationInstance.InstanceId, input: '""' };
  await engine.startInstance(root);
  await engine.whenQuiet();
  const { instanceId } = recorded[0]!;

  for (const [index, input] of recorded.entries()) {
    const before = recorded[index - 1];
    if (before === undefined) continue;
    for (const event of input.history.slice(input.isReplaying ? before.history.length : input.history.length)) {
      switch (event.EventType) {
        case RAISED: await engine.raiseEvent(instanceId, String(event['Name']), event['Input'] as string); break;
        case TERMINATED: await engine.terminate(instanceId, String(event['Input'])); break;
        case SUSPENDED: await engine.suspend(instanceId, String(event['Reason'])); break;
        case RESUMED: await engine.resume(instanceId, String(event['Reason'])); break;
        case TIMER_FIRED:
          clock.moveTo(clock.next!);
          clock.wakeOne();
          break;
      }
      await engine.whenQuiet();
    }
  }
  // A child's recording does not show what woke its parent.
  while (parent !== null && clock.next !== undefined) {
    clock.moveTo(clock.next);
    clock.wakeOne();
    await engine.whenQuiet();
  }
  await engine.stop();
  return handed;
}

function nameOf(input: Input): unknown {
  return input.history.find(({ EventType }) => EventType === 0)?.['Name'];
}

/** Ids and times differ from run to run, and stack traces from host to host; all else has to be the same. */
function normalise(input: Input): Input {
  const text = JSON.stringify(input, (key, value: unknown) => {
    if (key === 'Timestamp' || key === 'FireAt' || key === 'when') return 'time';
    if (key === 'Details' && typeof value === 'string') {
      if (value.startsWith('Message:')) return value.replace(/(StackTrace: )[\s\S]*$/, '$1');
      const blank = (name: string, inner: unknown): unknown => (name.endsWith('StackTrace') ? '' : name === 'Message' && typeof inner === 'string' ? inner.replace(/\nStack:[\s\S]*/, '') : inner);
      return JSON.stringify(JSON.parse(value, blank));
    }
    return value;
  })
    .replaceAll(/[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}/g, 'id')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'time');
  return JSON.parse(text) as Input;
}

/** The events of a history but for how they were spread over episodes. */
function byId(input: Input): unknown {
  return normalise(input).history.filter(({ EventType }) => EventType !== 12 && EventType !== 13)
    .map((event): Event => ({ ...event, IsPlayed: false, ...('Generation' in event && { Generation: 'counts restarts' }) }))
    .toSorted((a, b) => a.EventType - b.EventType || Number(a['TaskScheduledId'] ?? a['EventId']) - Number(b['TaskScheduledId'] ?? b['EventId']));
}
