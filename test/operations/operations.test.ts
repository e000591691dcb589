/** What operators and monitors see of the app, and what they do with its instances. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { InvocationContext } from '@azure/functions';
import { QueueClient } from '@azure/storage-queue';
import type { DurableClient } from 'durable-functions';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { TestApp } from '../../emulator/src/testing.js';
import { faultyStorage } from '../../emulator/test/support/faulty-storage.js';
import { layout } from '../../web/timeline/layout.js';
import { withProblems } from '../../src/http/index.js';
import { startApp } from '../support/app.js';
import { account } from '../support/azurite.js';
import { request as requestWith } from '../support/request.js';

const laptop = { subject: 'A new laptop', requestedBy: 'ana', approver: 'kim', escalateTo: 'lee' };
const INSTANCES = '/api/operations/instances';

interface Instance {
  id: string;
  workflow: string;
  status: string;
  createdAt: string;
  updatedAt: string;
  customStatus: unknown;
  input?: unknown;
  output?: unknown;
  history?: { EventType: string; Timestamp: string }[];
}

interface Listed {
  value: Instance[];
  continuation?: string;
}

const json = async <Body>(answer: Response | Promise<Response>): Promise<Body> =>
  (await (await answer).json()) as Body;
const list = (app: TestApp, query = ''): Promise<Listed> => json(app.get(`${INSTANCES}${query}`));
const see = (app: TestApp, id: string, query = ''): Promise<Instance> =>
  json(app.get(`${INSTANCES}/${id}${query}`));
const act = (app: TestApp, id: string, action: string, body?: object): Promise<Response> =>
  app.post(`${INSTANCES}/${id}/${action}`, body);

/** Requests an approval. @returns the id of its instance */
async function approval(app: TestApp, key: string, more: object = {}): Promise<string> {
  const { status } = await app.post('/api/approvals', { ...laptop, ...more }, { 'Idempotency-Key': key });
  expect(status).toBe(202);
  await app.quiet();
  return `approval-${key}`;
}

describe('instances', () => {
  it('are listed by workflow, state, id and time, without entities', async () => {
    const { app } = await startApp({ time: '2030-01-01T00:00:00Z' });
    await approval(app, 'a');
    await app.skip({ hours: 1 });
    await approval(app, 'b');
    await app.post('/api/orchestrators/ApprovalSimulation', {}, { 'Idempotency-Key': 's' });
    await app.signal({ name: 'heartbeat', key: 'hub' }, 'beat', { at: '2030-01-01T00:00:00Z' });
    await app.post('/api/approvals/approval-a/decision', { decision: 'approved', by: 'kim' });
    await app.quiet();

    const ids = async (query: string): Promise<string[]> =>
      (await list(app, query)).value.map(({ id }) => id);
    expect(await ids('')).toEqual(['approval-a', 'approval-b', 'simulation-s']);
    expect(await ids('?workflow=ApprovalOrchestrator')).toEqual(['approval-a', 'approval-b']);
    expect(await ids('?status=Running')).toEqual(['approval-b']);
    expect(await ids('?status=Completed,Failed&workflow=ApprovalOrchestrator')).toEqual(['approval-a']);
    expect(await ids('?createdFrom=2030-01-01T00:30:00Z')).toEqual(['approval-b', 'simulation-s']);
    expect(await ids('?createdTo=2030-01-01T00:30:00%2B00:00')).toEqual(['approval-a']);
    expect(await ids('?idPrefix=simulation-')).toEqual(['simulation-s']);
    expect(await ids('?workflow=Nothing')).toEqual([]);
    expect((await list(app)).value[1]).toEqual({
      id: 'approval-b',
      workflow: 'ApprovalOrchestrator',
      status: 'Running',
      createdAt: '2030-01-01T01:00:00Z',
      updatedAt: '2030-01-01T01:00:00Z',
    });
  });

  it('come in pages, also of one workflow among others', async () => {
    const { app } = await startApp();
    for (const key of ['a', 'b', 'c', 'd', 'e']) await approval(app, key);
    for (const key of ['f', 'g'])
      await app.post('/api/orchestrators/ApprovalSimulation', {}, { 'Idempotency-Key': key });
    const all = async (query: string): Promise<string[]> => {
      const ids: string[] = [];
      let more = '';
      do {
        const { value, continuation } = await list(app, `?top=2${query}${more}`);
        expect(value.length).toBeLessThanOrEqual(2);
        ids.push(...value.map(({ id }) => id));
        more = continuation === undefined ? '' : `&continuation=${continuation}`;
      } while (more !== '');
      return ids;
    };
    expect(await all('')).toHaveLength(7);
    expect(await all('&workflow=ApprovalSimulation')).toEqual(['simulation-f', 'simulation-g']);
    // The hub decides what an invented continuation means.
    expect((await app.get(`${INSTANCES}?continuation=bm90aGluZw`)).status).toBeLessThan(500);
  });

  it.each([
    'status=Waiting',
    'createdFrom=yesterday',
    'top=0',
    'top=many',
    'continuation=%00',
    "idPrefix=order-'",
    'idPrefix=order%26',
  ])('are not listed for ?%s, which is answered with 400', async (query) => {
    const { app } = await startApp();
    const answer = await app.get(`${INSTANCES}?${query}`);
    expect([answer.status, await answer.json()]).toMatchObject([
      400,
      { type: 'urn:problem:invalid-request' },
    ]);
  });
});

describe('an instance', () => {
  it('has its data only when it is asked for, and its history as a timeline', async () => {
    const { app } = await startApp({ time: '2030-01-01T00:00:00Z' });
    const id = await approval(app, 'a', { respondWithin: 'PT1H' });
    await app.skip({ hours: 1, seconds: 1 });
    expect(await see(app, id)).not.toHaveProperty('input');
    expect(await see(app, id, '?payloads=true')).toMatchObject({ input: { id }, output: null });

    const { history, ...bare } = await see(app, id, '/history');
    expect(bare).toMatchObject({ id, workflow: 'ApprovalOrchestrator', status: 'Running' });
    expect(history!.some((event) => 'Result' in event || 'Input' in event)).toBe(false);
    const whole = await see(app, id, '/history?payloads=true');
    const { rows } = layout(
      {
        instanceId: id,
        name: whole.workflow,
        runtimeStatus: whole.status,
        createdTime: whole.createdAt,
        lastUpdatedTime: whole.updatedAt,
        historyEvents: whole.history!,
      },
      { now: Date.parse('2030-01-01T01:00:01Z') },
    );
    expect(rows.map(({ kind, label, state }) => `${kind} ${label} ${state}`)).toEqual([
      'orchestration ApprovalOrchestrator open',
      'activity AskApprover completed',
      'timer Timer completed',
      'activity Escalation completed',
      'timer Timer open',
    ]);
    expect(rows[1]).toMatchObject({
      output: { state: 'pending' },
      input: expect.stringContaining(id) as string,
    });
  });

  it('that the hub does not have, and an entity, are answered with 404', async () => {
    const { app } = await startApp();
    await app.signal({ name: 'heartbeat', key: 'hub' }, 'beat', { at: '2030-01-01T00:00:00Z' });
    for (const id of ['nothing', '@heartbeat@hub', '..%2F..%2Fadmin', '%00', 'x'.repeat(300)]) {
      for (const path of ['', '/history']) {
        expect((await app.get(`${INSTANCES}/${id}${path}`)).status).toBe(404);
      }
      expect((await act(app, id, 'terminate')).status).toBe(404);
    }
  });

  it('of which the hub refuses the history, as it does after non-determinism, is answered with 409 and the reason', async () => {
    const { app } = await startApp();
    expect(app.httpFunctions.length).toBeGreaterThan(0);
    const { getHistory } = await import('../../src/operations/index.js');
    const { forOperators } = await import('../../src/operations/endpoints/for-operators.js');
    // A real host answers so: its extension counts the events of the history, and one is there twice.
    const hub = createServer((_, response) => {
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end('{"Message":"One or more of the arguments submitted is incorrect"}');
    }).listen(0, '127.0.0.1');
    await once(hub, 'listening');
    onTestFinished(() => void hub.close());
    const client = { type: 'durableClient', name: 'client' };
    const context = new InvocationContext({
      logHandler: () => {},
      options: { extraInputs: [client], extraOutputs: [], return: undefined, trigger: client },
    });
    context.extraInputs.set('client', {
      rpcBaseUrl: `http://127.0.0.1:${(hub.address() as AddressInfo).port}/`,
      requiredQueryStringParameters: '',
    });
    const asked = requestWith({ params: { id: 'approval-a' } });
    const handler = withProblems(forOperators(getHistory));
    expect(await handler(asked, {} as DurableClient, context)).toMatchObject({
      status: 409,
      jsonBody: { type: 'urn:problem:hub-refuses', detail: expect.stringContaining('arguments') as string },
    });
  });

  it('never shows the system key, also when it is in its own data', async () => {
    const { app } = await startApp();
    const started = await app.post('/api/orchestrators/ApprovalSimulation', {}, { 'Idempotency-Key': 's' });
    const { statusQueryGetUri } = await json<{ statusQueryGetUri: string }>(started);
    const key = new URL(statusQueryGetUri).searchParams.get('code')!;
    expect(key.length).toBeGreaterThan(20);
    await app.start('ApprovalSimulation', { note: `It is ${key}` }, 'leaky');
    await app.quiet();
    const answers = [
      await app.get(INSTANCES),
      await app.get(`${INSTANCES}/leaky?payloads=true`),
      await app.get(`${INSTANCES}/leaky/history?payloads=true`),
      await act(app, 'leaky', 'restart'),
      await app.get('/api/operations/health'),
    ];
    for (const answer of answers) {
      expect([200, 202]).toContain(answer.status);
      expect((await answer.text()) + JSON.stringify([...answer.headers])).not.toContain(key);
    }
    expect(await see(app, 'leaky', '?payloads=true')).toMatchObject({ input: { note: 'It is ***' } });
  });
});

describe('an operator', () => {
  it('suspends, resumes, terminates, restarts and purges an instance', async () => {
    const { app } = await startApp();
    const id = await approval(app, 'a');
    const now = async (): Promise<string> => {
      await app.quiet();
      return (await see(app, id)).status;
    };
    const suspended = await act(app, id, 'suspend', { reason: 'Is it a & b #1?', by: 'olga' });
    expect([suspended.status, suspended.headers.get('location')]).toEqual([202, `${INSTANCES}/${id}`]);
    expect(await now()).toBe('Suspended');
    expect((await see(app, id, '/history?payloads=true')).history!.at(-1)).toMatchObject({
      EventType: 'ExecutionSuspended',
      Reason: 'Is it a & b #1?',
    });
    expect((await act(app, id, 'suspend')).status).toBe(409);
    expect((await act(app, id, 'resume')).status).toBe(202);
    expect(await now()).toBe('Running');
    for (const action of ['resume', 'restart', 'purge']) {
      const answer = await act(app, id, action);
      expect([answer.status, await answer.json()]).toMatchObject([409, { type: 'urn:problem:conflict' }]);
    }
    expect((await act(app, id, 'terminate', { by: 'olga' })).status).toBe(202);
    expect(await now()).toBe('Terminated');
    expect(await see(app, id, '?payloads=true')).toMatchObject({ output: 'By olga' });
    expect((await act(app, id, 'terminate')).status).toBe(409);

    // The record decides: a workflow that is started again goes on with it.
    expect((await act(app, id, 'restart')).status).toBe(202);
    expect(await now()).toBe('Running');
    await app.post(`/api/approvals/${id}/decision`, { decision: 'approved', by: 'kim' });
    expect(await now()).toBe('Completed');

    const purged = await act(app, id, 'purge');
    expect([purged.status, await purged.json()]).toEqual([200, { id, purged: true }]);
    expect((await app.get(`${INSTANCES}/${id}`)).status).toBe(404);
    expect((await act(app, id, 'purge')).status).toBe(404);
  });

  it('must have the role where the platform signs people in', async () => {
    const { app } = await startApp({ settings: { WEBSITE_AUTH_ENABLED: 'true' } });
    const id = await approval(app, 'a');
    const as = (...roles: string[]): Record<string, string> => {
      const claims = [
        { typ: 'preferred_username', val: 'olga@contoso.com' },
        ...roles.map((val) => ({ typ: 'roles', val })),
      ];
      const principal = Buffer.from(JSON.stringify({ claims })).toString('base64');
      return { 'x-ms-client-principal': principal };
    };
    for (const path of [
      INSTANCES,
      `${INSTANCES}/${id}`,
      `${INSTANCES}/${id}/history`,
      '/api/operations/health',
    ]) {
      expect([path, (await app.get(path, as())).status]).toEqual([path, 403]);
      expect([path, (await app.get(path, as('operator'))).status]).toEqual([path, 200]);
    }
    expect((await app.post(`${INSTANCES}/${id}/suspend`, {}, as())).status).toBe(403);
    expect((await app.post(`${INSTANCES}/${id}/suspend`, {}, as('operator'))).status).toBe(202);
    await app.quiet();
    expect((await see(app, id, '/history?payloads=true')).history!.at(-1)).toMatchObject({
      Reason: 'By olga@contoso.com',
    });
  });

  it('gets one success and conflicts when the same is asked for several times at once', async () => {
    const { app } = await startApp();
    const id = await approval(app, 'a');
    const answers = await Promise.all(Array.from({ length: 5 }, () => act(app, id, 'suspend')));
    const statuses = answers.map(({ status }) => status);
    expect(statuses).toContain(202);
    expect(statuses.filter((status) => status !== 202 && status !== 409)).toEqual([]);
  });

  it.each([
    ['an unknown action', 'explode', {}, 404],
    ['a reason that is too long', 'suspend', { reason: 'x'.repeat(201) }, 400],
    ['an unknown field', 'suspend', { force: true }, 400],
  ])('gets a problem for %s', async (_, action, body, status) => {
    const { app } = await startApp();
    const id = await approval(app, 'a');
    expect((await act(app, id, action, body)).status).toBe(status);
    expect(await see(app, id)).toMatchObject({ status: 'Running' });
  });
});

describe('health', () => {
  const details = async (app: TestApp): Promise<{ status: number; body: Record<string, unknown> }> => {
    const answer = await app.get('/api/operations/health');
    return { status: answer.status, body: await json(answer) };
  };

  it('is up, and only the holder of a key learns more', async () => {
    const { app } = await startApp({ enforceKeys: true, heartbeat: true });
    const anyone = await app.get('/api/health');
    expect([anyone.status, await anyone.json()]).toEqual([200, { state: 'up' }]);
    expect((await app.get('/api/operations/health')).status).toBe(401);
    await app.skip({ minutes: 2 });
    await expect
      .poll(async () => json(app.get('/api/operations/health', { 'x-functions-key': app.keys.host })))
      .toMatchObject({
        state: 'up',
        reasons: [],
        storage: { table: expect.any(Number) as number, blob: expect.any(Number) as number },
        hub: { heartbeatAt: expect.any(String) as string },
        queues: expect.arrayContaining([{ name: 'dispatch', messages: 0 }]) as unknown,
      });
  });

  it.each(['Table', 'Blob', 'Queue'] as const)('is down without the %s service', async (service) => {
    const storage = await faultyStorage(await account(), ['Table', 'Blob', 'Queue']);
    onTestFinished(() => {
      storage.stop();
    });
    const { app } = await startApp({ settings: { AppStorage: storage.connection } });
    storage.fault = (request) =>
      request.service === service ? { status: 403, code: 'AccountIsDisabled' } : undefined;
    const { status, body } = await details(app);
    expect([status, body]).toMatchObject([
      503,
      { type: 'urn:problem:down', state: 'down', storage: { [service.toLowerCase()]: null } },
    ]);
    expect(body['reasons']).toHaveLength(1);
    const anyone = await app.get('/api/health');
    expect([anyone.status, Object.keys(await json<object>(anyone))]).toEqual([
      503,
      ['type', 'title', 'status', 'detail', 'state'],
    ]);
  });

  it('is down when the hub accepts messages and processes none', async () => {
    const { app } = await startApp({ time: '2030-01-01T00:00:00Z' });
    await app.signal({ name: 'heartbeat', key: 'hub' }, 'beat', { at: '2030-01-01T00:00:00.000Z' });
    await app.skip({ minutes: 6 });
    const { status, body } = await details(app);
    expect([status, body['reasons']]).toEqual([
      503,
      ['The hub has processed no message since 2030-01-01T00:00:00.000Z'],
    ]);
  });

  it('has the length of each queue, and is down when a message waits that the app should have read', async () => {
    const { app, storage } = await startApp();
    const dispatch = new QueueClient(storage.connectionString, 'dispatch');
    await dispatch.createIfNotExists();
    await dispatch.sendMessage('bm90aGluZw==');
    const first = await details(app);
    expect(first.status).toBe(200);
    const [queue] = (first.body['queues'] as { name: string; oldestAt: string }[]).filter(
      ({ name }) => name === 'dispatch',
    );
    expect(queue).toMatchObject({ messages: 1, oldestAt: expect.any(String) as string });
    await app.skip({ hours: 2 });
    await expect
      .poll(async () => (await details(app)).body['reasons'])
      .toEqual([`A message in the queue dispatch has waited since ${queue!.oldestAt}`]);
  });
});
