/** What a real host does besides running functions: structured failures, and the rules of its web server. */
import { once } from 'node:events';
import http from 'node:http';
import { connect } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { TestApp } from '../src/testing.js';

const directory = path.join(import.meta.dirname, 'fixtures/rules-app');
const lines: string[] = [];
let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start({
    directory,
    strict: false,
    log: (level, _category, message) => {
      if (level === 'error') lines.push(message);
    },
  });
});
afterAll(() => app.stop());
beforeEach(() => {
  lines.splice(0);
});

/** Sends bytes, and returns the status line of the response. */
async function raw(request: string | Buffer): Promise<string> {
  const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
  socket.end(request);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'close');
  return Buffer.concat(chunks).toString();
}
const HEAD = 'HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n';

test('with an exception properties provider, failures keep their details from child to parent', async () => {
  const id = await app.start('parent');
  expect(await app.finished(id)).toMatchObject({
    output: {
      isTaskFailedError: true,
      errorType: 'MyError',
      errorMessage: 'mine',
      properties: { code: 'E_MINE' },
    },
  });
  expect(await app.instance(`${id}-child`)).toMatchObject({
    runtimeStatus: 'Failed',
    output: 'MyError: mine',
  });
  expect((await app.history(`${id}-child`)).find((event) => 'OrchestrationStatus' in event)).toMatchObject({
    FailureDetails: { ErrorType: 'MyError', ErrorMessage: 'mine', Properties: { code: 'E_MINE' } },
  });
});

test('a function gets no body that came in chunks without a length, and the log says so', async () => {
  const send = async (headers: http.OutgoingHttpHeaders): Promise<unknown> => {
    const request = http.request(`${app.url}/api/echo`, { method: 'POST', headers });
    request.write('te');
    request.end('xt');
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    return JSON.parse(Buffer.concat(await response.toArray()).toString());
  };
  expect(await send({ 'content-length': 4 })).toMatchObject({ body: 'text' });
  expect(lines).toEqual([]);
  expect(await send({ 'transfer-encoding': 'chunked' })).toMatchObject({ body: '' });
  expect(lines).toEqual([
    expect.stringContaining("'echo' gets a request without its body, as in production"),
  ]);
});

test.for([
  [{ 'x-name': 'café' }, "Its header 'x-name' has a character that is not ASCII"],
  [{ 'content-length': '2' }, 'Its content-length is 2, and its body has 4 bytes'],
  [{ 'transfer-encoding': 'chunked' }, 'It has a header transfer-encoding'],
] as const)('a response with %o becomes 500, and the log says why', async ([headers, why]) => {
  expect((await app.post('/api/answers', { body: 'text', 'x-fine': 'yes' })).status).toBe(200);
  expect((await app.post('/api/answers', { body: 'text', ...headers })).status).toBe(500);
  expect(lines).toEqual([expect.stringContaining(`The response of 'answers' cannot be sent. ${why}`)]);
});

test('a path of /admin that the host does not have reaches a function with a catch-all at the root', async () => {
  const settings = { AzureFunctionsJobHost__extensions__http__routePrefix: '' };
  await using rooted = await TestApp.start({ directory, settings });
  expect(await (await rooted.get('/admin/other')).text()).toBe('rest admin/other');
  expect(await (await rooted.get('/admin/host/status')).json()).toMatchObject({ state: 'Running' });
});

test('to HEAD, a response may have a greater length than its body, not a smaller one', async () => {
  const head = (length: string): Promise<string> => raw(`HEAD /api/length/${length} ${HEAD}\r\n`);
  expect(await head('9')).toMatch(/^HTTP\/1.1 200 /);
  expect(await head('1')).toMatch(/^HTTP\/1.1 500 /);
});

test('headers of a request are read as UTF-8, and others are refused', async () => {
  const get = (name: Buffer): Promise<string> =>
    raw(Buffer.concat([Buffer.from(`GET /api/echo ${HEAD}X-Name: `), name, Buffer.from('\r\n\r\n')]));
  expect(await get(Buffer.from('café'))).toContain('"name":"café"');
  expect(await get(Buffer.from([0x63, 0xe9]))).toMatch(/^HTTP\/1.1 400 /);
});

test('of the repeated headers of a request, commas join the values that are not empty', async () => {
  const get = (headers: string): Promise<string> => raw(`GET /api/echo ${HEAD}${headers}\r\n`);
  expect(await get('X-Name: a\r\nx-name:\r\nX-NAME: b, c\r\n')).toContain('"name":"a,b, c"');
  expect(await get('X-Name: a\r\nExpect: something\r\n')).toContain('"name":"a"');
});

test('a number sign and a backslash in the target of a request belong to its path', async () => {
  expect(await raw(`GET /api/path/a#b\\c?d=e#f ${HEAD}\r\n`)).toContain(
    '{"rest":"a#b\\\\c","url":"/api/path/a%23b%5Cc?d=e%23f"}',
  );
});

test.for<[string, string, number]>([
  ['two Host headers', `GET /api/echo ${HEAD}Host: localhost\r\n\r\n`, 400],
  [
    'a path in its Host header',
    'GET /api/echo HTTP/1.1\r\nHost: localhost/x\r\nConnection: close\r\n\r\n',
    400,
  ],
  [
    'a user in its Host header',
    'GET /api/echo HTTP/1.1\r\nHost: a@localhost\r\nConnection: close\r\n\r\n',
    400,
  ],

  ['a null in its path', `GET /api/echo%00 ${HEAD}\r\n`, 400],
  ['a request line of 8 KB', `GET /api/echo?a=${'a'.repeat(8100)} ${HEAD}\r\n`, 200],
  ['a longer request line', `GET /api/echo?a=${'a'.repeat(8200)} ${HEAD}\r\n`, 414],
  ['a hundred headers', `GET /api/echo ${HEAD}${'X-A: a\r\n'.repeat(98)}\r\n`, 200],
  ['more headers', `GET /api/echo ${HEAD}${'X-A: a\r\n'.repeat(99)}\r\n`, 431],
  ['more than 32 KB of headers', `GET /api/echo ${HEAD}X-A: ${'a'.repeat(33_000)}\r\n\r\n`, 431],
])('a request with %s', async ([, request, status]) => {
  expect(await raw(request)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
});
