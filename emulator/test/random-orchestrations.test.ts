/**
 * Task ids are counted on both sides of the protocol, and nothing in it says when the counts differ. Random
 * orchestrations are run with their activities ending in random order, and after every replay our count is compared with
 * the SDK's own.
 */
import type { OrchestrationContext, Task } from 'durable-functions';
import * as fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { SkippingClock } from '../src/durable/clock.js';
import { Engine } from '../src/durable/engine.js';
import { MemoryHub } from '../src/durable/memory-hub.js';
import { SdkV3 } from '../src/durable/sdk-v3.js';
import type { Worker } from '../src/worker/types.js';
import { loadFunctions } from './support/functions.js';

type Step =
  | { kind: 'activity'; fails: boolean; turns: number }
  | { kind: 'retry'; failures: number; attempts: number; turns: number }
  | { kind: 'timer'; seconds: number }
  | { kind: 'event'; name: string }
  | { kind: 'child'; steps: Step[] }
  | { kind: 'all' | 'any'; steps: Step[] };

const leaf: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('activity' as const), fails: fc.boolean(), turns: fc.nat(5) }),
  fc.record({ kind: fc.constant('retry' as const), failures: fc.nat(3), attempts: fc.integer({ min: 1, max: 3 }), turns: fc.nat(5) }),
  // Up to twenty days, so that some are made in hops.
  fc.record({ kind: fc.constant('timer' as const), seconds: fc.oneof(fc.nat(5), fc.nat(20 * 86_400)) }),
  fc.record({ kind: fc.constant('event' as const), name: fc.constantFrom('A', 'B') }),
);
const { step } = fc.letrec<{ step: Step }>((tie) => ({
  step: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    leaf,
    fc.record({ kind: fc.constantFrom('all' as const, 'any' as const), steps: fc.array(tie('step'), { minLength: 1, maxLength: 4 }) }),
    fc.record({ kind: fc.constant('child' as const), steps: fc.array(tie('step'), { maxLength: 3 }) }),
  ),
}));
const program = fc.array(step, { minLength: 1, maxLength: 6 });

interface Counting { df: { taskOrchestratorExecutor: { sequenceNumber: number } } }
const contexts = new Map<string, Counting>();
let worker: Worker;

beforeAll(async () => {
  worker = await loadFunctions(async () => {
    const df = await import('durable-functions');
    function task(context: OrchestrationContext, next: Step, path: string): Task {
      switch (next.kind) {
        case 'activity': return context.df.callActivity('step', { path, failures: next.fails ? Infinity : 0, turns: next.turns, attempt: context.df.newGuid(path) });
        case 'retry': {
          const key = `${context.df.instanceId}${path}`;
          return context.df.callActivityWithRetry('step', new df.RetryOptions(1000, next.attempts), { path, key, failures: next.failures, turns: next.turns });
        }
        case 'timer': return context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + next.seconds * 1000));
        case 'event': return context.df.waitForExternalEvent(next.name);
        case 'child': return context.df.callSubOrchestrator('random', { steps: next.steps, path });
        case 'all': return context.df.Task.all(next.steps.map((inner, index) => task(context, inner, `${path}.${index}`)));
        case 'any': return context.df.Task.any(next.steps.map((inner, index) => task(context, inner, `${path}.${index}`)));
      }
    }
    const failures = new Map<string, number>();
    df.app.activity('step', {
      handler: async ({ path, key, failures: wanted, turns }: { path: string; key?: string; failures: number | null; turns: number }) => {
        for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => { setImmediate(resolve); });
        const failed = key === undefined ? 0 : failures.get(key) ?? 0;
        if (wanted === null || failed < wanted) {
          if (key !== undefined) failures.set(key, failed + 1);
          throw new Error(`no ${path}`);
        }
        return path;
      },
    });
    df.app.orchestration('random', function* (context) {
      // oxlint-disable-next-line orchestrators/no-shared-state -- the test counts with the SDK: it looks into what each replay was given
      contexts.set(context.df.instanceId, context as unknown as Counting);
      const { steps, path } = context.df.getInput<{ steps: Step[]; path: string }>();
      let failed = 0;
      for (const [index, next] of steps.entries()) {
        try {
          yield task(context, next, `${path}/${index}`);
        } catch {
          failed++;
        }
      }
      return failed;
    });
  });
});

test('the ids of 200 random orchestrations agree with the SDK’s own counter', async () => {
  await fc.assert(fc.asyncProperty(program, async (steps) => {
    const clock = new SkippingClock(Date.UTC(2026, 0, 1));
    const said: string[] = [];
    const engine = new Engine({
      hub: new MemoryHub({ name: 'Random' }), clock, sdk: new SdkV3(worker), log: (_level, _category, message) => { said.push(message); }, strict: true,
      replay: async (instanceId, run) => {
        const answer = await run();
        answer.sequenceNumber = contexts.get(instanceId)!.df.taskOrchestratorExecutor.sequenceNumber;
        return answer;
      },
    });
    await engine.start();
    const id = await engine.startInstance({ name: 'random', input: JSON.stringify({ steps, path: '' }) });
    for (let turn = 0; turn < 400; turn++) {
      await engine.whenQuiet();
      const record = await engine.getRecord(id);
      if (record?.runtimeStatus !== 'Running' && record?.runtimeStatus !== 'Pending') break;
      if (clock.next !== undefined) {
        clock.moveTo(clock.next);
        while (clock.wakeOne());
      } else {
        for (const { instanceId } of (await engine.query({ top: 100, runtimeStatus: ['Running'] })).records) {
          await engine.raiseEvent(instanceId, turn % 2 === 0 ? 'A' : 'B', String(turn));
        }
      }
    }
    const record = await engine.getRecord(id);
    await engine.stop();
    expect({ status: record?.runtimeStatus, said, failure: record?.runtimeStatus === 'Failed' ? record.output : undefined })
      .toEqual({ status: 'Completed', said: [], failure: undefined });
  }), { numRuns: 200 });
});
