/**
 * Bad requests to every endpoint of the management API, and to the sockets in front of it. Each gets the
 * response of a real host, or a 4xx. It never gets a 5xx that a real host does not give, and it never ends
 * the host. Both hubs give the same responses, for any id and any query. The random tests are bounded by
 * their number of runs.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import * as fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, inject } from 'vitest';
import { AzureStorageHub } from '../src/durable/azure-storage/hub.js';
import { MemoryHub } from '../src/durable/memory/memory-hub.js';
import { account } from './support/azurite.js';
import { comparable } from './support/comparable.js';
import { Session } from './support/recorded-session.js';

const API = '/runtime/webhooks/durabletask';
const RUNS = Number(process.env['BAD_INPUT_RUNS'] ?? (inject('long') ? 120 : 48));
/** The same requests in every run; the long form draws others each time. */
const SEED = inject('long') ? {} : { seed: 20_261_127 };

type Hosts = readonly [memory: Session, storage: Session];

async function start(): Promise<Hosts> {
  const settings = { AzureWebJobsStorage: await account() };
  return Promise.all([
    Session.start({ hub: new MemoryHub({ name: 'OracleHub' }), settings }),
    Session.start({
      hub: new AzureStorageHub({ connection: settings.AzureWebJobsStorage, name: 'OracleHub' }),
      settings,
    }),
  ]);
}

interface Request {
  method: string;
  /** As in the HTTP request. */
  path: string;
  headers: Record<string, string>;
  body?: string | Uint8Array;
}

interface Answer {
  status: number;
  body: unknown;
}

async function ask(session: Session, { method, path, headers, body }: Request): Promise<Answer> {
  const answer = await session.host.handle({
    method,
    url: `http://127.0.0.1:7071${path}`,
    headers,
    ...(body !== undefined && { body: typeof body === 'string' ? Buffer.from(body) : body }),
  });
  const text = Buffer.from(answer.body as Uint8Array).toString();
  const isJson = answer.headers.some(
    ([name, value]) => name.toLowerCase() === 'content-type' && value.startsWith('application/json'),
  );
  return { status: answer.status, body: isJson ? (JSON.parse(text) as unknown) : text };
}

/** The texts of a real host's responses with status 500. */
const REAL_500 =
  /^(Cannot (suspend|resume) the orchestration instance|Unable to resolve the Azure Storage connection named|TimeSpan overflowed)/;

function isRight({ status, body }: Answer): boolean {
  if (status < 500) return status >= 200;
  const told = body as { ExceptionMessage?: string; runtimeStatus?: string };
  return status === 500 && (REAL_500.test(told.ExceptionMessage ?? '') || told.runtimeStatus === 'Failed');
}

/** Parts of a path or a query, encoded as they are there. */
const NASTY = [
  '%00',
  '%0A',
  '%1F',
  '%7F',
  '%C2%85',
  '%2F',
  '%2f..%2f',
  '%5C',
  '%3F',
  '%23',
  '%25',
  '%',
  '%zz',
  '%C3%28',
  '%ED%A0%80',
  '%F0%9F%98%80',
  '%E2%80%AE',
  '%EF%BF%BE',
  '.',
  '..',
  '%2e%2e',
  '+',
  '%20',
  '%20a',
  'a%20',
  '^',
  '^0',
  "'",
  "'%20or%20PartitionKey%20ne%20'",
  '"',
  '<b>',
  '{instanceId}',
  '[]',
  '__proto__',
  'constructor',
  'toString',
  'sentinel',
  'message-',
  '*',
  '$',
  '$filter',
  '@',
  '@@',
  '@counter',
  '@counter@',
  '@counter@k',
  '@nosuch@k',
  'a:b',
  'undefined',
  'null',
  '0',
  '-1',
  'x'.repeat(256),
  'x'.repeat(257),
  'x'.repeat(2000),
  'é',
  '%00'.repeat(100),
  'raiseEvent',
  'Terminate',
] as const;
const KNOWN = ['running', 'suspended', 'failed', 'completed', 'terminated', '@counter@entity'] as const;
const METHODS = ['GET', 'POST', 'DELETE', 'PUT', 'PATCH', 'HEAD', 'OPTIONS', 'BREW'] as const;

const nasty = fc.constantFrom(...NASTY);
const id = fc.oneof(
  fc.constantFrom(...KNOWN),
  nasty,
  fc.string({ unit: 'binary', maxLength: 12 }).map((text) => encodeURIComponent(text.toWellFormed())),
);
const area = fc.constantFrom(
  'orchestrators',
  'instances',
  'entities',
  'makeprimary',
  'Instances',
  'nothing',
  '',
);
const operation = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      'terminate',
      'suspend',
      'resume',
      'rewind',
      'restart',
      'raiseEvent',
      'op',
      'release',
      'Ev',
      'chain3',
      'failing',
      'counter',
      'k',
      '',
    ),
  },
  { weight: 1, arbitrary: nasty },
);
const path = fc.oneof(
  fc
    .tuple(area, fc.array(fc.oneof(id, operation), { maxLength: 4 }))
    .map(([first, rest]) => `/${[first, ...rest].join('/')}`),
  fc
    .tuple(id, operation, operation)
    .map(
      ([instance, verb, name]) => `/instances/${instance}/${verb}${verb === 'raiseEvent' ? `/${name}` : ''}`,
    ),
  fc
    .tuple(fc.constantFrom('chain3', 'waiter', 'failing', 'nosuch', 'counter'), id)
    .map(([name, instance]) => `/orchestrators/${name}/${instance}`),
  fc
    .tuple(fc.constantFrom('counter', 'Counter', 'nosuch', 'chain3'), id)
    .map(([name, key]) => `/entities/${name}/${key}`),
);

const value = fc.oneof(
  fc.constantFrom(
    '',
    'true',
    'False',
    'maybe',
    '1',
    '-1',
    '0',
    '99999999999999999999',
    '1e400',
    'NaN',
    '1.5',
    '2026-11-21',
    '2026-13-45T99:99:99Z',
    '0001-01-01',
    '9999-12-31T23:59:59.9999999Z',
    '-1-1-1',
    'Running',
    'Failed,Bogus',
    ',,,',
    '1,2,3',
    'Suspended&runtimeStatus=Pending',
    '%FF',
    '%',
  ),
  nasty,
);
const waiting = fc.constantFrom(
  '',
  '0',
  '0.001',
  '-1',
  'NaN',
  'Infinity',
  '1e400',
  'soon',
  '0.002&timeout=1',
);
const query = fc
  .array(
    fc.oneof(
      fc.tuple(
        fc.constantFrom(
          'showHistory',
          'showHistoryOutput',
          'showInput',
          'top',
          'runtimeStatus',
          'createdTimeFrom',
          'createdTimeTo',
          'instanceIdPrefix',
          'reason',
          'restartWithNewInstanceId',
          'op',
          'fetchState',
          'lastOperationTimeFrom',
          'lastOperationTimeTo',
          'returnInternalServerErrorOnFailure',
          'version',
          'taskHub',
          'connection',
          'code',
          '__proto__',
          '',
          '%',
        ),
        value,
      ),
      fc.tuple(fc.constantFrom('timeout', 'pollingInterval', 'timeout'), waiting),
    ),
    { maxLength: 4 },
  )
  .map((pairs) => (pairs.length === 0 ? '' : `?${pairs.map(([name, text]) => `${name}=${text}`).join('&')}`));

const body = fc.option(
  fc.oneof(
    fc.json(),
    fc.constantFrom(
      '',
      ' ',
      '{',
      '{bad',
      '[1,',
      '"',
      'nul',
      '1 2',
      '\ufeff{}',
      '[[[',
      '['.repeat(70),
      '{"__proto__":{"a":1}}',
      '\u0000',
      '{"a":1,"a":2}',
      "{a:'b'}",
      '12345678901234567890',
      '1e999',
      '-',
    ),
    fc.uint8Array({ maxLength: 40 }),
    fc.string({ unit: 'binary' }),
  ),
  { nil: undefined },
);
const headers = fc.record(
  {
    'content-type': fc.constantFrom(
      'application/json',
      'application/json; charset=utf-16',
      'Application/JSON;',
      'text/plain',
      '',
      ';',
      'application/json, text/plain',
    ),
    'x-ms-continuation-token': fc.constantFrom(
      '',
      'x',
      '<<<',
      'IA==',
      'AAAA',
      `${Buffer.from("' or '").toString('base64')} `,
      'ÿ'.repeat(50),
    ),
    'x-functions-key': fc.constantFrom('', 'wrong'),
    'x-forwarded-host': fc.constantFrom('', 'a b', 'evil.example'),
    traceparent: fc.constantFrom('', 'x', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'),
  },
  { requiredKeys: [] },
);

const request: fc.Arbitrary<Request> = fc
  .record({
    method: fc.constantFrom(...METHODS),
    mount: fc.constantFrom(API, API, '/durabletask'),
    path,
    query,
    headers,
    body,
  })
  .map(({ method, mount, path: rest, query: asked, headers: given, body: sent }) => ({
    method,
    path: mount + rest + asked,
    headers: given,
    ...(sent !== undefined && { body: sent }),
  }));

/** Starts instances in every lasting state, under known ids. */
async function prepare(session: Session): Promise<void> {
  const call = async (url: string, sent = ''): Promise<unknown> =>
    ask(session, {
      method: 'POST',
      path: API + url,
      headers: { 'content-type': 'application/json' },
      body: sent,
    });
  for (const known of KNOWN) await call(`/instances/${known}/terminate`);
  await call('/entities/counter/entity?op=delete', 'null');
  await call('/entities/counter/entity?op=add', '1');
  await session.quiet();
  await Promise.all(
    [
      'orchestrators/waiter/running',
      'orchestrators/waiter/suspended',
      'orchestrators/throws/failed',
      'orchestrators/chain3/completed',
      'orchestrators/waiter/terminated',
    ].map((url) => call(`/${url}`)),
  );
  await session.quiet();
  await call('/instances/suspended/suspend?reason=hold');
  await call('/instances/terminated/terminate?reason=stop');
  await session.quiet();
}

describe('The management API', () => {
  let hosts: Hosts;
  beforeEach(async () => {
    hosts = await start();
  });
  afterEach(() => Promise.all(hosts.map((host) => host.stop())));

  test('answers any request as a real host does, or with a 4xx', async () => {
    await Promise.all(hosts.map(prepare));
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 4 }), async (requests) => {
        for (const one of requests) {
          // Such a request cannot come over HTTP.
          fc.pre(URL.canParse(`http://127.0.0.1${one.path}`));
          const answers = await Promise.all(hosts.map((session) => ask(session, one)));
          for (const answer of answers)
            if (!isRight(answer)) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
          await Promise.all(hosts.map((session) => session.quiet()));
        }
      }),
      { numRuns: RUNS, ...SEED },
    );
    // The host goes on.
    for (const session of hosts) {
      await ask(session, { method: 'POST', path: `${API}/orchestrators/chain3/afterwards`, headers: {} });
      await session.quiet();
      expect(
        await ask(session, { method: 'GET', path: `${API}/instances/afterwards`, headers: {} }),
      ).toMatchObject({ status: 200, body: { runtimeStatus: 'Completed' } });
    }
  });

  test('answers the same on both hubs, for any id', async () => {
    // Without an id, or with an id of slashes alone, each host makes an id of its own.
    await fc.assert(
      fc.asyncProperty(
        id.filter((text) => !/^(%2f)*$/i.test(text)),
        fc.constantFrom('waiter', 'chain3'),
        value,
        async (instance, name, reason) => {
          const story: Request[] = [
            ['POST', `/orchestrators/${name}/${instance}`],
            ['GET', `/instances/${instance}?showHistory=true`],
            ['GET', `/instances?instanceIdPrefix=${instance}`],
            ['POST', `/instances/${instance}/suspend?reason=${reason}`],
            ['POST', `/instances/${instance}/raiseEvent/Ev`],
            ['POST', `/instances/${instance}/terminate?reason=${reason}`],
            ['GET', `/instances/${instance}`],
            ['DELETE', `/instances/${instance}`],
            ['GET', `/instances/${instance}`],
          ].map(([method, url]) => ({
            method: method!,
            path: API + url!,
            headers: { 'content-type': 'application/json' },
            ...(method === 'POST' && { body: '{"a":1}' }),
          }));
          for (const one of story) {
            fc.pre(URL.canParse(`http://127.0.0.1${one.path}`));
            const [memory, storage] = await Promise.all(
              hosts.map(async (session) => {
                const answer = await ask(session, one);
                await session.quiet();
                return answer;
              }),
            );
            expect(isRight(memory!)).toBe(true);
            expect(comparable(storage)).toEqual(comparable(memory));
          }
        },
      ),
      { numRuns: Math.ceil(RUNS / 6), ...SEED },
    );
  });
});

describe('At its edges the API answers', () => {
  let hosts: Hosts;
  beforeAll(async () => {
    hosts = await start();
  });
  afterAll(() => Promise.all(hosts.map((host) => host.stop())));

  const deep = '['.repeat(65) + ']'.repeat(65);
  test.for<[method: string, url: string, body: string, status: number, after?: [url: string, body: unknown]]>(
    [
      ['GET', "/instances?instanceIdPrefix='%20or%20PartitionKey%20ne%20'", '', 200],
      ['GET', '/instances?createdTimeFrom=9999-12-31T23:59:59-12:00', '', 200],
      ['GET', '/instances?createdTimeTo=0001-01-01T00:00:00%2B14:00', '', 200],
      [
        'POST',
        '/orchestrators/__proto__/own',
        '{}',
        202,
        ['/instances/own', { name: '__proto__', runtimeStatus: 'Failed' }],
      ],
      [
        'POST',
        '/orchestrators/waiter/__proto__',
        '{"__proto__":{"a":1}}',
        202,
        ['/instances/__proto__', { runtimeStatus: 'Running' }],
      ],
      ['POST', '/orchestrators/waiter/sentinel', 'null', 202, ['/instances/sentinel', { input: null }]],
      [
        'POST',
        '/orchestrators/waiter/a%23%3F%5C%5E%01%F0%9F%98%80',
        '"\\ud800"',
        202,
        [
          '/instances/a%23%3F%5C%5E%01%F0%9F%98%80',
          { instanceId: 'a#?\\^\u0001😀', runtimeStatus: 'Running' },
        ],
      ],
      ['POST', '/orchestrators/waiter/deep', deep, 400],
      [
        'POST',
        '/instances/running/raiseEvent/Ev',
        deep,
        400,
        ['/instances/running', { runtimeStatus: 'Running' }],
      ],
      [
        'POST',
        '/instances/running/raiseEvent/Ev%00%0A',
        '1',
        202,
        ['/instances/running', { runtimeStatus: 'Running' }],
      ],
      [
        'POST',
        '/instances/running/raiseEvent/constructor',
        '1',
        202,
        ['/instances/running', { runtimeStatus: 'Running' }],
      ],
      ['POST', '/instances/@counter@entity/raiseEvent/op', '5', 202, ['/entities/counter/entity', 1]],
      ['POST', '/instances/@counter@entity/raiseEvent/release', 'null', 202, ['/entities/counter/entity', 1]],
      ['POST', '/instances/@counter@entity/terminate', '', 202, ['/entities/counter/entity', 1]],
      ['POST', '/entities/__proto__/k?op=add', '1', 400],
      ['POST', '/entities/counter/__proto__?op=add', '2', 202, ['/entities/counter/__proto__', 2]],
      ['POST', '/entities/counter/entity?op=explode', '1', 202, ['/entities/counter/entity', 1]],
      ['POST', '/entities/counter/entity?op=toString', deep, 400, ['/entities/counter/entity', 1]],
      ['POST', '/entities/counter/entity?op=add', '"text"', 202, ['/entities/counter/entity', '1text']],
    ],
  )('%s %s, given %s, with %d on both hubs', async ([method, url, sent, status, after]) => {
    for (const session of hosts) {
      await prepare(session);
      const answer = await ask(session, {
        method,
        path: API + url,
        headers: { 'content-type': 'application/json' },
        body: sent,
      });
      await session.quiet();
      expect(answer.status).toBe(status);
      if (method === 'GET') expect(answer.body).toEqual([]);
      if (after === undefined) continue;
      const { body: now } = await ask(session, { method: 'GET', path: API + after[0], headers: {} });
      if (typeof after[1] === 'object') expect(now).toMatchObject(after[1]!);
      else expect(now).toBe(after[1]);
    }
  });
});

/** Sends raw bytes. @returns the first line of the response */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket
    .on('data', (chunk) => {
      chunks.push(chunk);
    })
    .on('error', () => {});
  socket.write(text, 'latin1');
  await once(socket, 'close');
  return Buffer.concat(chunks).toString().split('\r\n')[0]!;
}

describe('The sockets', () => {
  let session: Session;
  beforeAll(async () => {
    session = await Session.start({ hub: new MemoryHub({ name: 'OracleHub' }), settings: {} });
  });
  afterAll(() => session.stop());
  const host = 'Host: localhost\r\n';
  const close = 'Connection: close\r\n\r\n';
  test.for([
    ['no HTTP at all', 'hello\r\n\r\n', '400 Bad Request'],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00', '400 Bad Request'],
    ['a host that is none', `GET /api/ping HTTP/1.1\r\nHost: a b\r\n${close}`, '400 Bad Request'],
    [
      'a host with a port that is none',
      `GET /api/ping HTTP/1.1\r\nHost: localhost:99999\r\n${close}`,
      '400 Bad Request',
    ],
    ['no host', `GET /api/ping HTTP/1.1\r\n${close}`, '400 Bad Request'],
    [
      'two lengths',
      `POST /api/ping HTTP/1.1\r\n${host}Content-Length: 1\r\nContent-Length: 2\r\n${close}ab`,
      '400 Bad Request',
    ],
    [
      'a length that is none',
      `POST /api/ping HTTP/1.1\r\n${host}Content-Length: many\r\n${close}`,
      '400 Bad Request',
    ],
    [
      'chunks that are none',
      `POST /api/ping HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n${close}zz\r\n`,
      '400 Bad Request',
    ],
    [
      'headers without end',
      `GET /api/ping HTTP/1.1\r\n${host}X: ${'x'.repeat(40_000)}\r\n${close}`,
      '431 Request Header Fields Too Large',
    ],
    ['an asterisk', `OPTIONS * HTTP/1.1\r\n${host}${close}`, '400 Bad Request'],
    ['a whole address', `GET http://localhost/api/ping HTTP/1.1\r\n${host}${close}`, '200 OK'],
    [
      "somebody else's address",
      `GET http://evil.example/api/ping HTTP/1.1\r\n${host}${close}`,
      '400 Bad Request',
    ],
    [
      'a path that looks like an address',
      `GET //evil.example/api/ping HTTP/1.1\r\n${host}${close}`,
      '404 Not Found',
    ],
    ['two slashes', `GET //api/ping HTTP/1.1\r\n${host}${close}`, '404 Not Found'],
    ['a slash too many', `GET /api//ping HTTP/1.1\r\n${host}${close}`, '404 Not Found'],
    ['a broken escape', `GET /api/ping?a=%zz HTTP/1.1\r\n${host}${close}`, '200 OK'],
    ['a broken escape in a path', `GET /api/ping%zz HTTP/1.1\r\n${host}${close}`, '404 Not Found'],
    ['bytes that are no text', `GET /api/\xff HTTP/1.1\r\n${host}${close}`, '400 Bad Request'],
    ['dots that lead out', `GET /api/../../admin/../api/ping HTTP/1.1\r\n${host}${close}`, '200 OK'],
  ] as const)('answer %s', async ([, text, status]) => {
    const { port } = session;
    expect(await raw(port, text)).toBe(`HTTP/1.1 ${status}`);
    expect(await raw(port, `GET /api/ping HTTP/1.1\r\n${host}${close}`)).toBe('HTTP/1.1 200 OK');
  });
});
