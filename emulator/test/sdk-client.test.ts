/**
 * The client of durable-functions itself, in the app that was recorded on a real host, against a running host.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import http from 'node:http';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../src/config/config.js';
import { SkippingClock } from '../src/durable/clock.js';
import { MemoryHub } from '../src/durable/memory/memory-hub.js';
import { Host } from '../src/host.js';
import { FunctionsWorker } from '../src/worker/worker.js';
import { loadApp } from '../src/worker/app-loader.js';

const directory = path.join(import.meta.dirname, 'fixtures/recorded-app');
const clock = new SkippingClock(Date.UTC(2026, 10, 21));
let host: Host;
/** The host by another of its names, as a caller may use. */
let origin: string;

interface Answer {
  status: number;
  headers: Headers;
  body: unknown;
}

async function call(where: string, init: RequestInit = { method: 'POST' }): Promise<Answer> {
  const response = await fetch(where.startsWith('/') ? `${origin}${where}` : where, init);
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? undefined : (JSON.parse(text) as unknown),
  };
}

/** The result of the client in the app's `ops` function, or its error. */
async function ops(operation: string, id = '', init?: RequestInit): Promise<unknown> {
  return (await call(`/api/ops/${operation}/${id}`, init)).body;
}

/** Runs until nothing is due, timers included. */
async function skipToIdle(): Promise<void> {
  for (await host.engine.whenQuiet(); clock.next !== undefined; await host.engine.whenQuiet()) {
    clock.moveTo(clock.next);
    clock.wakeOne();
  }
}

async function start(orchestrator: string, id: string, input?: unknown): Promise<Record<string, string>> {
  const answer = await call(`/api/orchestrators/${orchestrator}?id=${id}`, {
    method: 'POST',
    ...(input !== undefined && { body: JSON.stringify(input) }),
  });
  expect(answer.status).toBe(202);
  await host.engine.whenQuiet();
  return answer.body as Record<string, string>;
}

beforeEach(async () => {
  const left = await host.engine.query({ top: 1000 });
  for (const { instanceId } of left.records) await host.engine.terminate(instanceId, 'next test');
  await skipToIdle();
  await host.engine.purgeBy({ createdTimeFrom: 0 });
});

/** A library that watches or replaces the requests of the process. */
const watchers: Record<string, () => () => void> = {
  'a subscriber': () => {
    const watch = (): void => {};
    subscribe('http.client.request.start', watch);
    return () => unsubscribe('http.client.request.start', watch);
  },
  'a wrapper of http.request': () => {
    const { request } = http;
    http.request = ((...args: Parameters<typeof request>) => request(...args)) as typeof request;
    return () => {
      http.request = request;
    };
  },
};

describe.each<{ way: string; watch?: () => () => void }>([
  { way: 'without a socket' },
  ...Object.entries(watchers).map(([name, watch]) => ({ way: `over a socket, which ${name} sees`, watch })),
])('Its requests go $way', ({ watch }) => {
  const seen: string[] = [];
  const note = (message: unknown): void => {
    const { url } = (message as { request: http.IncomingMessage }).request;
    if (url!.startsWith('/durabletask')) seen.push(url!);
  };
  let unwatch: (() => void) | undefined;
  beforeAll(async () => {
    const hub = new MemoryHub({ name: 'OracleHub' });
    host = new Host({
      app: new FunctionsWorker({ registrations: await loadApp({ directory }), log: () => {} }),
      config: readConfig(directory, {}),
      hub,
      clock,
      log: () => {},
    });
    const port = await host.start(0);
    process.env['WEBSITE_HOSTNAME'] = `localhost:${port}`;
    origin = `http://127.0.0.1:${port}`;
  });
  beforeAll(() => {
    unwatch = watch?.();
    subscribe('http.server.request.start', note);
  });
  afterAll(async () => {
    unsubscribe('http.server.request.start', note);
    unwatch?.();
    await host.stop();
  });

  test('as the host sees', async () => {
    await start('chain3', 'way-1');
    expect(seen).toEqual(watch === undefined ? [] : ['/durabletask/orchestrators/chain3/way-1']);
  });

  test('without a fragment, which no request has', async () => {
    expect(await start('chain3', 'way%232')).toMatchObject({ id: 'way' });
  });

  describe('An instance started by the client', () => {
    test('returns URLs of the host that was called, and they work', async () => {
      const answer = await call('/api/orchestrators/full?id=full-1', {
        method: 'POST',
        body: '{"who":"me","n":[1,2]}',
      });
      const urls = answer.body as Record<string, string>;
      const instance = `${origin}/runtime/webhooks/durabletask/instances/full-1`;
      const query = `taskHub=OracleHub&connection=Storage&code=${host.keys.durableTask}`;
      expect(answer.status).toBe(202);
      expect(answer.headers.get('location')).toBe(`${instance}?${query}`);
      expect(answer.headers.get('retry-after')).toBe('10');
      expect(urls).toEqual({
        id: 'full-1',
        statusQueryGetUri: `${instance}?${query}`,
        sendEventPostUri: `${instance}/raiseEvent/{eventName}?${query}`,
        terminatePostUri: `${instance}/terminate?reason={text}&${query}`,
        rewindPostUri: `${instance}/rewind?reason={text}&${query}`,
        purgeHistoryDeleteUri: `${instance}?${query}`,
        restartPostUri: `${instance}/restart?${query}`,
        suspendPostUri: `${instance}/suspend?reason={text}&${query}`,
        resumePostUri: `${instance}/resume?reason={text}&${query}`,
      });

      await skipToIdle();
      const status = await call(urls['statusQueryGetUri']!, {});
      expect(status).toMatchObject({
        status: 202,
        body: { name: 'full', runtimeStatus: 'Running', customStatus: 'waiting' },
      });
      const raised = await call(urls['sendEventPostUri']!.replace('{eventName}', 'Approval'), {
        method: 'POST',
        body: '{"ok":true}',
        headers: { 'content-type': 'application/json' },
      });
      expect(raised).toMatchObject({ status: 202, body: undefined });
      await skipToIdle();
      expect(await ops('status', 'full-1')).toEqual({
        ok: true,
        r: {
          name: 'full',
          instanceId: 'full-1',
          createdTime: expect.any(String) as string,
          lastUpdatedTime: expect.any(String) as string,
          input: { who: 'me', n: [1, 2] },
          output: { out: ['Hello, Tokyo!', 'Hello, Seattle!', 'Hello, London!', { ok: true }], id: 'full-1' },
          runtimeStatus: 'Completed',
          customStatus: 'waiting',
        },
      });
    });

    test('without input gets an empty string', async () => {
      await start('waiter', 'w');
      expect(await ops('status', 'w')).toMatchObject({ ok: true, r: { input: '' } });
    });

    test('cannot be started again while it lives, but afterwards', async () => {
      await start('waiter', 'w');
      expect((await call('/api/orchestrators/waiter?id=w')).status).toBe(500);
      await ops('terminate', 'w');
      await skipToIdle();
      await start('chain3', 'w');
      await skipToIdle();
      expect(await ops('status', 'w')).toMatchObject({ r: { name: 'chain3', runtimeStatus: 'Completed' } });
    });
  });

  describe('The client', () => {
    test('gets the error of a real host for an unknown instance', async () => {
      expect(await ops('status', 'nope')).toEqual({
        ok: false,
        name: 'Error',
        message:
          'DurableClient error: Durable Functions extension replied with HTTP 404 response. ' +
          'This usually means we could not find any data associated with the instanceId provided: nope.',
      });
      expect(await ops('terminate', 'nope')).toEqual({
        ok: false,
        name: 'Error',
        message: "No instance with ID 'nope' found.",
      });
      expect(await ops('raise', 'nope?name=E', { method: 'POST', body: '1' })).toEqual({
        ok: false,
        name: 'Error',
        message: "No instance with ID 'nope' found.",
      });
      expect(await ops('purge', 'nope')).toEqual({ ok: true, r: { instancesDeleted: 0 } });
    });

    test('gets no error for a finished instance, except for a rewind', async () => {
      await start('chain3', 'done');
      await skipToIdle();
      for (const operation of ['terminate', 'suspend', 'resume'])
        expect(await ops(operation, 'done')).toEqual({ ok: true, r: 'undefined' });
      expect(await ops('raise', 'done?name=E', { method: 'POST', body: '1' })).toEqual({
        ok: true,
        r: 'undefined',
      });
      expect(await ops('rewind', 'done')).toEqual({
        ok: false,
        name: 'Error',
        message:
          'This orchestration has status Completed, but only orchestrations in the "Failed" state can be rewound.',
      });
    });

    test('raises events, suspends, resumes and terminates', async () => {
      await start('suspendable', 'susp-1');
      expect(await ops('suspend', 'susp-1')).toEqual({ ok: true, r: 'undefined' });
      await skipToIdle();
      expect(await ops('status', 'susp-1')).toMatchObject({
        r: { runtimeStatus: 'Suspended', output: 'pause it' },
      });
      expect(await ops('raise', 'susp-1?name=A', { method: 'POST', body: '{"v":1}' })).toEqual({
        ok: true,
        r: 'undefined',
      });
      await ops('resume', 'susp-1');
      await skipToIdle();
      expect(await ops('status', 'susp-1')).toMatchObject({
        r: { runtimeStatus: 'Completed', output: { v: 1 } },
      });

      await start('waiter', 'term-1');
      expect(await ops('terminate', 'term-1')).toEqual({ ok: true, r: 'undefined' });
      await skipToIdle();
      expect(await ops('status', 'term-1')).toMatchObject({
        r: { runtimeStatus: 'Terminated', output: 'because' },
      });
    });

    test('lists all instances, over many pages, and those with a status', async () => {
      for (let index = 0; index < 120; index++)
        await host.engine.startInstance({
          name: index % 2 === 0 ? 'waiter' : 'chain3',
          instanceId: `i-${1000 + index}`,
          input: '1',
        });
      await skipToIdle();
      const all = (await ops('all')) as { r: { instanceId: string }[] };
      expect(all.r.map(({ instanceId }) => instanceId)).toEqual(
        Array.from({ length: 120 }, (_, index) => `i-${1000 + index}`),
      );
      const some = (await ops('by')) as { r: { name: string }[] };
      expect(some.r).toHaveLength(60);
      expect(new Set(some.r.map(({ name }) => name))).toEqual(new Set(['chain3']));
    });

    test('purges one instance, and what is finished by its status', async () => {
      await start('waiter', 'a');
      await start('waiter', 'b');
      await start('waiter', 'c');
      for (const id of ['a', 'b']) await ops('terminate', id);
      await skipToIdle();
      expect(await ops('purge', 'a')).toEqual({ ok: true, r: { instancesDeleted: 1 } });
      expect(await ops('purgeBy')).toEqual({ ok: true, r: { instancesDeleted: 1 } });
      expect(await ops('purgeBy')).toEqual({ ok: true, r: { instancesDeleted: 0 } });
      expect(await ops('all')).toMatchObject({ r: [{ instanceId: 'c' }] });
    });

    test('waits for completion, and answers as on a real host', async () => {
      expect(await call('/api/waitfor/chain3?timeout=15000')).toMatchObject({
        status: 200,
        body: ['Hello, Tokyo!', 'Hello, Seattle!', 'Hello, London!'],
      });
      expect(await call('/api/waitfor/failing?timeout=15000')).toMatchObject({
        status: 500,
        body: {
          name: 'failing',
          runtimeStatus: 'Failed',
          output: expect.stringMatching(
            /^Orchestrator function 'failing' failed: Activity function 'boom' failed: boom 42 \n /,
          ) as string,
        },
      });
      expect(await call('/api/waitfor/waiter?timeout=300')).toMatchObject({
        status: 202,
        body: { id: expect.stringMatching(/^[0-9a-f]{32}$/) as string },
      });
    });

    test('signals and reads entities', async () => {
      expect((await call('/api/entities/Counter/k/add', { method: 'POST', body: '4' })).status).toBe(202);
      await host.engine.whenQuiet();
      expect((await call('/api/entities/counter/k', {})).body).toEqual({
        entityExists: true,
        entityState: 4,
      });
      expect((await call('/api/entities/counter/K', {})).body).toEqual({ entityExists: false });
      expect((await call('/api/entities/nosuch/k/add', { method: 'POST' })).status).toBe(500);
    });
  });

  test('requests beyond the limits of host.json are 429, and those that were taken start their instances', async () => {
    const hub = new (class extends MemoryHub {
      readonly opens = Promise.withResolvers<void>();
      override async post(...posted: Parameters<MemoryHub['post']>): Promise<void> {
        await this.opens.promise;
        return super.post(...posted);
      }
    })({ name: 'Limited' });
    const limits = { maxConcurrentRequests: '1', maxOutstandingRequests: '5' };
    const limited = new Host({
      app: new FunctionsWorker({ registrations: await loadApp({ directory }), log: () => {} }),
      config: readConfig(
        directory,
        Object.fromEntries(
          Object.entries(limits).map(([name, limit]) => [
            `AzureFunctionsJobHost__extensions__http__${name}`,
            limit,
          ]),
        ),
      ),
      hub,
      clock,
      log: () => {},
    });
    const port = await limited.start(0);
    onTestFinished(() => limited.stop());
    const requests = Array.from({ length: 8 }, () =>
      limited.handle({
        method: 'POST',
        url: `http://localhost:${port}/api/orchestrators/chain3`,
        headers: { 'content-length': '0' },
      }),
    );
    expect(
      await limited.handle({ method: 'GET', url: `http://localhost:${port}/admin/host/status`, headers: {} }),
    ).toMatchObject({ status: 200 });
    const refused = await Promise.all(requests.slice(5));
    hub.opens.resolve();
    const taken = await Promise.all(requests.slice(0, 5));
    expect(taken.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202]);
    for (const { status, headers } of refused)
      expect([status, headers]).toEqual([
        429,
        [
          ['X-FUNCTION-SCALEOUT', '1'],
          ['Retry-After', '1'],
        ],
      ]);
    await limited.engine.whenQuiet();
    const { records } = await limited.engine.query({ top: 10 });
    expect(records.map(({ runtimeStatus }) => runtimeStatus)).toEqual(Array(5).fill('Completed'));
  });
});
