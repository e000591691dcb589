import type { DurableClient, OrchestrationContext } from 'durable-functions';
import { expectTypeOf, it } from 'vitest';
import {
  activity,
  all,
  any,
  entity,
  event,
  eventOrDeadline,
  orchestrator,
  ensureRunning,
  type Activity,
  type Orchestrator,
  type TypedTask,
} from '../../src/durable/index.js';
import type { Moment } from 'moment';

declare const context: OrchestrationContext;
declare const client: DurableClient;
declare const deadline: Moment;

/** Never run: the compiler reads it, under `npm run typecheck`. */
function* typed(): Generator {
  const count = activity('Count', (text: string) => text.length);
  const spell = activity('Spell', (number: number) => Promise.resolve(String(number)));
  const approved = event<{ by: string }>('Approved');
  const child = orchestrator('Child', function* (inner, input: { text: string }) {
    return yield* count(inner, input.text);
  });
  expectTypeOf(count).toEqualTypeOf<Activity<string, number>>();
  expectTypeOf(spell).toEqualTypeOf<Activity<number, string>>();
  expectTypeOf(child).toEqualTypeOf<Orchestrator<{ text: string }, number>>();

  expectTypeOf(yield* count(context, 'four')).toEqualTypeOf<number>();
  expectTypeOf(yield* child(context, { text: 'four' }, { instanceId: 'a' })).toEqualTypeOf<number>();
  expectTypeOf(yield* all(context, [count(context, 'a'), spell(context, 1)])).toEqualTypeOf<
    [number, string]
  >();
  expectTypeOf(
    yield* all(
      context,
      ['a', 'b'].map((text) => count(context, text)),
    ),
  ).toEqualTypeOf<number[]>();

  const [one, two] = [count(context, 'a'), spell(context, 1)];
  const first = yield* any(context, [one, two]);
  expectTypeOf(first).toEqualTypeOf<TypedTask<number> | TypedTask<string>>();

  const outcome = yield* eventOrDeadline(context, approved, deadline);
  if (outcome.raised) {
    expectTypeOf(outcome.payload).toEqualTypeOf<{ by: string }>();
  } else {
    expectTypeOf(outcome).not.toHaveProperty('payload');
  }

  const counter = entity('Counter', 0, {
    add: (state, input: { by: number }) => [state + input.by, { count: state + input.by }],
    clear: (_state, _input: null) => [0, 'cleared' as const],
  });
  const key = 'a';
  expectTypeOf(yield* counter.call(context, key, 'add', { by: 1 })).toEqualTypeOf<{ count: number }>();
  expectTypeOf(yield* counter.call(context, key, 'clear', null)).toEqualTypeOf<'cleared'>();
  expectTypeOf(counter.read(client, key)).resolves.toEqualTypeOf<number>();
  // @ts-expect-error an operation takes its own input
  counter.send(context, key, 'add', null);
  // @ts-expect-error there is no such operation
  void counter.signal(client, key, 'remove', null);

  // @ts-expect-error an activity takes its own input
  count(context, 4);
  // @ts-expect-error so does an orchestrator
  child(context, { texts: 'four' });
  // @ts-expect-error and a start of it
  void ensureRunning(client, child, { instanceId: 'a', input: 4 });
}

it('results, inputs and payloads have the types of the handlers, which the compiler has checked', () => {
  expectTypeOf(typed).returns.toExtend<Generator>();
});
