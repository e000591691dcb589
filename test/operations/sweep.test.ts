/** What fails, is late, or was never started comes right by the sweep. */
import { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import moment from 'moment';
import { describe, expect, it, onTestFinished, vi, inject } from 'vitest';
import { z } from 'zod';
import type { TestApp } from '../../emulator/src/testing.js';
import { faultyStorage, healthy, type FaultyStorage } from '../../emulator/test/support/faulty-storage.js';
import type { Swept } from '../../src/operations/sweep.js';
import type { RecordStore } from '../../src/storage/index.js';
import type { Supervised } from '../../src/supervision/index.js';
import { AppStorage, pass, startApp as start, sweepOnce as sweep } from '../support/app.js';
import { account } from '../support/azurite.js';
import { interruptOnce, terminate, type AnyActivity } from '../support/interruptions.js';
import { killedAtTheHub, silent } from '../support/request.js';

const START = '2030-01-01T00:00:00.000Z';
const laptop = { subject: 'A new laptop', requestedBy: 'ana', approver: 'kim', escalateTo: 'lee' };
const plants = { to: 'pat', message: 'Water the plants' };

/** The activities of a feature. Imported late: the app must be loaded by its test environment. */
async function activitiesOf(feature: 'approvals' | 'reminders'): Promise<AnyActivity[]> {
  const exported: object =
    feature === 'approvals'
      ? await import('../../src/approvals/activities.js')
      : await import('../../src/reminders/activities.js');
  return Object.values(exported) as AnyActivity[];
}

interface Seen {
  id: string;
  state: string;
  history: { what: string; who: string }[];
  sent?: number;
  next?: string;
}

async function create(app: TestApp, path: string, body: object): Promise<string> {
  const response = await app.post(path, body);
  expect(response.status).toBe(202);
  return ((await response.json()) as Seen).id;
}

const see = async (app: TestApp, id: string): Promise<Seen> =>
  (
    await app.get(`/api/${id.split('-')[0] === 'approval' ? 'approvals' : 'reminders'}/${id}`)
  ).json() as Promise<Seen>;

const decide = (app: TestApp, id: string, decision: string, by: string): Promise<Response> =>
  app.post(`/api/approvals/${id}/decision`, { decision, by });

const keys = async (storage: AppStorage): Promise<string[]> =>
  (await storage.notifications()).map(({ key }) => key.replace(/^\w+-[\da-f_-]{36,}-/, ''));

/** The app with a queue service that can be made to fail. */
async function withQueue(): Promise<{ app: TestApp; storage: AppStorage; queue: FaultyStorage }> {
  const connection = await account();
  const queue = await faultyStorage(connection, ['Queue']);
  onTestFinished(() => {
    queue.stop();
  });
  const { app } = await start({ time: START, settings: { AppStorage: queue.connection } });
  return { app, storage: new AppStorage(connection), queue };
}

/** Three hours, in which the retries end. The sweep tries as well. */
async function outage(app: TestApp): Promise<void> {
  for (let hour = 0; hour < 3; hour += 1) {
    await app.skip({ hours: 1 });
    await sweep(app);
  }
}

const down = (): { status: number; code: string } => ({ status: 403, code: 'AccountIsDisabled' });

describe('a queue that is down for three hours', () => {
  it('holds a question up, which is then sent once', async () => {
    const { app, storage, queue } = await withQueue();
    queue.fault = down;
    const id = await create(app, '/api/approvals', laptop);
    await outage(app);
    expect(await see(app, id)).toMatchObject({ state: 'pending' });
    queue.fault = healthy;
    await pass(app, 20);
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Running' });
    expect((await keys(storage)).filter((key) => key === 'asked')).toHaveLength(1);

    await decide(app, id, 'approved', 'kim');
    await app.quiet();
    expect(await app.instance(id)).toMatchObject({
      runtimeStatus: 'Completed',
      output: 'Approved: A new laptop',
    });
  });

  it('holds a decision up, which is then reported once', async () => {
    const { app, storage, queue } = await withQueue();
    const id = await create(app, '/api/approvals', laptop);
    await app.quiet();
    queue.fault = down;
    expect((await decide(app, id, 'approved', 'kim')).status).toBe(200);
    await outage(app);
    expect((await see(app, id)).history.map(({ what }) => what)).not.toContain('reported');
    queue.fault = healthy;
    await pass(app, 20);
    expect((await see(app, id)).history.filter(({ what }) => what === 'reported')).toHaveLength(1);
    expect((await keys(storage)).filter((key) => key === 'decided')).toHaveLength(1);
    expect(await app.instance(id)).toMatchObject({
      runtimeStatus: 'Completed',
      output: 'Approved: A new laptop',
    });
  });

  it('holds reminders up, which then go on', async () => {
    const { app, storage, queue } = await withQueue();
    queue.fault = down;
    const id = await create(app, '/api/reminders', plants);
    await outage(app);
    expect(await see(app, id)).toMatchObject({ state: 'active', sent: 0, next: START });
    queue.fault = healthy;
    await pass(app, 20);
    expect(await see(app, id)).toMatchObject({ sent: 1, next: '2030-01-02T00:00:00.000Z' });
    expect((await keys(storage)).filter((key) => key === '0')).toHaveLength(1);
  });
});

/** The long form terminates at each step. The short one does so at every second step, from a random first one. */
const EVERY_STEP = inject('long') ? 1 : 2;
const FIRST_STEP = Math.floor(Math.random() * EVERY_STEP);

describe('an approval whose workflow is terminated once, at any step', () => {
  const short = { ...laptop, respondWithin: 'PT6M', escalateWithin: 'PT6M' };
  it.each([
    [
      'is decided',
      async (app: TestApp, id: string) => {
        await pass(app, 4);
        await decide(app, id, 'approved', 'kim');
      },
      ['asked', 'decided'],
      'approved',
    ],
    [
      'escalates and is decided',
      async (app: TestApp, id: string) => {
        await pass(app, 10);
        await decide(app, id, 'rejected', 'lee');
      },
      ['asked', 'escalated', 'decided'],
      'rejected',
    ],
    ['expires', async (app: TestApp) => pass(app, 12), ['asked', 'escalated', 'expired'], 'expired'],
  ])('%s all the same, and each message is sent once', async (_, act, messages, state) => {
    const activities = await activitiesOf('approvals');
    for (const effect of ['not done', 'done'] as const) {
      for (let call = FIRST_STEP, reached = true; reached; call += EVERY_STEP) {
        const { app, storage } = await start({ time: START });
        const id = 'approval-k';
        const wasReached = interruptOnce(app, id, activities, { call, effect });
        await app.post('/api/approvals', short, { 'Idempotency-Key': 'k' });
        await act(app, id);
        await pass(app, 6);
        reached = wasReached();

        expect(await see(app, id)).toMatchObject({ state });
        expect((await storage.notifications()).map(({ key }) => key)).toEqual(
          messages.map((step) => `${id}-${step}`),
        );
        await app.stop();
      }
    }
  });
});

describe('reminders whose workflow is terminated once, at any step', () => {
  it('are all sent, each once', async () => {
    const activities = await activitiesOf('reminders');
    for (const effect of ['not done', 'done'] as const) {
      for (let call = FIRST_STEP, reached = true; reached; call += EVERY_STEP) {
        const { app, storage } = await start({ time: START });
        const id = 'reminders-k';
        const wasReached = interruptOnce(app, id, activities, { call, effect });
        await app.post('/api/reminders', { ...plants, count: 2 }, { 'Idempotency-Key': 'k' });
        await pass(app, 4);
        await app.skip({ hours: 24 });
        await pass(app, 4);
        reached = wasReached();

        expect(await see(app, id)).toMatchObject({ state: 'finished', sent: 2 });
        expect((await storage.notifications()).map(({ key }) => key)).toEqual([`${id}-0`, `${id}-1`]);
        await app.stop();
      }
    }
  });
});

describe('an instance', () => {
  it.each([
    ['terminated', terminate],
    [
      'purged after it failed',
      async (app: TestApp, id: string) => {
        await terminate(app, id);
        await app.quiet();
        expect((await app.request('DELETE', `/runtime/webhooks/durabletask/instances/${id}`)).status).toBe(
          200,
        );
      },
    ],
  ])('that is %s is there again once its record is due', async (_, end) => {
    const { app, storage } = await start({ time: START });
    const id = await create(app, '/api/approvals', { ...laptop, respondWithin: 'PT1H' });
    await app.quiet();
    await end(app, id);
    await app.skip({ minutes: 63 });
    await sweep(app);
    await app.skip({ seconds: 1 });
    expect(await see(app, id)).toMatchObject({ state: 'escalated' });
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Running' });
    expect(await keys(storage)).toEqual(['asked', 'escalated']);
  });

  it('of which the reminders are 46 days late sends them by the sweep', async () => {
    const { app, storage } = await start({ time: START });
    const id = await create(app, '/api/reminders', plants);
    await app.quiet();
    await terminate(app, id);
    await app.skip({ days: 46 });
    expect(await see(app, id)).toMatchObject({ state: 'active', sent: 1, next: '2030-01-02T00:00:00.000Z' });
    await sweep(app);
    await app.skip({ seconds: 1 });
    expect(await see(app, id)).toMatchObject({ state: 'finished', sent: 10 });
    expect(await keys(storage)).toEqual(Array.from({ length: 10 }, (_, number) => String(number)));
  });

  it('that was never started, without an idempotency key, is started', async () => {
    const { app, storage } = await start();
    const { requestApproval } = await import('../../src/approvals/endpoints.js');
    const { planReminders } = await import('../../src/reminders/endpoints.js');
    await killedAtTheHub(requestApproval, { body: JSON.stringify(laptop) }, storage);
    await killedAtTheHub(planReminders, { body: JSON.stringify(plants) }, storage);
    expect(await app.instances()).toEqual([]);
    await pass(app, 2);
    expect((await app.instances()).map(({ name }) => name)).toEqual([
      'ApprovalOrchestrator',
      'ReminderOrchestrator',
    ]);
    expect((await storage.notifications()).map(({ to }) => to).toSorted()).toEqual(['kim', 'pat']);
  });
});

describe('a deadline', () => {
  it('holds 29 days later, though no timer fired', async () => {
    const { app } = await start({ time: START });
    const id = await create(app, '/api/approvals', laptop);
    await app.quiet();
    await terminate(app, id);
    await app.skip({ days: 30 });
    const late = await decide(app, id, 'approved', 'kim');
    expect([late.status, await late.json()]).toMatchObject([409, { type: 'urn:problem:too-late' }]);
    expect(await see(app, id)).toMatchObject({ state: 'pending' });
  });

  it('holds for an acknowledgement too, but not for calling reminders off', async () => {
    const { app } = await start({ time: START });
    const id = await create(app, '/api/reminders', plants);
    await app.quiet();
    await terminate(app, id);
    await app.skip({ days: 46 });
    const late = await app.post(`/api/reminders/${id}/acknowledgement`);
    expect([late.status, await late.json()]).toMatchObject([409, { type: 'urn:problem:too-late' }]);
    expect((await app.delete(`/api/reminders/${id}`)).status).toBe(200);
  });
});

describe('parallel requests', () => {
  it.each([
    ['/api/approvals', laptop, 'approval-k'],
    ['/api/reminders', plants, 'reminders-k'],
    ['/api/orchestrators/ApprovalSimulation', {}, 'simulation-k'],
  ])('with one key to %s, while others GET, all get the truth', async (path, body, id) => {
    const { app } = await start();
    const look = id.startsWith('simulation') ? undefined : () => app.get(`${path}/${id}`);
    const post = (): Promise<Response> => app.post(path, body, { 'Idempotency-Key': 'k' });
    const posts = Array.from({ length: 15 }, post);
    // Once the first is answered there is a record, while the others are still under way.
    await Promise.race(posts);
    const later = Array.from({ length: 15 }, (_, n) => (n % 2 === 0 ? post() : (look?.() ?? post())));
    const answers = await Promise.all([...posts, ...later]);
    expect([...new Set(answers.map(({ status }) => status))].toSorted((one, other) => one - other)).toEqual(
      look === undefined ? [202] : [200, 202],
    );
    await app.quiet();
    expect(await app.instances()).toHaveLength(1);
  });
});

it('GET reads alone, and raises nothing', async () => {
  const between = await faultyStorage(await account(), ['Table', 'Queue']);
  onTestFinished(() => {
    between.stop();
  });
  const { app } = await start({ settings: { AppStorage: between.connection } });
  const approval = await create(app, '/api/approvals', laptop);
  const plan = await create(app, '/api/reminders', plants);
  await app.quiet();
  await decide(app, approval, 'approved', 'kim');
  await app.quiet();
  const histories = async (): Promise<number[]> =>
    Promise.all([approval, plan].map(async (id) => (await app.history(id)).length));
  const before = await histories();
  const methods = new Set<string>();
  between.fault = ({ method }) => {
    methods.add(method);
    return undefined;
  };
  await Promise.all(
    Array.from({ length: 50 }, (_, n) =>
      app.get([`/api/approvals/${approval}`, `/api/reminders/${plan}`, '/api/approvals'][n % 3]!),
    ),
  );
  await app.quiet();
  expect([...methods]).toEqual(['GET']);
  expect(await histories()).toEqual(before);
});

it('a sweep of all features is one request to storage when nothing is due', async () => {
  const between = await faultyStorage(await account());
  onTestFinished(() => {
    between.stop();
  });
  const { app } = await start({ settings: { AppStorage: between.connection } });
  const requests: string[] = [];
  between.fault = ({ method, path }) => {
    requests.push(`${method} ${path}`);
    return undefined;
  };
  await sweep(app);
  requests.length = 0;
  await sweep(app);
  expect(requests).toHaveLength(1);
});

describe('a sweep', () => {
  const job = z.object({ id: z.string(), due: z.string().optional() });
  type Job = z.infer<typeof job>;

  /** A feature on storage of its own, with sweeps at minutes after its records became due. */
  async function feature(goOn: Supervised['goOn']): Promise<{
    store: RecordStore<Job>;
    storage: AppStorage;
    sweepAt: (minute: number) => Promise<Swept>;
  }> {
    const connection = await account();
    vi.stubEnv('AppStorage', connection);
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const { recordStore } = await import('../../src/storage/index.js');
    const { dueEntries, sweep: sweepOnce } = await import('../../src/operations/sweep.js');
    const store = recordStore({ table: 'Jobs', schema: job, dueAt: ({ due }) => due });
    const supervised: Supervised = { name: 'jobs', records: store, goOn };
    const client = undefined as unknown as DurableClient;
    return {
      store,
      storage: new AppStorage(connection),
      sweepAt: async (minute) => {
        const at = moment.utc(START).add(minute, 'minutes');
        const due = await dueEntries([supervised], silent(), at);
        return sweepOnce(supervised, due(supervised), client, silent(), at);
      },
    };
  }

  it('looks at what is due for more than a minute, and at nothing else', async () => {
    const seen: string[] = [];
    const { store, sweepAt } = await feature(async (_client, id) => {
      seen.push(id);
    });
    await store.insert({ id: 'due', due: START });
    await store.insert({ id: 'later', due: moment.utc(START).add(1, 'hour').toISOString() });
    await store.insert({ id: 'final' });
    expect(await sweepAt(1)).toMatchObject({ continued: 0 });
    expect(await sweepAt(2)).toMatchObject({ continued: 1, outdated: 0, failed: 0 });
    expect(seen).toEqual(['due']);
  });

  it('keeps the entries of a feature that this version does not have, and logs them once', async () => {
    const { store, storage, sweepAt } = await feature(async () => {});
    const { putDue } = await import('../../src/storage/index.js');
    const warn = vi.spyOn(InvocationContext.prototype, 'warn').mockImplementation(() => {});
    onTestFinished(() => {
      warn.mockRestore();
    });
    await putDue({ kind: 'Gone', id: 'of-another-version', due: START }, [], moment.utc(START));
    await store.insert({ id: 'job-1', due: START });
    for (const minute of [2, 3]) expect(await sweepAt(minute)).toMatchObject({ continued: 1 });
    expect((await storage.dueEntries()).filter((key) => key.includes('!Gone!'))).toHaveLength(1);
    expect(warn.mock.calls).toMatchObject([[expect.any(String), 'Gone']]);
  });

  it('goes on with the others when one record fails', async () => {
    const seen: string[] = [];
    const { store, sweepAt } = await feature(async (_client, id) => {
      if (id === 'job-03') throw new Error('This one is broken');
      seen.push(id);
    });
    const ids = Array.from({ length: 12 }, (_, n) => `job-${String(n).padStart(2, '0')}`);
    for (const id of ids) await store.insert({ id, due: START });
    expect(await sweepAt(2)).toMatchObject({ continued: 11, failed: 1 });
    expect(seen.toSorted()).toEqual(ids.filter((id) => id !== 'job-03'));
  });

  it('tries a record that stays due after longer and longer, and sends the operator one message', async () => {
    vi.stubEnv('OPERATOR', 'olga');
    const attempts: number[] = [];
    let minute = 0;
    const { store, storage, sweepAt } = await feature(async () => {
      attempts.push(minute);
    });
    await store.insert({ id: 'job-1', due: START });
    for (minute = 1; minute <= 100; minute += 1) await sweepAt(minute);
    expect(attempts).toEqual([2, 3, 5, 9, 17, 32, 47, 62, 77, 92]);
    expect(await storage.notifications()).toMatchObject([
      { to: 'olga', subject: 'Overdue: job-1', about: '/api/jobs/job-1' },
    ]);
  });

  it('sends the operator a message at once about what must not be started again', async () => {
    const { store, storage, sweepAt } = await feature(async () => 'Somebody has deleted its rows.');
    await store.insert({ id: 'job-1', due: START });
    for (const minute of [2, 4, 7]) await sweepAt(minute);
    const messages = await storage.notifications();
    expect(messages).toHaveLength(1);
    expect(messages[0]).toMatchObject({ to: 'operator', text: expect.stringContaining('deleted') as string });
  });

  it('forgets a record that went on by itself', async () => {
    const { store, storage, sweepAt } = await feature(async () => {});
    await store.insert({ id: 'job-1', due: START });
    await sweepAt(2);
    await store.change('job-1', ({ id }) => ({ id }));
    expect(await sweepAt(200)).toMatchObject({ continued: 0, outdated: 1 });
    expect(await storage.dueEntries()).toEqual([]);
  });
});
