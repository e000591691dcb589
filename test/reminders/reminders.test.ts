import { describe, expect, it } from 'vitest';
import type { TestApp } from '../../emulator/src/testing.js';
import { startApp } from '../support/app.js';
import { killedAtTheHub, silent } from '../support/request.js';

const START = '2030-01-01T00:00:00.000Z';
const plan = { to: 'pat', message: 'Water the plants' };

interface Seen {
  id: string;
  state: string;
  sent?: number;
  next?: string;
}

async function remind(app: TestApp, changes: object = {}): Promise<string> {
  const response = await app.post('/api/reminders', { ...plan, ...changes });
  expect(response.status).toBe(202);
  await app.quiet();
  return ((await response.json()) as Seen).id;
}

async function see(app: TestApp, id: string): Promise<Seen> {
  return (await (await app.get(`/api/reminders/${id}`)).json()) as Seen;
}

function daysSent(app: TestApp): number[] {
  return app.calls('SendReminder').map(({ at }) => (at.getTime() - Date.parse(START)) / 86_400_000);
}

describe('reminders', () => {
  it('come in growing gaps over 45 days, each queued once', async () => {
    const { app, storage } = await startApp({ time: START });
    const id = await remind(app);
    expect(await see(app, id)).toMatchObject({
      ...plan,
      count: 10,
      gaps: 'growing',
      state: 'active',
      sent: 1,
      next: '2030-01-02T00:00:00.000Z',
    });

    await app.skip({ days: 46 });
    expect(daysSent(app)).toEqual([0, 1, 3, 6, 10, 15, 21, 28, 36, 45]);
    expect(await app.instance(id)).toMatchObject({
      runtimeStatus: 'Completed',
      output: { sent: 10, state: 'finished' },
      customStatus: { sent: 10 },
    });
    const seen = await see(app, id);
    expect(seen).toMatchObject({ state: 'finished', sent: 10 });
    expect(seen.next).toBeUndefined();

    const notifications = await storage.notifications();
    expect(notifications.map(({ key }) => key)).toEqual(
      Array.from({ length: 10 }, (_, number) => `${id}-${number}`),
    );
    expect(notifications[9]).toEqual({
      to: 'pat',
      subject: 'Reminder 10 of 10',
      text: 'Water the plants',
      about: `/api/reminders/${id}`,
      key: `${id}-9`,
    });
  });

  it('may come daily', async () => {
    const { app } = await startApp({ time: START });
    await remind(app, { gaps: 'daily', count: 4 });
    await app.skip('idle');
    expect(daysSent(app)).toEqual([0, 1, 2, 3]);
  });

  it('of a large number continue as new, and neither repeat nor leave out one', async () => {
    const { app } = await startApp({ time: START });
    const id = await remind(app, { gaps: 'daily', count: 100 });
    await app.skip('idle');
    expect(daysSent(app)).toEqual(Array.from({ length: 100 }, (_, day) => day));
    expect(await see(app, id)).toMatchObject({ state: 'finished', sent: 100 });
    expect((await app.history(id)).length).toBeLessThan(300);
  });

  it('say when the next one comes', async () => {
    const { app } = await startApp({ time: START });
    const id = await remind(app);
    await app.skip({ days: 4 });
    expect(await see(app, id)).toMatchObject({ sent: 3, next: '2030-01-07T00:00:00.000Z' });
  });
});

describe('the end of reminders', () => {
  it.each([
    ['acknowledged', (app: TestApp, id: string) => app.post(`/api/reminders/${id}/acknowledgement`)],
    ['cancelled', (app: TestApp, id: string) => app.delete(`/api/reminders/${id}`)],
  ])('comes at once when they are %s, and only once', async (state, end) => {
    const { app } = await startApp({ time: START });
    const id = await remind(app);
    await app.skip({ days: 4 });
    const response = await end(app, id);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ id, state, endedAt: '2030-01-05T00:00:00.000Z' });
    await app.quiet();
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Completed', output: { sent: 3, state } });
    expect(await see(app, id)).toMatchObject({ state, sent: 3 });

    const again = await end(app, id);
    expect([again.status, await again.json()]).toMatchObject([
      200,
      { state, endedAt: '2030-01-05T00:00:00.000Z' },
    ]);
    await app.skip('idle');
    expect(app.calls('SendReminder')).toHaveLength(3);
  });

  it('that comes while one is being sent is not missed', async () => {
    const { app } = await startApp({ time: START });
    const { sendReminder } = await import('../../src/reminders/activities.js');
    const id = await remind(app);
    app.replace('SendReminder', async (input: { id: string }) => {
      const state = await sendReminder.handler(input, silent());
      await app.post(`/api/reminders/${id}/acknowledgement`);
      return state;
    });
    await app.skip({ days: 1 });
    expect(await app.instance(id)).toMatchObject({
      runtimeStatus: 'Completed',
      output: { sent: 2, state: 'acknowledged' },
    });
  });

  it('needs a record: an event alone ends nothing', async () => {
    const { app } = await startApp({ time: START });
    const id = await remind(app);
    await app.raise(id, 'Ended');
    await app.skip({ days: 1 });
    expect(await see(app, id)).toMatchObject({ state: 'active', sent: 2 });
  });

  it('is followed even if the host was killed before it raised the event: no more are sent', async () => {
    const { app, storage } = await startApp({ time: START });
    const { acknowledgeReminders } = await import('../../src/reminders/endpoints.js');
    const id = await remind(app);
    await killedAtTheHub(acknowledgeReminders, { params: { id } }, storage);
    await app.skip('idle');
    expect(await app.instance(id)).toMatchObject({
      runtimeStatus: 'Completed',
      output: { sent: 1, state: 'acknowledged' },
    });
    expect(await storage.notifications()).toHaveLength(1);
  });
});

describe('a request for reminders', () => {
  it('whose workflow was not started has it started by the sweep', async () => {
    const { app, storage } = await startApp({ sweep: true });
    const { planReminders } = await import('../../src/reminders/endpoints.js');
    await killedAtTheHub(
      planReminders,
      { headers: { 'Idempotency-Key': 'k' }, body: JSON.stringify(plan) },
      storage,
    );
    expect(await app.instances()).toEqual([]);
    await app.skip({ minutes: 3 });
    expect(await see(app, 'reminders-k')).toMatchObject({ sent: 1 });
  });

  it('is the same again with the same idempotency key, and 422 when it is another', async () => {
    const { app } = await startApp();
    const keyed = (changes: object): Promise<Response> =>
      app.post('/api/reminders', { ...plan, ...changes }, { 'Idempotency-Key': 'k' });
    const [one, two] = [await keyed({}), await keyed({ count: 10 })];
    expect([one.status, two.status]).toEqual([202, 202]);
    expect(await two.json()).toEqual(await one.json());
    expect((await keyed({ count: 9 })).status).toBe(422);
    await app.quiet();
    expect(app.calls('SendReminder')).toHaveLength(1);
  });

  it.each([
    ['to', { to: undefined }],
    ['message', { message: '' }],
    ['message', { message: 'x'.repeat(8193) }],
    ['count', { count: 0 }],
    ['count', { count: 101 }],
    ['count', { count: 1.5 }],
    ['count', { count: '3' }],
    ['gaps', { gaps: 'weekly' }],
    ['every', { every: 'day' }],
  ])('with a wrong %s is 400 and says so: %j', async (field, changes) => {
    const { app } = await startApp();
    const response = await app.post('/api/reminders', { ...plan, ...changes });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ errors: [{ field }] });
  });

  it('for unknown ones is 404', async () => {
    const { app } = await startApp();
    const path = '/api/reminders/reminders-0';
    const answers = [
      await app.get(path),
      await app.delete(path),
      await app.post(`${path}/acknowledgement`),
      await app.get('/api/reminders/%00'),
    ];
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
  });
});
