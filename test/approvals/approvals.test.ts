import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { TestApp } from '../../emulator/src/testing.js';
import { startApp } from '../support/app.js';
import { killedAtTheHub, silent } from '../support/request.js';

const laptop = {
  subject: 'A new laptop',
  requestedBy: 'ana',
  approver: 'kim',
  escalateTo: 'lee',
  details: 'The old one burns.',
};

/** As much of an approval as is looked at here. */
interface Seen {
  id: string;
  state: string;
  waitsFor?: string;
  respondBy: string;
  expiresAt: string;
  decidedBy?: string;
  comment?: string;
  history: { at: string; what: string; who: string }[];
}

async function ask(app: TestApp, changes: object = {}): Promise<string> {
  const response = await app.post('/api/approvals', { ...laptop, ...changes });
  expect(response.status).toBe(202);
  await app.quiet();
  return ((await response.json()) as Seen).id;
}

async function see(app: TestApp, id: string): Promise<Seen> {
  return (await app.get(`/api/approvals/${id}`)).json() as Promise<Seen>;
}

const decide = (
  app: TestApp,
  id: string,
  decision: string,
  by: string,
  comment?: string,
): Promise<Response> => app.post(`/api/approvals/${id}/decision`, { decision, by, comment });

const keyed = (app: TestApp, key: string, changes = {}): Promise<Response> =>
  app.post('/api/approvals', { ...laptop, ...changes }, { 'Idempotency-Key': key });

const list = async (app: TestApp, query: string): Promise<{ value: Seen[]; nextLink?: string }> =>
  (await app.get(`/api/approvals?${query}`)).json() as Promise<{ value: Seen[]; nextLink?: string }>;

const principal = (name: string): Record<string, string> => ({
  'x-ms-client-principal': Buffer.from(JSON.stringify({ userDetails: name })).toString('base64'),
});

describe('an approval', () => {
  it('exists before it is answered, and says where it is', async () => {
    const { app } = await startApp({ time: '2030-01-01T00:00:00Z' });
    const response = await app.post('/api/approvals', laptop);
    expect(response.status).toBe(202);
    const location = response.headers.get('location')!;
    await app.quiet();
    expect(location).toMatch(/^\/api\/approvals\/[\w-]+$/);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await (await app.get(location)).json()).toMatchObject({
      ...laptop,
      state: 'pending',
      waitsFor: 'kim',
      respondBy: '2030-01-02T00:00:00.000Z',
      expiresAt: '2030-01-03T00:00:00.000Z',
      history: [
        { at: '2030-01-01T00:00:00.000Z', what: 'requested', who: 'ana' },
        { what: 'asked', who: 'kim' },
      ],
    });
  });

  it.each([
    ['approved', 'Approved'],
    ['rejected', 'Rejected'],
  ])('that is %s goes to Approval with %s', async (decision, outcome) => {
    const { app, storage } = await startApp();
    const id = await ask(app);
    await app.skip({ hours: 3 });
    const response = await decide(app, id, decision, 'kim', 'As you wish.');
    expect(response.status).toBe(200);
    await app.quiet();

    expect(app.calls('Approval').map(({ input }) => input)).toEqual([{ id, outcome }]);
    expect(app.calls('Escalation')).toEqual([]);
    // The step that carries the decision out reads it, too.
    expect(app.calls('ReadStanding')).toEqual([]);
    expect(await app.instance(id)).toMatchObject({
      runtimeStatus: 'Completed',
      output: `${outcome}: A new laptop`,
    });
    const seen = await see(app, id);
    expect(seen).toMatchObject({ state: decision, decidedBy: 'kim', comment: 'As you wish.' });
    expect(seen.history.map(({ what, who }) => [what, who])).toEqual([
      ['requested', 'ana'],
      ['asked', 'kim'],
      [decision, 'kim'],
      ['reported', 'ana'],
    ]);
    expect(await storage.notifications()).toMatchObject([
      { to: 'kim' },
      { to: 'ana', text: 'kim has decided.\n\nAs you wish.\n\nThe old one burns.' },
    ]);
  });

  it('escalates when the approver does not answer, and then waits for nobody else', async () => {
    const { app } = await startApp({ time: '2030-01-01T00:00:00Z' });
    const id = await ask(app, { respondWithin: 'PT2H', escalateWithin: 'PT3H' });
    await app.skip({ hours: 2, minutes: 1 });
    expect(await see(app, id)).toMatchObject({
      state: 'escalated',
      waitsFor: 'lee',
      expiresAt: '2030-01-01T05:00:00.000Z',
    });

    expect((await decide(app, id, 'approved', 'kim')).status).toBe(403);
    expect((await decide(app, id, 'approved', 'lee')).status).toBe(200);
    await app.quiet();
    expect(await app.instance(id)).toMatchObject({
      runtimeStatus: 'Completed',
      output: 'Approved: A new laptop',
    });
  });

  it('expires when nobody answers', async () => {
    const { app, storage } = await startApp();
    const id = await ask(app);
    await app.skip({ hours: 49 });
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Completed', output: 'Expired' });
    expect(await see(app, id)).toMatchObject({ state: 'expired' });
    expect((await see(app, id)).waitsFor).toBeUndefined();
    expect((await decide(app, id, 'approved', 'lee')).status).toBe(409);
    expect(app.calls('Approval')).toEqual([]);
    expect((await storage.notifications()).map(({ to, key, about }) => [to, key, about])).toEqual([
      ['kim', `${id}-asked`, `/api/approvals/${id}`],
      ['lee', `${id}-escalated`, `/api/approvals/${id}`],
      ['ana', `${id}-expired`, `/api/approvals/${id}`],
    ]);
  });

  it('with a week to decide is sent to the approver a second time, a day before it escalates', async () => {
    const { app, storage } = await startApp({ time: '2030-01-01T00:00:00Z' });
    const id = await ask(app, { respondWithin: 'P7D' });
    await app.skip({ days: 5 });
    await app.raise(id, 'Decided');
    await app.skip({ days: 3 });
    const seen = await see(app, id);
    expect(seen.history.map(({ at, what, who }) => [at.slice(0, 10), what, who])).toEqual([
      ['2030-01-01', 'requested', 'ana'],
      ['2030-01-01', 'asked', 'kim'],
      ['2030-01-07', 'reminded', 'kim'],
      ['2030-01-07', 'asked', 'kim'],
      ['2030-01-08', 'escalated', 'lee'],
      ['2030-01-08', 'asked', 'lee'],
      ['2030-01-09', 'expired', 'lee'],
      ['2030-01-09', 'reported', 'ana'],
    ]);
    expect(await storage.notifications()).toMatchObject([
      { to: 'kim', subject: 'Please decide: A new laptop', key: `${id}-asked` },
      { to: 'kim', subject: 'Still to decide: A new laptop', key: `${id}-reminded` },
      { to: 'lee', key: `${id}-escalated` },
      { to: 'ana', key: `${id}-expired` },
    ]);
  });

  it('with a week to decide that was decided is not sent a second time', async () => {
    const { app } = await startApp();
    const id = await ask(app, { respondWithin: 'P7D' });
    await app.skip({ days: 5 });
    await decide(app, id, 'approved', 'kim');
    await app.skip('idle');
    expect(app.calls('RemindApprover')).toEqual([]);
    expect(await app.instance(id)).toMatchObject({
      runtimeStatus: 'Completed',
      output: 'Approved: A new laptop',
    });
  });

  it('may wait for 90 days, and half of that again', async () => {
    const { app } = await startApp();
    const id = await ask(app, { respondWithin: 'P90D', escalateWithin: 'P45D' });
    await app.skip({ days: 89 });
    expect(await see(app, id)).toMatchObject({ state: 'pending' });
    await app.skip({ days: 2 });
    expect(await see(app, id)).toMatchObject({ state: 'escalated' });
    await app.skip('idle');
    expect(await see(app, id)).toMatchObject({ state: 'expired' });
  });
});

describe('a decision', () => {
  it('is one of many made at once, and every caller is told the truth', async () => {
    const { app } = await startApp();
    const id = await ask(app);
    const decisions = ['approved', 'rejected', 'approved', 'rejected', 'approved', 'rejected'];
    const answers = await Promise.all(decisions.map((decision) => decide(app, id, decision, 'kim')));
    await app.quiet();
    const statuses = answers.map(({ status }) => status);
    // Those who wanted what was decided repeat it, and the others are refused.
    const { state } = await see(app, id);
    expect(['approved', 'rejected']).toContain(state);
    expect(statuses).toEqual(decisions.map((decision) => (decision === state ? 200 : 409)));
    expect((await see(app, id)).history.filter(({ what }) => what === state)).toHaveLength(1);
    expect(app.calls('Approval')).toHaveLength(1);
  });

  it('and a deadline at once have one winner, which all follow', async () => {
    const { app } = await startApp();
    const ids = await Promise.all(Array.from({ length: 8 }, () => ask(app, { respondWithin: 'PT1H' })));
    const [, ...answers] = await Promise.all([
      app.skip({ hours: 1 }),
      ...ids.map((id) => decide(app, id, 'approved', 'kim')),
    ]);
    await app.quiet();
    for (const [index, id] of ids.entries()) {
      const { state } = await see(app, id);
      expect([answers[index]!.status, state]).toEqual(
        answers[index]!.status === 200
          ? [200, 'approved']
          : [answers[index]!.status === 409 ? 409 : 403, 'escalated'],
      );
    }
  });

  it('that comes when the deadline has been reached, but before the escalation, is too late', async () => {
    const { app } = await startApp();
    const { escalation } = await import('../../src/approvals/activities.js');
    const id = await ask(app);
    const answers: Response[] = [];
    app.replace('Escalation', async (input: { id: string }) => {
      answers.push(await decide(app, id, 'approved', 'kim'));
      return escalation.handler(input, silent());
    });
    await app.skip({ hours: 25 });
    expect(answers.map(({ status }) => status)).toEqual([409]);
    expect(await answers[0]!.json()).toMatchObject({ type: 'urn:problem:too-late' });
    expect(await see(app, id)).toMatchObject({ state: 'escalated', waitsFor: 'lee' });
  });

  it('by whom it escalated to, made while the workflow is still at its escalation, wakes it at once', async () => {
    const { app } = await startApp();
    const { escalation } = await import('../../src/approvals/activities.js');
    const id = await ask(app);
    app.replace('Escalation', async (input: { id: string }) => {
      const standing = await escalation.handler(input, silent());
      expect((await decide(app, id, 'rejected', 'lee')).status).toBe(200);
      return standing;
    });
    await app.skip({ hours: 24 });
    expect(await app.instance(id)).toMatchObject({
      runtimeStatus: 'Completed',
      output: 'Rejected: A new laptop',
    });
  });

  it('needs a record: an event alone decides nothing', async () => {
    const { app } = await startApp();
    const id = await ask(app);
    await app.raise(id, 'Decided', { decision: 'approved', by: 'kim' });
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Running' });
    // What the app itself sends once a decision is recorded.
    for (const outcome of ['Approved', 'Rejected', 'Withdrawn']) await app.raise(id, 'Decided', outcome);
    await app.quiet();
    expect(await see(app, id)).toMatchObject({ state: 'pending', history: [{}, { what: 'asked' }] });
    await decide(app, id, 'approved', 'kim');
    await app.quiet();
    expect(await app.instance(id)).toMatchObject({
      runtimeStatus: 'Completed',
      output: 'Approved: A new laptop',
    });
  });

  it('is for whom the approval waits for', async () => {
    const { app } = await startApp();
    const id = await ask(app);
    const response = await decide(app, id, 'approved', 'lee');
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({
      type: 'urn:problem:forbidden',
      detail: 'The approval waits for kim.',
    });
    expect(await see(app, id)).toMatchObject({ state: 'pending' });
  });

  const decideAs = (app: TestApp, id: string, name: string, by?: string): Promise<Response> =>
    app.post(`/api/approvals/${id}/decision`, { decision: 'approved', by }, principal(name));

  it('is made by whom the platform has signed in, whatever the body says', async () => {
    const { app } = await startApp({ settings: { WEBSITE_AUTH_ENABLED: 'True' } });
    const id = await ask(app);
    expect((await decideAs(app, id, 'mallory', 'kim')).status).toBe(403);
    expect((await decideAs(app, id, 'kim')).status).toBe(200);
    expect(await see(app, id)).toMatchObject({ decidedBy: 'kim' });
  });

  it('is made by nobody whom a header names where the platform signs nobody in', async () => {
    const { app } = await startApp();
    const id = await ask(app);
    expect((await decideAs(app, id, 'kim')).status).toBe(400);
    expect((await decideAs(app, id, 'kim', 'mallory')).status).toBe(403);
    expect(await see(app, id)).toMatchObject({ state: 'pending' });
  });

  it('on a request of one’s own can be a rejection, and no approval', async () => {
    const { app } = await startApp();
    const id = await ask(app, { requestedBy: 'Kim@contoso.com', approver: 'kim@contoso.com' });
    const refused = await decide(app, id, 'approved', 'KIM@contoso.com');
    expect([refused.status, await refused.json()]).toMatchObject([
      403,
      { title: 'Nobody approves a request of their own' },
    ]);
    expect((await decide(app, id, 'rejected', 'kim@contoso.com')).status).toBe(200);
  });

  it('is for a person also if the request spells the same address in two ways', async () => {
    const { app } = await startApp();
    const id = await ask(app, { approver: 'Kim@contoso.com', escalateTo: 'kim@contoso.com' });
    await app.skip({ days: 1, seconds: 1 });
    expect(await see(app, id)).toMatchObject({ state: 'escalated' });
    expect((await decide(app, id, 'approved', 'kim@contoso.com')).status).toBe(200);
    expect((await decide(app, id, 'approved', 'KIM@contoso.com')).status).toBe(200);
  });

  it('about an unknown approval is 404', async () => {
    const { app } = await startApp();
    for (const id of [
      'approval-0',
      'reminders-0',
      '%00',
      '%2F..%2F',
      "'",
      'x'.repeat(2000),
      '%F0%9F%98%80',
    ]) {
      const answers = [await decide(app, id, 'approved', 'kim'), await app.get(`/api/approvals/${id}`)];
      expect([id, ...answers.map(({ status }) => status)]).toEqual([id, 404, 404]);
    }
  });
});

describe('a host that is killed', () => {
  it('between the record of a decision and its event leaves it to its repeat, or to the sweep', async () => {
    for (const next of [
      (app: TestApp) => app.skip({ minutes: 3 }),
      (app: TestApp, id: string) => decide(app, id, 'approved', 'kim'),
    ]) {
      const { app, storage } = await startApp({ sweep: true });
      const { decideApproval } = await import('../../src/approvals/endpoints.js');
      const id = await ask(app);
      await killedAtTheHub(
        decideApproval,
        { params: { id }, body: '{"decision":"approved","by":"kim"}' },
        storage,
      );
      await app.quiet();
      expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Running' });

      await next(app, id);
      await app.quiet();
      expect(await app.instance(id)).toMatchObject({
        runtimeStatus: 'Completed',
        output: 'Approved: A new laptop',
      });
    }
  });

  it('between the record of a decision and its event leaves nothing waiting when the time is up', async () => {
    const { app, storage } = await startApp();
    const { decideApproval } = await import('../../src/approvals/endpoints.js');
    const id = await ask(app);
    await killedAtTheHub(
      decideApproval,
      { params: { id }, body: '{"decision":"approved","by":"kim"}' },
      storage,
    );
    await app.skip({ hours: 24 });
    expect(await app.instance(id)).toMatchObject({
      runtimeStatus: 'Completed',
      output: 'Approved: A new laptop',
    });
    expect((await storage.notifications()).map(({ to }) => to)).toEqual(['kim', 'ana']);
  });

  it('between the record of an approval and the start of its workflow leaves it to the next request, or to the sweep', async () => {
    const repeat = { headers: { 'Idempotency-Key': 'k' }, body: JSON.stringify(laptop) };
    for (const next of [
      (app: TestApp) => app.skip({ minutes: 3 }),
      (app: TestApp) => app.request('POST', '/api/approvals', repeat),
      (app: TestApp) => decide(app, 'approval-k', 'approved', 'kim'),
    ]) {
      const { app, storage } = await startApp({ sweep: true });
      const { requestApproval } = await import('../../src/approvals/endpoints.js');
      await killedAtTheHub(requestApproval, repeat, storage);
      expect(await app.instances()).toEqual([]);

      await next(app);
      await app.quiet();
      expect(await app.instances()).toHaveLength(1);
      await decide(app, 'approval-k', 'approved', 'kim');
      await app.quiet();
      expect(await app.instance('approval-k')).toMatchObject({
        runtimeStatus: 'Completed',
        output: 'Approved: A new laptop',
      });
    }
  });
});

describe('an activity that runs twice', () => {
  it('changes nothing the second time, also after the workflow has ended', async () => {
    const { app, storage } = await startApp();
    const activities = await import('../../src/approvals/activities.js');
    const id = await ask(app);
    await app.skip({ hours: 24 });
    await decide(app, id, 'approved', 'lee');
    await app.quiet();
    const [seen, keys] = [await see(app, id), (await storage.notifications()).map(({ key }) => key)];

    vi.stubEnv('AppStorage', storage.connectionString);
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    for (const { handler } of [activities.askApprover, activities.escalation, activities.expiry]) {
      expect(await handler({ id }, silent())).toMatchObject({ state: 'approved' });
    }
    await activities.carryOut.handler({ id, outcome: 'Approved' }, silent());
    expect(await see(app, id)).toEqual(seen);
    expect(new Set((await storage.notifications()).map(({ key }) => key))).toEqual(new Set(keys));
  });
});

describe('an idempotency key', () => {
  it('makes a repeated request the same approval, also at once and after it is over', async () => {
    const { app } = await startApp();
    const answers = await Promise.all(Array.from({ length: 4 }, () => keyed(app, 'a/b#?%')));
    await app.skip('idle');
    answers.push(await keyed(app, 'a/b#?%'));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202]);
    expect(new Set(answers.map(({ headers }) => headers.get('location'))).size).toBe(1);
    await app.quiet();
    expect(app.calls('Expiry')).toHaveLength(1);
    expect(await app.instances()).toHaveLength(1);
  });

  it('of another request is 422', async () => {
    const { app } = await startApp();
    await keyed(app, 'k');
    const response = await keyed(app, 'k', { subject: 'Two laptops' });
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ type: 'urn:problem:key-reused' });
  });

  it('tells upper from lower case', async () => {
    const { app } = await startApp();
    const [one, other] = [await keyed(app, 'k'), await keyed(app, 'K')];
    expect(one.headers.get('location')).not.toBe(other.headers.get('location'));
  });
});

describe('a request for an approval', () => {
  it.each([
    ['subject', { subject: undefined }],
    ['subject', { subject: 'x'.repeat(201) }],
    ['subject', { subject: 5 }],
    ['subject', { subject: 'a\nb' }],
    ['requestedBy', { requestedBy: undefined }],
    ['approver', { approver: '' }],
    ['escalateTo', { escalateTo: null }],
    ['details', { details: 'é'.repeat(4097) }],
    ['details', { details: 'nul \0' }],
    ['respondWithin', { respondWithin: 'PT0.5S' }],
    ['respondWithin', { respondWithin: 'P91D' }],
    ['respondWithin', { respondWithin: 'a day' }],
    ['escalateWithin', { escalateWithin: 3600 }],
    ['escaladeTo', { escaladeTo: 'lee' }],
  ])('with a wrong %s is 400 and says so: %j', async (field, changes) => {
    const { app } = await startApp();
    const response = await app.post('/api/approvals', { ...laptop, ...changes });
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    const problem = (await response.json()) as { errors: { field: string; message: string }[] };
    expect(problem.errors.map((error) => error.field)).toEqual([field]);
    expect(problem.errors[0]!.message).not.toBe('');
    expect(await app.instances()).toEqual([]);
  });

  it('may use its limits to the full', async () => {
    const { app } = await startApp();
    const id = await ask(app, {
      subject: '😀'.repeat(100),
      details: 'é\n'.repeat(2730),
      approver: `k'"<>&%/\\#?`.padEnd(100, 'é'),
      respondWithin: 'PT1S',
    });
    expect(await see(app, id)).toMatchObject({ state: 'pending', subject: '😀'.repeat(100) });
  });
});

describe('the list of approvals', () => {
  it('is of a state, of an approver, of both or of neither', async () => {
    const { app } = await startApp();
    const short = { respondWithin: 'PT1H' };
    const [kims, escalated, lees] = [
      await ask(app),
      await ask(app, short),
      await ask(app, { approver: 'lee' }),
    ];
    await app.skip({ hours: 2 });
    const ids = async (query: string): Promise<string[]> =>
      (await list(app, query)).value.map(({ id }) => id).toSorted();
    expect(await ids('')).toEqual([kims, escalated, lees].toSorted());
    expect(await ids('state=&approver=')).toEqual([kims, escalated, lees].toSorted());
    expect(await ids('state=pending')).toEqual([kims, lees].toSorted());
    expect(await ids('approver=kim')).toEqual([kims, escalated].toSorted());
    expect(await ids('approver=lee')).toEqual([escalated, lees].toSorted());
    expect(await ids('approver=lee&state=escalated')).toEqual([escalated]);
    expect(await ids('approver=nobody')).toEqual([]);
  });

  it('comes in pages, each of which knows the next', async () => {
    const { app } = await startApp();
    const ids = await Promise.all(Array.from({ length: 5 }, () => ask(app, { approver: "kim & 'co'" })));
    const seen: string[][] = [];
    let next: string | undefined = `/api/approvals?top=2&approver=${encodeURIComponent("kim & 'co'")}`;
    while (next !== undefined) {
      const page = (await (await app.get(next)).json()) as { value: Seen[]; nextLink?: string };
      seen.push(page.value.map(({ id }) => id));
      next = page.nextLink;
    }
    expect(seen.map((page) => page.length)).toEqual([2, 2, 1]);
    expect(seen.flat()).toEqual(ids.toSorted());
  });

  it('is of a person for whom they wait, the earliest deadline first, and of their requests, the latest first', async () => {
    const { app } = await startApp({ time: '2030-01-01T00:00:00Z' });
    const ids: string[] = [];
    for (const hours of [3, 1, 2]) {
      ids.push(await ask(app, { approver: 'Kim@contoso.com', respondWithin: `PT${hours}H` }));
      await app.skip({ seconds: 1 });
    }
    const [last, first, second] = ids as [string, string, string];
    const pages = async (query: string): Promise<string[][]> => {
      const seen: string[][] = [];
      let next: string | undefined = `/api/approvals?top=2&${query}`;
      while (next !== undefined) {
        const page = (await (await app.get(next)).json()) as { value: Seen[]; nextLink?: string };
        seen.push(page.value.map(({ id }) => id));
        next = page.nextLink;
      }
      return seen;
    };
    expect(await pages('waitsFor=kim%40contoso.com')).toEqual([[first, second], [last]]);
    expect(await pages('requestedBy=ana')).toEqual([[second, first], [last]]);
    await decide(app, second, 'approved', 'kim@contoso.com');
    await app.skip({ hours: 1 });
    expect(await pages('waitsFor=kim%40contoso.com')).toEqual([[last]]);
    expect(await pages('waitsFor=lee')).toEqual([[first]]);
    await app.skip({ days: 2 });
    expect(await pages('waitsFor=lee')).toEqual([[]]);
    expect((await app.get('/api/approvals?waitsFor=lee&state=pending')).status).toBe(400);
  });

  it('is one’s own where the platform signs people in, and so is each approval', async () => {
    const { app } = await startApp({ settings: { WEBSITE_AUTH_ENABLED: 'True' } });
    const id = await ask(app);
    const as = async (name: string, path: string): Promise<number> =>
      (await app.get(`/api/approvals${path}`, principal(name))).status;
    expect([
      await as('mallory', '?waitsFor=kim'),
      await as('mallory', ''),
      await as('mallory', `/${id}`),
    ]).toEqual([403, 403, 403]);
    // Nor may a person do what operators do, whatever key the browser has.
    for (const path of [
      '/api/notifications/undelivered',
      '/api/operations/instances',
      `/api/operations/instances/${id}`,
    ]) {
      expect([path, (await app.get(path, principal('kim'))).status]).toEqual([path, 403]);
      expect([path, (await app.get(path)).status]).toEqual([path, 200]);
    }
    expect([await as('kim', '?waitsFor=kim'), await as('kim', `/${id}`), await as('ana', `/${id}`)]).toEqual([
      200, 200, 200,
    ]);
  });

  it.each([
    'state=open',
    'top=0',
    'top=101',
    'top=many',
    'continuation=%27%20or%201%20eq%201',
    'approver=%00',
    `approver=${'x'.repeat(101)}`,
  ])('cannot be asked for with %s', async (query) => {
    const { app } = await startApp();
    const response = await app.get(`/api/approvals?${query}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ errors: [{ field: query.split('=')[0] }] });
  });
});
