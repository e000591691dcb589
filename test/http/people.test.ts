/** Where the platform signs people in, each sees and changes their own records only: in every feature that has such records. */
import { describe, expect, it } from 'vitest';
import { sample } from '../ingestion/support.js';
import { startApp } from '../support/app.js';

type Headers = Record<string, string>;
interface Answer {
  status: number;
  location: string;
  body: Record<string, unknown>;
}
type Ask = (who: Headers, method: string, path: string, body?: unknown, more?: Headers) => Promise<Answer>;

/** The header of a person whom the platform has signed in; with the app role, of an operator. */
function as(name: string, role?: string): Headers {
  const claims = [
    { typ: 'preferred_username', val: name },
    { typ: 'oid', val: `id-of-${name}` },
    ...(role === undefined ? [] : [{ typ: 'roles', val: role }]),
  ];
  return { 'x-ms-client-principal': Buffer.from(JSON.stringify({ claims })).toString('base64') };
}
const alice = as('alice@contoso.com');
const bob = as('bob@contoso.com');
const boss = as('boss@contoso.com', 'operator');
/** A program with a function key. */
const program: Headers = {};

async function start(signsIn = true): Promise<{ ask: Ask; quiet: () => Promise<void> }> {
  const { app } = await startApp({
    verifyReplay: false,
    dispatchQueue: true,
    settings: signsIn ? { WEBSITE_AUTH_ENABLED: 'true' } : {},
  });
  return {
    quiet: async () => app.quiet(),
    ask: async (who, method, path, body, more = {}) => {
      const headers = {
        ...(typeof body === 'string' && { 'content-type': 'application/x-ndjson' }),
        ...more,
      };
      const response = await app.request(method, path, { headers: { ...headers, ...who }, body });
      const text = await response.text();
      return {
        status: response.status,
        location: response.headers.get('location') ?? '',
        body: (text.startsWith('{') ? JSON.parse(text) : {}) as Record<string, unknown>,
      };
    },
  };
}

/** What each feature makes of a POST with a key. The second body is another request. */
const created: readonly [path: string, one: object, other: object][] = [
  [
    '/api/approvals',
    { subject: 'A laptop', approver: 'kim', escalateTo: 'lee' },
    { subject: 'A car', approver: 'kim', escalateTo: 'lee' },
  ],
  ['/api/reminders', { to: 'pat', message: 'Water' }, { to: 'kim', message: 'Air' }],
  [
    '/api/jobs',
    { kind: 'sales-report', ingestion: `ingestion-${'0'.repeat(64)}` },
    { kind: 'sales-report', ingestion: `ingestion-${'1'.repeat(64)}` },
  ],
  [
    '/api/rollouts',
    { firmware: '2.0.0', devices: ['pump'], waves: [1] },
    { firmware: '3.0.0', devices: ['pump'], waves: [1] },
  ],
];

describe('An Idempotency-Key', () => {
  const key = { 'Idempotency-Key': 'first' };

  it('of one person is none of another', async () => {
    const { ask } = await start();
    for (const [path, one, other] of created) {
      const hers = await ask(alice, 'POST', path, one, key);
      const his = await ask(bob, 'POST', path, other, key);
      const again = await ask(alice, 'POST', path, one, key);
      expect([path, hers.status, his.status, again.status]).toEqual([path, 202, 202, 202]);
      expect(again.body['id']).toBe(hers.body['id']);
      expect(his.body['id']).not.toBe(hers.body['id']);
      expect((await ask(alice, 'POST', path, other, key)).status).toBe(422);
      // He reads hers neither by its id, nor by the id that her key had if all shared their keys.
      expect((await ask(bob, 'GET', hers.location)).status).toBe(403);
      expect((await ask(alice, 'GET', hers.location)).status).toBeLessThan(400);
      const [kind] = String(hers.body['id']).split('-');
      expect((await ask(bob, 'GET', `${path}/${kind}-first`)).status).toBe(404);
      for (const who of [boss, program]) {
        expect((await ask(who, 'GET', hers.location)).status).toBeLessThan(400);
      }
    }
  });

  it('is the app’s where nobody is signed in', async () => {
    const { ask } = await start(false);
    for (const [path, one] of created.slice(0, 3)) {
      const named = path === '/api/approvals' ? { ...one, requestedBy: 'ana' } : one;
      const { body } = await ask(alice, 'POST', path, named, key);
      expect(body['id']).toMatch(/-first$/);
      expect((await ask(bob, 'POST', path, named, key)).body['id']).toBe(body['id']);
    }
  });
});

describe('A person', () => {
  it('reads and cancels reminders to them or of their own, and no others', async () => {
    const { ask } = await start();
    const plan = { to: 'pat@contoso.com', message: 'Water' };
    const { location, body } = await ask(alice, 'POST', '/api/reminders', plan);
    expect(body['requestedBy']).toBe('alice@contoso.com');
    for (const [method, path] of [
      ['GET', location],
      ['DELETE', location],
      ['POST', `${location}/acknowledgement`],
    ] as const) {
      expect((await ask(bob, method, path)).status).toBe(403);
    }
    expect((await ask(as('pat@contoso.com'), 'GET', location)).status).toBe(200);
    expect((await ask(alice, 'POST', `${location}/acknowledgement`)).status).toBe(403);
    expect((await ask(alice, 'DELETE', location)).body['state']).toBe('cancelled');
  });

  it('has a cart and orders of their own', async () => {
    const { ask } = await start();
    const receipt = { receiptId: 'first', quantity: 5 };
    await ask(program, 'POST', '/api/stock/hammer/receipts', receipt);
    await ask(alice, 'PUT', '/api/carts/mine/items/hammer', { quantity: 2 });
    expect((await ask(alice, 'GET', '/api/carts/mine')).body['lines']).toHaveLength(1);
    for (const [method, path] of [
      ['DELETE', '/api/carts/mine/items/hammer'],
      ['DELETE', '/api/carts/mine'],
    ] as const) {
      expect((await ask(bob, method, path)).status).toBe(202);
    }
    expect((await ask(bob, 'GET', '/api/carts/mine')).body['lines']).toEqual([]);
    expect((await ask(alice, 'GET', '/api/carts/mine')).body['lines']).toHaveLength(1);

    const checkout = { payment: { token: 'pays' }, shipTo: 'Home' };
    const key = { 'Idempotency-Key': 'first' };
    const order = await ask(alice, 'POST', '/api/carts/mine/checkout', checkout, key);
    expect([order.status, order.body['buyer']]).toEqual([202, 'alice@contoso.com']);
    expect((await ask(bob, 'POST', '/api/carts/mine/checkout', checkout, key)).status).toBe(409);
    for (const method of ['GET', 'DELETE']) {
      expect((await ask(bob, method, order.location)).status).toBe(403);
    }
    expect((await ask(alice, 'POST', `${order.location}/retry`)).status).toBe(403);
    expect((await ask(alice, 'GET', order.location)).status).toBe(200);
  });

  it('sees and removes the ingestions of their own; the same file of another is another ingestion', async () => {
    const { ask, quiet } = await start();
    const file = sample(20);
    const hers = await ask(alice, 'POST', '/api/ingestions', file);
    const his = await ask(bob, 'POST', '/api/ingestions', file);
    expect((await ask(alice, 'POST', '/api/ingestions', file)).location).toBe(hers.location);
    expect(his.location).not.toBe(hers.location);
    await quiet();
    for (const [method, path] of [
      ['GET', hers.location],
      ['GET', `${hers.location}/results`],
      ['GET', `${hers.location}/rejects`],
      ['DELETE', hers.location],
    ] as const) {
      expect([method, (await ask(bob, method, path)).status]).toEqual([method, 403]);
    }
    const listed = async (who: Headers): Promise<unknown[]> =>
      ((await ask(who, 'GET', '/api/ingestions')).body['value'] as { id: string }[]).map(({ id }) => id);
    expect(await listed(alice)).toEqual([hers.body['id']]);
    for (const who of [boss, program]) {
      expect(new Set(await listed(who))).toEqual(new Set([hers.body['id'], his.body['id']]));
    }

    // A report is about an ingestion that its starter may see.
    const reported = async (who: Headers): Promise<unknown> => {
      const job = await ask(who, 'POST', '/api/jobs', { kind: 'sales-report', ingestion: hers.body['id'] });
      await quiet();
      return (await ask(who, 'GET', job.location)).body['state'];
    };
    expect([await reported(alice), await reported(bob), await reported(boss)]).toEqual([
      'completed',
      'failed',
      'completed',
    ]);
    expect((await ask(alice, 'DELETE', hers.location)).status).toBe(204);
    expect((await ask(bob, 'GET', his.location)).status).toBe(200);
  });

  it('cancels jobs of their own', async () => {
    const { ask } = await start();
    const [, wanted] = created[2]!;
    const { location } = await ask(alice, 'POST', '/api/jobs', wanted);
    expect((await ask(bob, 'DELETE', location)).status).toBe(403);
    expect((await ask(bob, 'GET', `${location}/result`)).status).toBe(403);
    expect([200, 409]).toContain((await ask(alice, 'DELETE', location)).status);
  });

  it('steers rollouts that they have asked for; approvers see them, and nobody approves their own', async () => {
    const { ask } = await start();
    await ask(program, 'PUT', '/api/devices/pump', { interval: 'PT1M' });
    const wanted = {
      firmware: '2.0.0',
      devices: ['pump'],
      waves: [1],
      approveBetweenWaves: { approver: 'kim@contoso.com' },
    };
    const { location, body } = await ask(alice, 'POST', '/api/rollouts', { ...wanted, requestedBy: 'bob' });
    expect(body['requestedBy']).toBe('alice@contoso.com');
    for (const verb of ['pause', 'resume', 'abort']) {
      const path = `${location}/${verb}`;
      expect((await ask(bob, 'POST', path, {})).status).toBe(403);
      expect((await ask(as('kim@contoso.com'), 'POST', path, {})).status).toBe(403);
      expect((await ask(alice, 'POST', path, {})).status).toBe(202);
    }
    expect((await ask(bob, 'GET', `${location}/devices`)).status).toBe(403);
    expect((await ask(as('kim@contoso.com'), 'GET', location)).status).toBe(200);
    const lists = [alice, bob, boss].map(
      async (who) => (await ask(who, 'GET', '/api/rollouts')).body['value'],
    );
    expect((await Promise.all(lists)).map((value) => (value as unknown[]).length)).toEqual([1, 0, 1]);
    for (const approver of ['Alice@contoso.com', 'id-of-alice@contoso.com']) {
      const own = { ...wanted, approveBetweenWaves: { approver } };
      expect((await ask(alice, 'POST', '/api/rollouts', own)).status).toBe(400);
    }
  });

  it('changes and removes devices that they have registered', async () => {
    const { ask } = await start();
    const path = '/api/devices/pump';
    expect((await ask(alice, 'PUT', path, { interval: 'PT1M' })).status).toBe(201);
    expect((await ask(bob, 'PUT', path, { interval: 'PT1H' })).status).toBe(403);
    expect((await ask(bob, 'DELETE', path)).status).toBe(403);
    expect((await ask(bob, 'GET', path)).body).toMatchObject({
      interval: 'PT1M',
      registeredBy: 'alice@contoso.com',
    });
    expect((await ask(alice, 'PUT', path, { interval: 'PT2M' })).status).toBe(200);
    expect((await ask(alice, 'DELETE', path)).status).toBe(204);
    // The id is free then.
    expect((await ask(bob, 'PUT', path, { interval: 'PT1H' })).status).toBe(201);
    expect((await ask(alice, 'DELETE', path)).status).toBe(403);
    expect((await ask(program, 'DELETE', path)).status).toBe(204);
  });

  it('gets no management URLs, which open every instance', async () => {
    const { ask } = await start();
    const path = '/api/orchestrators/ApprovalSimulation';
    expect((await ask(alice, 'POST', path)).status).toBe(403);
    expect((await ask(boss, 'POST', path)).status).toBe(202);
    expect((await ask(program, 'POST', path)).status).toBe(202);
  });
});

describe('A repeat of what has succeeded', () => {
  it('is answered alike; another outcome is refused', async () => {
    const { ask, quiet } = await start(false);
    const twice = async (method: string, path: string, body?: unknown): Promise<unknown[]> => {
      const first = await ask(program, method, path, body);
      await quiet();
      const second = await ask(program, method, path, body);
      return [first.status, second.status];
    };
    const plan = { to: 'pat', message: 'Water' };
    const read = await ask(program, 'POST', '/api/reminders', plan);
    expect(await twice('POST', `${read.location}/acknowledgement`)).toEqual([200, 200]);
    expect((await ask(program, 'DELETE', read.location)).status).toBe(409);
    const cancelled = await ask(program, 'POST', '/api/reminders', plan);
    expect(await twice('DELETE', cancelled.location)).toEqual([200, 200]);
    expect((await ask(program, 'POST', `${cancelled.location}/acknowledgement`)).status).toBe(409);

    const [, wanted] = created[0]!;
    const approval = await ask(program, 'POST', '/api/approvals', { ...wanted, requestedBy: 'ana' });
    const decision = `${approval.location}/decision`;
    const decided = { by: 'kim', decision: 'approved', comment: 'Good' };
    expect(await twice('POST', decision, decided)).toEqual([200, 200]);
    expect((await ask(program, 'POST', decision, { ...decided, comment: 'Very' })).body['comment']).toBe(
      'Good',
    );
    expect((await ask(program, 'POST', decision, { ...decided, decision: 'rejected' })).status).toBe(409);
    expect((await ask(program, 'POST', decision, { ...decided, by: 'lee' })).status).toBe(409);

    const ingestion = await ask(program, 'POST', '/api/ingestions', sample(5));
    await quiet();
    expect(await twice('DELETE', ingestion.location)).toEqual([204, 204]);

    await ask(program, 'PUT', '/api/devices/pump', { interval: 'PT1M' });
    expect(await twice('PUT', '/api/devices/pump', { interval: 'PT1M' })).toEqual([200, 200]);
    const rollout = await ask(program, 'POST', '/api/rollouts', {
      firmware: '2.0.0',
      devices: ['pump'],
      waves: [1],
    });
    await quiet();
    for (const verb of ['pause', 'resume', 'abort']) {
      expect(await twice('POST', `${rollout.location}/${verb}`, {})).toEqual([202, 202]);
    }
    expect(await twice('DELETE', '/api/devices/pump')).toEqual([204, 204]);
  });
});
