/** Failed instances that repeat what failed. */
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { TestApp, type TestAppOptions } from '../src/testing.js';
import { account } from './support/azurite.js';

async function start(options: TestAppOptions = {}): Promise<TestApp> {
  const app = await TestApp.start({
    directory: path.join(import.meta.dirname, 'fixtures/engine-app'),
    time: '2026-03-01T08:00:00Z',
    ...options,
  });
  onTestFinished(() => app.stop());
  return app;
}

function breakStep(app: TestApp, fails: (name: string) => boolean): void {
  app.replace('fragileStep', (name: string) => {
    if (fails(name)) throw new Error(`no ${name}`);
    return name;
  });
}

const inputs = (app: TestApp, name: string): unknown[] => app.calls(name).map(({ input }) => input);

test('A failed task runs again under its id, and a successful one does not', async () => {
  const app = await start();
  breakStep(app, () => true);
  const id = await app.start('fragile', 'step');
  expect(await app.finished(id)).toMatchObject({ runtimeStatus: 'Failed' });
  app.restore('fragileStep');
  await app.rewind(id, 'mended');
  expect(await app.instance(id)).toMatchObject({
    runtimeStatus: 'Completed',
    output: ['before', 'kept', 'step'],
  });
  expect([inputs(app, 'echo'), inputs(app, 'fragileStep')]).toEqual([
    ['before', 'kept'],
    ['step', 'step'],
  ]);
  const history = await app.history(id);
  expect(
    history.filter(({ EventId }) => EventId >= 0).map((event) => [event.EventType, event.EventId]),
  ).toEqual([
    ['TaskScheduled', 0],
    ['TaskScheduled', 1],
    ['GenericEvent', 2],
    ['GenericEvent', 3],
    ['TaskScheduled', 2],
    ['ExecutionCompleted', 3],
  ]);
  expect(history.filter(({ EventType, EventId }) => EventType === 'GenericEvent' && EventId === -1)).toEqual([
    expect.objectContaining({ Data: null, Reason: 'Rewound: TaskFailed' }),
    expect.objectContaining({ Data: 'mended' }),
  ]);
});

test('An instance can fail and be rewound any number of times', async () => {
  const app = await start();
  breakStep(app, () => true);
  const id = await app.start('fragile', 'step');
  await app.finished(id);
  for (let count = 0; count < 3; count++) {
    await app.rewind(id);
    expect(await app.instance(id)).toMatchObject({
      runtimeStatus: 'Failed',
      output: expect.stringContaining('no step') as string,
    });
  }
  app.restore('fragileStep');
  await app.rewind(id);
  expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Completed' });
  expect(app.calls('fragileStep')).toHaveLength(5);
});

test.each([
  ['memory', async () => 'memory'],
  ['Azure Storage', account],
])('With its parent, a sub-orchestration that failed is rewound, on %s', async (_name, storage) => {
  const app = await start({ storage: await storage() });
  breakStep(app, (name) => name === 'b');
  const id = await app.start('fragileParent');
  expect(await app.finished(id)).toMatchObject({ runtimeStatus: 'Failed' });
  app.replace('fragileStep', (name: string) => `${name} mended`);
  await app.rewind(id, 'mended');
  expect(await app.finished(id)).toMatchObject({ runtimeStatus: 'Completed', output: ['a', 'b mended'] });
  expect(inputs(app, 'fragileStep')).toHaveLength(3);
  expect(await app.instance(`${id}-b`)).toMatchObject({ runtimeStatus: 'Completed' });
});

test('Rewinding fails after retries, as in production: the timer between two attempts is not scheduled again', async () => {
  const app = await start();
  breakStep(app, () => true);
  const id = await app.start('fragileRetried');
  await app.finished(id);
  app.restore('fragileStep');
  await app.rewind(id);
  expect(await app.instance(id)).toMatchObject({
    runtimeStatus: 'Failed',
    output: expect.stringContaining(
      'Non-Deterministic workflow detected: A previous execution of this orchestration scheduled a timer task with sequence number 1 but the current ' +
        "replay execution hasn't (yet?) scheduled this task. Was a change made to the orchestrator code after this instance had already started running?",
    ) as string,
  });
});

test('Only a failed instance is rewound; for all others the response is 412', async () => {
  const app = await start();
  const rewind = async (id: string): Promise<[number, unknown]> => {
    const response = await app.post(`/runtime/webhooks/durabletask/instances/${id}/rewind?reason=x`);
    return [response.status, response.status === 202 ? await response.text() : await response.json()];
  };
  const text = (status: string): string =>
    `This orchestration has status ${status}, but only orchestrations in the "Failed" state can be rewound.`;
  const id = await app.start('waits');
  await app.quiet();
  expect(await rewind(id)).toEqual([412, text('Running')]);
  await app.terminate(id);
  expect(await rewind(id)).toEqual([412, text('Terminated')]);
  expect(await rewind('nobody')).toEqual([404, 'No orchestration with instance ID "$nobody" found.']);
});
