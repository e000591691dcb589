/** The sockets in front of the host. */
import { once } from 'node:events';
import http from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import type { HttpRequestLike, HttpResponseLike } from '../src/http-message.js';
import { readBody } from '../src/http-message.js';
import type { Handle } from '../src/http-server.js';
import { HttpServer } from '../src/http-server.js';

const servers: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function serve(handle: Handle): Promise<{ server: HttpServer; port: number }> {
  const server = new HttpServer(handle);
  servers.push(server);
  return { server, port: await server.listen(0) };
}

async function ok(): Promise<HttpResponseLike> {
  return {
    status: 200,
    headers: [
      ['x-a', '1'],
      ['x-a', '2'],
      ['content-length', '99'],
    ],
    body: Buffer.from('fine'),
  };
}

test('a request has an absolute URL, lower-case headers and its body', async () => {
  const requests: HttpRequestLike[] = [];
  const { port } = await serve(async (request) => {
    requests.push({ ...request, body: (await readBody(request))! });
    return ok();
  });
  const response = await fetch(`http://127.0.0.1:${port}/a%20b?c=d`, {
    method: 'PUT',
    headers: { 'X-Some': 'Value' },
    body: 'text',
  });
  expect(requests[0]).toMatchObject({
    method: 'PUT',
    url: `http://127.0.0.1:${port}/a%20b?c=d`,
    headers: { 'x-some': 'Value' },
    body: Buffer.from('text'),
  });
  expect([
    response.headers.get('x-a'),
    response.headers.get('content-length'),
    await response.text(),
  ]).toEqual(['1, 2', '4', 'fine']);
});

test('a response that HTTP does not allow, and an error of the handler, become 500', async () => {
  const { port } = await serve(async ({ url }) => {
    if (url.endsWith('/throws')) throw new Error('never mind');
    return {
      status: 200,
      headers: [['x-a', url.endsWith('/header') ? 'two\nlines' : 'fine']],
      body: new Uint8Array(),
      ...(url.endsWith('/status') && { status: 7 }),
    };
  });
  for (const [where, status] of [
    ['header', 500],
    ['status', 500],
    ['throws', 500],
    ['fine', 200],
  ]) {
    expect((await fetch(`http://127.0.0.1:${port}/${where}`)).status).toBe(status);
  }
});

test('the server answers under the names of this machine, and under those that it was given', async () => {
  const statusOf = async (hostNames: string[] | undefined, host: string): Promise<string> => {
    const server = new HttpServer(ok, hostNames);
    servers.push(server);
    const port = await server.listen(0);
    const request = http.get({ host: '127.0.0.1', port, headers: { host } });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += chunk as string;
    return `${response.statusCode} ${text}`;
  };
  for (const host of ['localhost', 'LocalHost:80', '127.0.0.1:7071', '127.1', '127.9.9.9', '[::1]:80'])
    expect(await statusOf(undefined, host), host).toBe('200 fine');
  for (const host of [
    'rebound.example',
    'localhost.rebound.example:80',
    '127.0.0.1.rebound.example',
    '10.0.0.1',
    '[::2]',
  ])
    expect(await statusOf(undefined, host), host).toMatch(/^403 The emulator answers under .*--host-names /);
  const given = ['App.Example', ' .devtunnels.ms'];
  for (const host of ['app.example', 'a-7071.euw.devtunnels.ms', 'localhost'])
    expect(await statusOf(given, host), host).toBe('200 fine');
  for (const host of ['x.app.example', 'devtunnels.ms', 'evildevtunnels.ms'])
    expect(await statusOf(given, host), host).toMatch(/^403 /);
  expect(await statusOf(['*'], 'any.example')).toBe('200 fine');
});

test('a caller that closes its connection does no harm', async () => {
  const arrived = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  let isAbandoned = (): boolean => false;
  const { port } = await serve(async (request) => {
    if (request.url.endsWith('/slow')) {
      isAbandoned = request.isAbandoned!;
      arrived.resolve();
      await answer.promise;
    }
    return ok();
  });
  const request = http.get(`http://127.0.0.1:${port}/slow`).on('error', () => {});
  await arrived.promise;
  expect(isAbandoned()).toBe(false);
  request.destroy();
  await vi.waitFor(() => {
    expect(isAbandoned()).toBe(true);
  });
  const half = http
    .request(`http://127.0.0.1:${port}/half`, { method: 'POST', headers: { 'content-length': '100' } })
    .on('error', () => {});
  half.write('some');
  await once(half, 'socket');
  half.destroy();
  answer.resolve();
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
});

test('a server that closes answers running requests, then waits for nothing, and accepts no others', async () => {
  // The timer of the server's longest wait never fires here: the server must not need it.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  let closed: Promise<void> | undefined;
  const { server, port } = await serve(async () => {
    closed ??= server.close();
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    return ok();
  });
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('fine');
  await closed;
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow('fetch failed');
});

test('a port is in use when it is in use at one of the addresses of localhost', async ({ skip }) => {
  for (const host of ['127.0.0.1', '::1']) {
    const other = createServer();
    const listening = once(other.listen(0, host), 'listening').then(
      () => true,
      () => false,
    );
    if (!(await listening)) skip('This machine has no ::1.');
    const { port } = other.address() as AddressInfo;
    await expect(new HttpServer(ok).listen(port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    other.close();
  }
});
