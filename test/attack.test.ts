/**
 * Attacks, at random and for a bounded time: only with `npm run test:long`. Each prints its seed, and `ATTACK_SEED` repeats
 * one. What each fault of a kind looks like is in the tests of its feature; here their kinds are tried together.
 */
import { describe, expect, inject, it } from 'vitest';
import type { TestApp } from '../emulator/src/testing.js';
import type { Handler } from '../src/http/index.js';
import { startApp } from './support/app.js';
import { mulberry32 } from '../tools/random.js';
import { killedAtTheHub } from './support/request.js';

/** No attack begins another round after this long, in milliseconds. */
const BUDGET = 60_000;

type Roll = () => number;
const pick = <T>(roll: Roll, from: readonly T[]): T => from[Math.floor(roll() * from.length)]!;
const json = (response: Response): Promise<Record<string, unknown>> =>
  response.json() as Promise<Record<string, unknown>>;

/** Runs rounds of an attack until the time is up. A failure names the seed. */
async function attack(name: string, round: (roll: Roll, number: number) => Promise<void>): Promise<void> {
  const seed = Number(process.env['ATTACK_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`${name}: ATTACK_SEED=${seed}`);
  const roll = mulberry32(seed);
  const began = performance.now();
  for (let number = 0; number === 0 || performance.now() - began < BUDGET; number += 1) {
    await expect(
      round(roll, number),
      `${name}, round ${number} of the seed ${seed}`,
    ).resolves.toBeUndefined();
  }
}

function as(name: string, role?: string): Record<string, string> {
  const claims = [
    { typ: 'preferred_username', val: name },
    ...(role === undefined ? [] : [{ typ: 'roles', val: role }]),
  ];
  return { 'x-ms-client-principal': Buffer.from(JSON.stringify({ claims })).toString('base64') };
}

/** What people ask for, with its path. */
const wanted = {
  '/api/approvals': { subject: 'A laptop', requestedBy: 'ana', approver: 'kim', escalateTo: 'lee' },
  '/api/reminders': { to: 'pat', message: 'Water', count: 2, gaps: 'daily' },
  '/api/jobs': { kind: 'sales-report', ingestion: `ingestion-${'0'.repeat(64)}`, top: 3 },
  '/api/rollouts': { firmware: '2.0.0', devices: ['pump'], waves: [1], soak: 'PT1M' },
  '/api/ingestions': { blob: 'nothing.csv' },
  '/api/carts/ana/checkout': { payment: { token: 'pays' }, shipTo: 'Home' },
  '/api/stock/hammer/receipts': { receiptId: 'first', quantity: 2 },
  '/api/devices/pump/telemetry': { sequence: 1, metrics: { temperature: 20 } },
  '/api/orchestrators/ReminderOrchestrator': { to: 'pat', message: 'Water' },
  '/api/NewUser': { name: 'Pat' },
  '/api/ConfirmUser': { name: 'Pat' },
  '/api/Action': { name: 'Pat', action: 'get', target: 'sword', with: 'teeth' },
} as const;
const paths = Object.keys(wanted) as (keyof typeof wanted)[];

const hostile: readonly unknown[] = [
  null,
  true,
  -1,
  1e308,
  '',
  ' ',
  '..',
  '\0',
  '\uD800',
  '\u202Eevil',
  '\u3164',
  "' or 1 eq 1",
  '<script>alert(1)</script>',
  '%00%2f..%2f',
  '#?/\\%',
  'x'.repeat(70_000),
  'é'.repeat(3000),
  [],
  {},
  { $ne: null },
  JSON.parse('{"__proto__":{"isOperator":true}}'),
  Array.from({ length: 2000 }, () => 'x'),
];

/** A request that is right but for one to three of its fields. */
function spoilt(roll: Roll, body: object): unknown {
  const fields = Object.entries(body);
  for (let times = 1 + Math.floor(roll() * 3); times > 0; times -= 1) {
    const field = roll() < 0.2 ? pick(roll, ['constructor', 'by', 'id', '']) : pick(roll, fields)[0];
    fields.push([field, pick(roll, hostile)]);
  }
  return Object.fromEntries(fields);
}

describe.runIf(inject('long'))('An attack', () => {
  it('by hostile bodies, headers and paths is answered with 4xx and a problem', async () => {
    const { app } = await startApp({ verifyReplay: false });
    await attack('Hostile input', async (roll) => {
      const path = pick(roll, paths);
      const whole = JSON.stringify(spoilt(roll, wanted[path]));
      const body = roll() < 0.1 ? whole.slice(0, roll() * whole.length) : whole;
      const segments = path.split('/');
      const strange = encodeURIComponent(pick(roll, ['..', "'", '\u202E', 'x'.repeat(2000), '%', '\uFFFF']));
      const target = roll() < 0.1 ? [...segments.slice(0, 3), strange, ...segments.slice(4)].join('/') : path;
      const response = await app.request('POST', target, {
        body,
        headers: {
          'content-type': pick(roll, [
            'application/json',
            'text/plain',
            'application/x-www-form-urlencoded',
            '',
          ]),
          ...(roll() < 0.3 && {
            'idempotency-key': pick(roll, ['a', 'x'.repeat(64), 'x'.repeat(65), ' ', '../%00']),
          }),
          ...(roll() < 0.3 && { 'x-ms-client-principal': pick(roll, ['////', 'e30=', 'bnVsbA==']) }),
          ...(roll() < 0.3 && { origin: 'https://evil.example' }),
          ...(roll() < 0.3 && { 'x-forwarded-for': `198.51.100.${Math.floor(roll() * 256)}` }),
        },
      });
      const said = `${target} ${body.slice(0, 200)}`;
      // 503: a name is claimed, and its game not started.
      if (response.status !== 503) expect(response.status, said).toBeLessThan(500);
      if (response.status >= 400 && (response.headers.get('content-type') ?? '') !== '') {
        expect(response.headers.get('content-type'), said).toBe('application/problem+json');
        expect(response.headers.get('cache-control'), said).toBe('no-store');
      }
      await response.text();
    });
  });

  it('without the key of a route opens none', async () => {
    const { app } = await startApp({ enforceKeys: true, verifyReplay: false });
    const { httpFunctions } = app;
    await attack('Keys', async (roll) => {
      const [path, method] = pick(roll, [
        ...paths
          .filter((each) => !/NewUser|ConfirmUser|Action/.test(each))
          .map((each) => [each, 'POST'] as const),
        ['/api/operations/instances', 'GET'],
        ['/runtime/webhooks/durabletask/instances', 'GET'],
        ['/admin/functions', 'GET'],
      ] as const);
      const spelling =
        roll() < 0.5 ? path : path.replace('/api', pick(roll, ['/API', '//api', '/./api', '/api/.']));
      const key = pick(roll, [
        '',
        'guess',
        app.keys.host.slice(1),
        app.keys.host.toUpperCase(),
        `${app.keys.host}\u00e9`,
      ]);
      const response = await app.request(
        method,
        `${spelling}${roll() < 0.5 ? `?code=${encodeURIComponent(key)}` : ''}`,
        {
          headers: {
            ...(roll() < 0.5 && key !== '' && { 'x-functions-key': encodeURIComponent(key) }),
            ...as('boss', 'operator'),
          },
          ...(method === 'POST' && { body: {} }),
        },
      );
      expect([401, 404], `${method} ${spelling} ${key}`).toContain(response.status);
      await response.text();
      expect(httpFunctions.length).toBeGreaterThan(0);
    });
  });

  it('by people on records of others changes and shows none', async () => {
    const { app } = await startApp({ verifyReplay: false, settings: { WEBSITE_AUTH_ENABLED: 'true' } });
    await app.request('PUT', '/api/devices/pump', { body: { interval: 'PT1H' } });
    await attack('Records of others', async (roll, number) => {
      const owner = as(`owner-${number}`);
      const path = pick(roll, paths.slice(0, 4));
      const key = { 'idempotency-key': `key-${Math.floor(roll() * 5)}` };
      const made = await app.post(path, wanted[path], { ...owner, ...key });
      expect(made.status).toBe(202);
      const { id } = await json(made);
      const stranger = as(`stranger-${number}`);
      const theirs = await app.post(path, spoiltBut(roll, wanted[path]), { ...stranger, ...key });
      expect((await json(theirs))['id']).not.toBe(id);
      for (const [method, suffix, body] of [
        ['GET', '', undefined],
        ['DELETE', '', undefined],
        ['POST', '/decision', { decision: 'approved', by: 'kim' }],
        ['POST', '/acknowledgement', undefined],
        ['POST', '/abort', { by: `owner-${number}` }],
        ['GET', '/result', undefined],
      ] as const) {
        const answer = await app.request(method, `${path}/${String(id)}${suffix}`, {
          headers: stranger,
          body,
        });
        expect([403, 404, 405], `${method} ${path}${suffix}`).toContain(answer.status);
        await answer.text();
      }
      const seen = await app.get(`${path}/${String(id)}`, owner);
      expect(seen.status).toBeLessThan(400);
      await seen.text();
    });
  });

  it('by many at once on one approval gets one decision, and each caller the truth, also by a repeat', async () => {
    const { app } = await startApp({ verifyReplay: false });
    await attack('Races of a decision', async (roll) => {
      const { id } = await json(await app.post('/api/approvals', wanted['/api/approvals']));
      const decisions = Array.from({ length: 2 + Math.floor(roll() * 12) }, () => ({
        by: pick(roll, ['kim', 'kim', 'kim', 'lee', 'ana', 'mallory']),
        decision: pick(roll, ['approved', 'rejected']),
        headers: roll() < 0.3 ? as('kim') : {},
      }));
      const decide = async ({ headers, ...body }: (typeof decisions)[number]): Promise<number> => {
        const response = await app.post(`/api/approvals/${String(id)}/decision`, body, headers);
        await response.text();
        return response.status;
      };
      const first = await Promise.all(decisions.map(decide));
      const { state, decidedBy } = await json(await app.get(`/api/approvals/${String(id)}`));
      decisions.forEach(({ by, decision }, index) => {
        const won = by === decidedBy && decision === state;
        expect(first[index] === 200, `${by} ${decision}: ${first[index]}`).toBe(won);
      });
      const again = await Promise.all(decisions.map(decide));
      expect(again.map((status) => status === 200)).toEqual(first.map((status) => status === 200));
    });
  });

  it('that kills the host under callers without keys, who do not repeat, leaves nothing that is not started', async () => {
    // The app is loaded by its host, also when this is the only attack that runs.
    await startApp();
    const { newUser } = await import('../src/dungeon/endpoints.js');
    const { planReminders } = await import('../src/reminders/endpoints.js');
    const { requestApproval } = await import('../src/approvals/endpoints.js');
    const { createRollout } = await import('../src/rollouts/endpoints.js');
    const { startJob } = await import('../src/jobs/endpoints.js');
    const handlers: readonly (readonly [Handler, (name: string) => object])[] = [
      [requestApproval, () => wanted['/api/approvals']],
      [planReminders, () => wanted['/api/reminders']],
      [createRollout, () => wanted['/api/rollouts']],
      [startJob, () => wanted['/api/jobs']],
      [newUser, (name) => ({ name })],
    ];
    await attack('Kills', async (roll, number) => {
      const { app, storage } = await startApp({ sweep: true, verifyReplay: false });
      const killed = Array.from({ length: 10 }, () => pick(roll, handlers));
      for (const [index, [handler, bodyOf]] of killed.entries()) {
        const body = JSON.stringify(bodyOf(`Pat ${number} ${index}`));
        await killedAtTheHub(handler, { body, headers: { 'content-type': 'application/json' } }, storage);
      }
      expect(await app.instances()).toEqual([]);
      // A game that nobody confirms is removed later than that.
      await app.skip({ minutes: 5 });
      const games = await started(app, /^dungeon-RunUserParallelWorkflow-/);
      expect(games).toBe(killed.filter(([handler]) => handler === newUser).length);
      await app.skip({ minutes: 15 });
      const others = await started(app, /^(?:approval|reminders|rollout|job)-[\w-]+$/);
      expect(others).toBe(killed.length - games);
    });
  });
});

/** Another request of the same kind. */
function spoiltBut(roll: Roll, body: object): object {
  return { ...body, ...('subject' in body && { subject: `Thing ${Math.floor(roll() * 1000)}` }) };
}

/** How many instances there are with such an id. */
async function started(app: TestApp, id: RegExp): Promise<number> {
  return (await app.instances()).filter(({ instanceId }) => id.test(instanceId)).length;
}
