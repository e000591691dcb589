import type { TestApp } from '../../emulator/src/testing.js';
import type { Activity } from '../../src/durable/index.js';
import { silent } from './request.js';

/** An activity of the app, whatever it takes and gives. */
export type AnyActivity = Pick<Activity<never, unknown>, 'activityName' | 'handler'>;

/**
 * Terminates the workflow once, during one of its activity calls, as an operator may do: before the activity had its
 * effect, or after it.
 *
 * @param at.call which of the calls, from 0
 * @returns whether there were that many calls
 */
export function interruptOnce(
  app: TestApp,
  id: string,
  activities: readonly AnyActivity[],
  at: { call: number; effect: 'not done' | 'done' },
): () => boolean {
  let calls = 0;
  for (const { activityName, handler } of activities) {
    app.replace(activityName, async (input: never) => {
      const isTheOne = calls === at.call;
      calls += 1;
      const result = isTheOne && at.effect === 'not done' ? null : await handler(input, silent());
      if (isTheOne) await terminate(app, id);
      return result;
    });
  }
  return () => calls > at.call;
}

/** Terminates an instance from within one of its activities, where waiting until nothing runs would never end. */
export async function terminate(app: TestApp, id: string): Promise<void> {
  await app.post(`/runtime/webhooks/durabletask/instances/${id}/terminate?reason=test`);
}
