/** The app, with its sweep and its purge as HTTP functions beside it: days can be skipped without 1,440 sweeps each. */
import * as df from 'durable-functions';
import type { TestApp } from '../../emulator/src/testing.js';
import { purgeAll, sweepAll } from '../../src/operations/index.js';
// oxlint-disable-next-line import/no-unassigned-import -- it registers the functions
import '../../src/index.js';

df.app.client.http('SweepNow', {
  route: 'test/sweep',
  methods: ['POST'],
  authLevel: 'anonymous',
  handler: async (_request, client, context) => {
    await sweepAll(undefined, client, context);
    return { status: 204 };
  },
});

df.app.client.http('PurgeNow', {
  route: 'test/purge',
  methods: ['POST'],
  authLevel: 'anonymous',
  handler: async (_request, client, context) => {
    await purgeAll(undefined, client, context);
    return { status: 204 };
  },
});

/** Purges once, and waits until nothing runs. @returns the status of the answer */
export async function purge(app: TestApp): Promise<number> {
  const { status } = await app.post('/test/purge');
  await app.quiet();
  return status;
}

/** Sweeps once, and waits until nothing runs. */
export async function sweep(app: TestApp): Promise<void> {
  const { status } = await app.post('/test/sweep');
  if (status !== 204) throw new Error(`The sweep answered ${status}`);
  await app.quiet();
}

/** Lets some minutes pass, with a sweep after every second one. */
export async function pass(app: TestApp, minutes: number): Promise<void> {
  for (let passed = 0; passed < minutes; passed += 2) {
    await app.skip({ minutes: 2 });
    await sweep(app);
  }
}
