/** An app with HTTP streams: requests and responses pass piece by piece, over real sockets. */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { TestApp } from '../src/testing.js';
import { forward } from '../src/triggers/http-stream.js';

const directory = path.join(import.meta.dirname, 'fixtures/stream-app');
const lines: string[] = [];
let app: TestApp;

interface State {
  read: string[];
  next: PromiseWithResolvers<void>;
}
function state(): State {
  return (globalThis as unknown as { streams: State }).streams;
}

beforeAll(async () => {
  app = await TestApp.start({
    directory,
    time: '2031-05-06T07:08:09Z',
    log: (level, _category, message) => {
      lines.push(`${level} ${message}`);
    },
  });
});
afterAll(() => app.stop());
beforeEach(() => {
  lines.length = 0;
  state().read.length = 0;
});

test('a response arrives piece by piece, while the function still writes it', async () => {
  const response = await fetch(`${app.url}/api/count/3?name=me`);
  expect([
    response.status,
    response.headers.get('content-type'),
    response.headers.get('x-name'),
    response.headers.getSetCookie(),
  ]).toEqual([200, 'text/event-stream', 'me', ['a=1', 'b=2']]);
  const received: string[] = [];
  for await (const chunk of response.body!) {
    received.push(Buffer.from(chunk as Uint8Array).toString());
    state().next.resolve();
  }
  expect(received).toEqual(['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n']);
});

test('a request is read piece by piece, while the caller still sends it', async () => {
  const request = http.request(`${app.url}/api/Read`, { method: 'POST', headers: { 'x-own': 'mine' } });
  request.write('first');
  await expect.poll(() => state().read).toEqual(['first']);
  request.end('second');
  const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
  expect(answer.statusCode).toBe(201);
  expect(JSON.parse((await answer.toArray()).join(''))).toEqual({
    read: ['first', 'second'],
    url: `${app.url}/api/Read`,
    header: 'mine',
    year: 2031,
  });
});

test('the response to a Content-Length above the limit is 413, before the body is read', async () => {
  const request = http.request(`${app.url}/api/Read`, {
    method: 'POST',
    headers: { 'content-length': String(101 * 1024 * 1024) },
  });
  request.write('first');
  const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
  expect([answer.statusCode, state().read]).toEqual([413, []]);
  request.destroy();
});

test('streams work without a socket, too', async () => {
  const response = await app.post('/api/Read', 'whole');
  expect([response.status, await response.json()]).toMatchObject([201, { read: ['whole'] }]);
  const counted = await app.get('/api/count/1');
  state().next.resolve();
  expect(await counted.text()).toBe('data: 1\n\n');
});

test('the response of a function that throws or returns nothing is 500; production sends none, and the log says so', async () => {
  expect((await app.get('/api/Throws')).status).toBe(500);
  expect(lines).toContain(
    "warning 'Throws' threw. With HTTP streams, production then sends no response, and the caller waits.",
  );
  expect((await app.get('/api/Nothing')).status).toBe(500);
  expect(lines).toContain(
    "warning 'Nothing' returned nothing. With HTTP streams, production then sends no response, and the caller waits.",
  );
});

test('the parameters of a request have the values of its query, too, and those of the route come first', async () => {
  const get = async (target: string): Promise<unknown> =>
    (await fetch(`${app.url}/api/params/${target}`)).json();
  expect(await get('1?ID=2&a=3&A=4&a=5&code=key')).toMatchObject({ params: { ID: '1', A: '5' } });
  expect(await get('a%2Bb%2Fc%zz?d=%zz|')).toMatchObject({
    params: { id: 'a+b%2Fc%zz' },
    url: '/api/params/a+b%252Fc%25zz?d=%25zz%7C',
  });
});

test('a response that is longer than its content-length breaks, and the emulator goes on', async () => {
  expect((await fetch(`${app.url}/api/TooShort`)).headers.get('content-length')).toBe('1');
  expect((await app.get('/api/LongHeader')).headers.get('x-long')).toHaveLength(20_000);
});

test('a response with a header that is not ASCII becomes 500, and the log says why', async () => {
  expect((await fetch(`${app.url}/api/NotAscii`)).status).toBe(500);
  expect(lines).toContain(
    "error The response of 'NotAscii' cannot be sent. Its header 'x-name' has a character that is not ASCII: encode it.",
  );
});

test('a request that its caller breaks off is a line at debug level, without a stack of the host', async () => {
  const request = http.request(`${app.url}/api/Read`, {
    method: 'POST',
    headers: { 'content-length': '100' },
  });
  request.on('error', () => {});
  request.write('first');
  await expect.poll(() => state().read).toEqual(['first']);
  request.destroy();
  await expect
    .poll(() => lines)
    .toContainEqual(expect.stringMatching(/^debug The caller broke off POST http.*\/api\/Read$/));
  expect(lines.filter((line) => /^error (?!Executed)/.test(line))).toEqual([]);
});

test('a request that breaks off before the app is connected reaches the app, whose invocation waits for it', async () => {
  const server = http.createServer().listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.close();
  });
  const reached = once(server, 'request') as Promise<[http.IncomingMessage]>;
  await once(server, 'listening');
  const body = new Readable({ read: () => {} });
  body.on('error', () => {}).destroy(new Error('The caller is gone'));
  const { port } = server.address() as AddressInfo;
  const { answer } = forward(`http://127.0.0.1:${port}`, 'its-id', {
    method: 'POST',
    url: 'http://localhost/api/Read',
    headers: {},
    body,
  });
  await expect(answer).rejects.toThrow(/socket hang up|aborted|closed/i);
  const [{ headers }] = await reached;
  expect(headers['x-ms-invocation-id']).toBe('its-id');
});

test('a response that breaks off in the app breaks off for the caller', async () => {
  const response = await fetch(`${app.url}/api/BreaksOff`);
  expect(response.status).toBe(200);
  await expect(response.text()).rejects.toThrow('terminated');
  await expect
    .poll(() => lines)
    .toContainEqual(
      expect.stringMatching(/^error Executed 'Functions\.BreaksOff' \(Failed, .*\nError: broken off/s),
    );
});

test('204 has no body, and the host answers paths without a function', async () => {
  const response = await fetch(`${app.url}/api/NoContent`);
  expect([response.status, await response.text()]).toEqual([204, '']);
  expect((await fetch(`${app.url}/api/nope`, { method: 'POST', body: 'x' })).status).toBe(404);
  expect((await fetch(`${app.url}/admin/host/status`)).status).toBe(200);
});

test('an instance is started and found', async () => {
  const response = await app.post('/api/Start');
  expect(response.status).toBe(202);
  const { id, statusQueryGetUri } = (await response.json()) as { id: string; statusQueryGetUri: string };
  expect(new URL(statusQueryGetUri).origin).toBe(app.url);
  expect(await app.finished(id)).toMatchObject({ output: 'done' });
  expect((await app.get(statusQueryGetUri)).status).toBe(200);
});

test('keys are checked before the body is read', async () => {
  await using locked = await TestApp.start({ directory, enforceKeys: true });
  expect((await locked.post('/api/Secret', 'body')).status).toBe(401);
  expect((await locked.post('/api/Secret', 'body', { 'x-functions-key': locked.keys.host })).status).toBe(
    200,
  );
});
