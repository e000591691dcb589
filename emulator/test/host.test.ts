/** One app behind the host's HTTP: as under func start, and with keys enforced as in Azure. */
import { once } from 'node:events';
import http from 'node:http';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from '../src/config/config.js';
import { WallClock } from '../src/durable/clock.js';
import { MemoryHub } from '../src/durable/memory/memory-hub.js';
import type { HostOptions } from '../src/host.js';
import { Host } from '../src/host.js';
import { keyList } from '../src/function-list.js';
import type { Log } from '../src/log.js';
import { FunctionsWorker } from '../src/worker/worker.js';
import { loadApp } from '../src/worker/app-loader.js';
import { eventually } from './support/eventually.js';

const directory = path.join(import.meta.dirname, 'fixtures/apps/hello');
const lines: string[] = [];
const hosts: Host[] = [];

async function start(
  options: Partial<HostOptions> = {},
  environment: Record<string, string> = {},
): Promise<string> {
  const log: Log = (level, category, message) => {
    lines.push(`${level} ${category} ${message}`);
  };
  const app = new FunctionsWorker({ registrations: await loadApp({ directory }), log });
  const config = readConfig(directory, environment);
  process.env['GREETING'] = 'Hello';
  const host = new Host({
    app,
    config,
    hub: new MemoryHub({ name: config.hubName }),
    clock: new WallClock(),
    log,
    ...options,
  });
  hosts.push(host);
  const port = await host.start(0);
  process.env['WEBSITE_HOSTNAME'] = `localhost:${port}`;
  return host.origin;
}

afterAll(async () => {
  await Promise.all(hosts.map((host) => host.stop()));
});

function cors({ status, headers }: Response): unknown[] {
  return [
    status,
    ...['origin', 'credentials', 'methods', 'headers'].map((name) =>
      headers.get(`access-control-allow-${name}`),
    ),
  ];
}

describe('as under func start', () => {
  let origin: string;
  beforeAll(async () => {
    origin = await start({}, { 'AzureWebJobs.Off.Disabled': 'true' });
  });

  test('an HTTP function starts an orchestration, and its status is Completed', async () => {
    const started = await fetch(`${origin}/api/hello`, { method: 'POST' });
    expect(started.status).toBe(202);
    const { statusQueryGetUri } = (await started.json()) as { statusQueryGetUri: string };
    expect(statusQueryGetUri).toMatch(
      new RegExp(
        `^${origin}/runtime/webhooks/durabletask/instances/[0-9a-f]{32}\\?taskHub=HelloHub&connection=Storage&code=`,
      ),
    );
    const status = await eventually(async () => {
      const response = await fetch(statusQueryGetUri);
      expect(response.status).toBe(200);
      return response.json();
    });
    expect(status).toMatchObject({
      runtimeStatus: 'Completed',
      output: ['Hello, Tokyo!', 'Hello, Seattle!', 'Hello, London!'],
    });
    expect(lines).toContainEqual(
      expect.stringMatching(/^information Function\.StartHello\.User Started [0-9a-f]{32}$/),
    );
  });

  test('an activity with a durable client starts an instance of its own', async () => {
    const { statusQueryGetUri, id } = (await (
      await fetch(`${origin}/api/hello/Launcher`, { method: 'POST' })
    ).json()) as { statusQueryGetUri: string; id: string };
    await eventually(async () => {
      expect(await (await fetch(statusQueryGetUri)).json()).toMatchObject({
        runtimeStatus: 'Completed',
        output: `${id}-launched`,
      });
      expect(await (await fetch(statusQueryGetUri.replace(id, `${id}-launched`))).json()).toMatchObject({
        runtimeStatus: 'Completed',
      });
    });
  });

  test('bodies stay the same, byte by byte, in both directions', async () => {
    const body = Uint8Array.from({ length: 100_000 }, (_, index) => (index * 7) % 256);
    const response = await fetch(`${origin}/api/echo`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/octet-stream' },
    });
    expect(response.headers.get('content-type')).toBe('application/octet-stream');
    expect(Buffer.compare(Buffer.from(await response.arrayBuffer()), Buffer.from(body))).toBe(0);
  });

  test('route values and query reach the function', async () => {
    const response = await fetch(`${origin}/api/Echo/a%20b?x=1&y=2&x=3`);
    expect(response.headers.get('x-name')).toBe('a b');
    expect(JSON.parse(response.headers.get('x-query')!)).toEqual([
      ['x', '1,3'],
      ['y', '2'],
    ]);
  });

  test('the signed-in user reaches the function in the header of the request', async () => {
    const principal = Buffer.from(
      JSON.stringify({ userId: 'someone', userDetails: 'Some One', identityProvider: 'aad', userRoles: [] }),
    ).toString('base64');
    const response = await fetch(`${origin}/api/echo`, { headers: { 'x-ms-client-principal': principal } });
    expect(response.headers.get('x-caller')).toBe('someone');
  });

  test('each cookie is a header of its own', async () => {
    const response = await fetch(`${origin}/api/echo`);
    expect(response.headers.getSetCookie()).toEqual([
      'plain=a%20b; path=/',
      'full=1; expires=Fri, 02 Jan 2026 03:04:05 GMT; max-age=60; domain=example.com; path=/echo; secure; samesite=strict; httponly',
    ]);
  });

  test.each([204, 304])('%i has no body', async (status) => {
    const response = await fetch(`${origin}/api/echo?status=${status}`, {
      method: 'POST',
      body: 'something',
    });
    expect([response.status, await response.text(), response.headers.get('content-length')]).toEqual([
      status,
      '',
      null,
    ]);
  });

  test('the response to HEAD has headers only', async () => {
    const response = await fetch(`${origin}/api/echo/x`, { method: 'HEAD' });
    expect([response.status, response.headers.get('x-name'), await response.text()]).toEqual([200, 'x', '']);
  });

  test('the response of a function that returns nothing is 204', async () => {
    expect((await fetch(`${origin}/api/Nothing`)).status).toBe(204);
  });

  test('the response of a function that throws is 500 without a body, and the log has the error and its place', async () => {
    const response = await fetch(`${origin}/api/throws`);
    expect([response.status, await response.text()]).toEqual([500, '']);
    expect(lines).toContainEqual(
      expect.stringMatching(
        /^error Function\.Throws Executed 'Functions\.Throws' \(Failed, Id=[-0-9a-f]{36}, Duration=\d+ms\)\nError: this one always throws\n\s+at .*index\.js/,
      ),
    );
  });

  test.each([
    ['GET', '/api/nope'],
    ['DELETE', '/api/echo'],
    ['HEAD', '/api/Nothing'],
    ['GET', '/echo'],
    ['GET', '/api/Off'],
    ['GET', '/admin/nope'],
    ['GET', '/runtime/webhooks/durabletask/nope'],
  ])('%s %s is 404: unknown, another method, or switched off', async (method, where) => {
    const response = await fetch(`${origin}${where}`, { method });
    expect([response.status, await response.text()]).toEqual([404, '']);
  });

  test('the response to a body above 100 MB is 413, also without a Content-Length', async () => {
    const chunk = Buffer.alloc(1024 * 1024);
    const post = async (headers: Record<string, string>): Promise<number> =>
      new Promise((resolve, reject) => {
        const request = http.request(`${origin}/api/echo`, { method: 'POST', headers }, (response) => {
          response.resume();
          resolve(response.statusCode!);
        });
        request.on('error', reject);
        for (let megabytes = 0; megabytes < 101; megabytes++) request.write(chunk);
        request.end();
      });
    expect(await post({ 'content-length': String(101 * chunk.length) })).toBe(413);
    expect(await post({ 'transfer-encoding': 'chunked' })).toBe(413);
  });

  test('no keys are required', async () => {
    expect((await fetch(`${origin}/api/AdminOnly`)).status).toBe(200);
    expect((await fetch(`${origin}/admin/host/status`)).status).toBe(200);
  });

  test('the host reports its state and its functions', async () => {
    expect(await (await fetch(`${origin}/admin/host/status`)).json()).toMatchObject({ state: 'Running' });
    const ping = await fetch(`${origin}/admin/host/ping`, { method: 'POST' });
    expect([ping.status, ping.headers.get('cache-control')]).toEqual([200, 'no-store,no-cache']);
    const functions = (await (await fetch(`${origin}/admin/functions`)).json()) as { name: string }[];
    expect(functions).toContainEqual(
      expect.objectContaining({
        name: 'Echo',
        invoke_url_template: `${origin}/api/echo/{name?}`,
        isDisabled: false,
        language: 'node',
      }),
    );
    expect(functions).toContainEqual(expect.objectContaining({ name: 'Off', isDisabled: true }));
    const names = functions.map(({ name }) => name);
    expect(names).toContain('SayHello');
    expect(names).toEqual(names.toSorted((a, b) => (a.toUpperCase() < b.toUpperCase() ? -1 : 1)));
    expect(await (await fetch(`${origin}/admin/functions/ECHO`)).json()).toMatchObject({
      name: 'Echo',
      href: `${origin}/admin/functions/Echo`,
    });
    expect(await (await fetch(`${origin}/admin/functions/Echo/status`)).json()).toEqual({});
    expect((await fetch(`${origin}/admin/functions/None`)).status).toBe(404);
  });

  test('the root is the page of the host', async () => {
    const response = await fetch(`${origin}/`);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/html']);
    expect(await response.text()).toContain('<title>Your Azure Function App is up and running.</title>');
  });

  test('a page of an allowed origin may call, and may send a preflight request', async () => {
    const preflight = {
      'access-control-request-method': 'PUT',
      'access-control-request-headers': 'x-a, content-type',
    };
    const allowed = { origin: 'https://page.example' };
    expect(cors(await fetch(`${origin}/api/echo`, { headers: allowed }))).toEqual([
      200,
      'https://page.example',
      'true',
      null,
      null,
    ]);
    expect(
      cors(await fetch(`${origin}/api/echo`, { method: 'OPTIONS', headers: { ...allowed, ...preflight } })),
    ).toEqual([204, 'https://page.example', 'true', 'PUT', 'x-a,content-type']);
    expect(cors(await fetch(`${origin}/api/nope`, { headers: allowed }))).toEqual([
      404,
      'https://page.example',
      'true',
      null,
      null,
    ]);
    const other = { origin: 'https://other.example' };
    expect(cors(await fetch(`${origin}/api/echo`, { headers: other }))).toEqual([
      200,
      null,
      null,
      null,
      null,
    ]);
    expect(
      cors(await fetch(`${origin}/api/echo`, { method: 'OPTIONS', headers: { ...other, ...preflight } })),
    ).toEqual([204, null, null, null, null]);
  });
});

describe('with keys enforced', () => {
  const keys = {
    master: 'the-master',
    host: 'the-host',
    durableTask: 'the-system',
    functions: { StartHello: 'own', AdminOnly: 'admins', Echo: 'others' },
  };
  let origin: string;
  beforeAll(async () => {
    origin = await start(
      { enforceKeys: true, keys },
      { 'AzureWebJobs.Off.Disabled': '1', AzureWebJobsDisableHomepage: 'true' },
    );
  });

  test.each<[what: string, method: string, where: string, key: string | undefined, status: number]>([
    ['a function of level function', 'POST', '/api/hello', undefined, 401],
    ['a function of level function', 'POST', '/api/hello', 'wrong', 401],
    ['a function of level function', 'POST', '/api/hello', 'own', 202],
    ['a function of level function', 'POST', '/api/hello', 'the-host', 202],
    ['a function of level function', 'POST', '/api/hello', 'the-master', 202],
    ['a function of level function', 'POST', '/api/hello', 'the-system', 401],
    ['a function of level function', 'POST', '/api/hello', 'others', 401],
    ['a function of level admin', 'GET', '/api/AdminOnly', 'admins', 401],
    ['a function of level admin', 'GET', '/api/AdminOnly', 'the-host', 401],
    ['a function of level admin', 'GET', '/api/AdminOnly', 'the-master', 200],
    ['an anonymous function', 'GET', '/api/echo', undefined, 200],
    ['the host status', 'GET', '/admin/host/status', undefined, 401],
    ['the host status', 'GET', '/admin/host/status', 'others', 401],
    ['the host status', 'GET', '/admin/host/status', 'the-host', 403],
    ['the host status', 'GET', '/admin/host/status', 'the-system', 403],
    ['an address that the admin API does not have', 'GET', '/admin/nope', undefined, 404],
    ['another method of the host status', 'PUT', '/admin/host/status', 'the-host', 404],
    ['the keys', 'GET', '/admin/host/keys', 'the-host', 403],
    ['the host status', 'GET', '/admin/host/status', 'the-master', 200],
    ['the ping', 'GET', '/admin/host/ping', undefined, 200],
    ['the management API', 'GET', '/runtime/webhooks/durabletask/instances', undefined, 401],
    ['the management API', 'GET', '/runtime/webhooks/durabletask/instances', 'the-host', 403],
    ['the management API', 'GET', '/runtime/webhooks/durabletask/instances', 'the-master', 200],
    ['the management API', 'GET', '/runtime/webhooks/durabletask/instances', 'the-system', 200],
    ['a route that does not exist', 'GET', '/api/nope', undefined, 404],
  ])(
    '%s, %s %s, with the key %s answers %i, in the header and in the URL',
    async (_what, method, where, key, status) => {
      const response = await fetch(`${origin}${where}`, {
        method,
        ...(key !== undefined && { headers: { 'x-functions-key': key } }),
      });
      expect(response.status).toBe(status);
      expect(
        (await fetch(`${origin}${where}${key === undefined ? '' : `?code=${key}`}`, { method })).status,
      ).toBe(status);
    },
  );

  test('a call without a key gets 401 and no body', async () => {
    const response = await fetch(`${origin}/api/AdminOnly`);
    expect([response.status, await response.text()]).toEqual([401, '']);
    const admin = await fetch(`${origin}/admin/functions`);
    expect([admin.status, admin.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
  });

  test('of several keys in the header or in the URL the first counts, and the name of the parameter may have any case', async () => {
    const status = async (query: string, key?: string): Promise<number> => {
      const headers = key === undefined ? {} : { 'x-functions-key': key };
      return (await fetch(`${origin}/api/hello${query}`, { method: 'POST', headers })).status;
    };
    expect(await status('?CODE=own')).toBe(202);
    expect(await status('?code=own&code=wrong')).toBe(202);
    expect(await status('?code=wrong&code=own')).toBe(401);
    expect(await status('', 'own,wrong')).toBe(202);
  });

  test.each<[where: string, answer: unknown]>([
    ['/admin/host/keys', { keys: [{ name: 'default', value: 'the-host' }] }],
    ['/admin/host/keys/default', { name: 'default', value: 'the-host' }],
    ['/admin/host/keys/none', undefined],
    ['/admin/host/systemkeys', { keys: [{ name: 'durabletask_extension', value: 'the-system' }] }],
    ['/admin/host/systemkeys/_master', { name: '_master', value: 'the-master' }],
    ['/admin/functions/starthello/keys', { keys: [{ name: 'default', value: 'own' }] }],
    ['/admin/functions/StartHello/keys/default', { name: 'default', value: 'own' }],
    ['/admin/functions/None/keys', undefined],
  ])('the master key opens %s', async (where, answer) => {
    const response = await fetch(origin + where, { headers: { 'x-functions-key': 'the-master' } });
    if (answer === undefined) expect(response.status).toBe(404);
    else
      expect(await response.json()).toEqual({
        ...(answer as object),
        links: [{ rel: 'self', href: origin + where }],
      });
  });

  test.each(['/api/hello', '/runtime/webhooks/durabletask/orchestrators/hello'])(
    'a call of %s without a key gets 401 before its body is sent',
    async (where) => {
      const { port } = new URL(origin);
      const call = http.request({
        port,
        path: where,
        method: 'POST',
        headers: { 'content-length': '1000000' },
      });
      call.on('error', () => {}).flushHeaders();
      const [response] = (await once(call, 'response')) as [http.IncomingMessage];
      expect(response.statusCode).toBe(401);
      call.destroy();
    },
  );

  test('a wrong key in the header counts, even with a right key in the URL', async () => {
    expect(
      (
        await fetch(`${origin}/api/hello?code=own`, {
          method: 'POST',
          headers: { 'x-functions-key': 'wrong' },
        })
      ).status,
    ).toBe(401);
  });

  test('keys that are not given are made, and printed', async () => {
    await start({ enforceKeys: true });
    const made = hosts.at(-1)!;
    expect(
      new Set([made.keys.master, made.keys.host, made.keys.durableTask, made.keys.functions['StartHello']])
        .size,
    ).toBe(4);
    expect(keyList(made)).toContain(`\tStartHello: ${made.keys.functions['StartHello']}`);
    expect(
      (
        await fetch(`${made.origin}/api/hello`, {
          method: 'POST',
          headers: { 'x-functions-key': made.keys.host },
        })
      ).status,
    ).toBe(202);
  });

  test('without a homepage the root is 204', async () => {
    expect((await fetch(`${origin}/`)).status).toBe(204);
  });
});
