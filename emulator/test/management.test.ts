/**
 * The management API over instances that do not run. recorded-host.test.ts compares the responses with those
 * of a real host.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { clientBindingValue } from '../src/durable/management/client-binding.js';
import type { HistoryEvent } from '../src/durable/history.js';
import { ManagementApi } from '../src/durable/management/management.js';
import type { ManagementOptions } from '../src/durable/management/options.js';
import { FakeDurableClient } from './support/fake-durable-client.js';

const WEBHOOK = 'http://127.0.0.1:7072';
const RPC = 'http://127.0.0.1:17071';
const API = '/runtime/webhooks/durabletask';

const fixtures = path.join(import.meta.dirname, 'fixtures');

let client: FakeDurableClient;
beforeEach(() => {
  client = new FakeDurableClient();
});

interface Sent {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  options?: Partial<ManagementOptions>;
}

function managementApi(options?: Partial<ManagementOptions>): ManagementApi {
  return new ManagementApi({
    client,
    hubName: 'OracleHub',
    connection: 'Storage',
    hasConnection: (name) => name === 'Second',
    keys: () => ({ durableTask: 'SYSTEM-KEY', host: 'HOST-KEY', master: 'MASTER-KEY' }),
    ...options,
  });
}

async function send(
  url: string,
  { method = 'GET', headers = {}, body, options }: Sent = {},
): Promise<{ status: number; headers: Record<string, string>; text: string }> {
  const api = managementApi(options);
  const answer = await api.handle({
    method,
    url: new URL(url.startsWith('/') ? WEBHOOK + url : url).href,
    headers,
    ...(body !== undefined && { body: typeof body === 'string' ? Buffer.from(body) : body }),
  });
  if (answer === undefined) throw new Error(`${url} is not one of ours.`);
  return {
    status: answer.status,
    text: Buffer.from(answer.body).toString(),
    headers: Object.fromEntries(answer.headers.map(([name, value]) => [name.toLowerCase(), value])),
  };
}

async function post(url: string, body?: string, contentType = 'application/json'): ReturnType<typeof send> {
  return send(url, {
    method: 'POST',
    headers: { 'content-type': contentType },
    ...(body !== undefined && { body }),
  });
}

describe('A history', () => {
  const at = '2026-11-21T00:00:00Z';
  const scheduled: HistoryEvent[] = [
    {
      EventType: 'ExecutionStarted',
      EventId: -1,
      Timestamp: at,
      Name: 'o',
      Version: null,
      Input: '{"x":1}',
      OrchestrationInstance: { InstanceId: 'i', ExecutionId: 'e' },
      ParentInstance: null,
      Generation: 0,
    },
    { EventType: 'TaskScheduled', EventId: 0, Timestamp: at, Name: 'greet', Input: '"Tokyo"' },
    {
      EventType: 'SubOrchestrationInstanceCreated',
      EventId: 1,
      Timestamp: at,
      Name: 'child',
      Version: null,
      InstanceId: 'c',
      Input: '{"n":2}',
    },
  ];

  async function shown(
    options: Partial<ManagementOptions> = {},
    query = '',
  ): Promise<Record<string, unknown>[]> {
    client.add({ instanceId: 'i' });
    client.histories.set('i', scheduled);
    const { text } = await send(`${API}/instances/i?showHistory=true${query}`, { options });
    return (JSON.parse(text) as { historyEvents: Record<string, unknown>[] }).historyEvents;
  }

  test('shows tasks that have not ended, without their inputs', async () => {
    expect((await shown()).slice(1)).toEqual([
      {
        EventType: 'TaskScheduled',
        Name: 'greet',
        Input: null,
        ParentTraceContext: null,
        Tags: null,
        Timestamp: at,
      },
      {
        EventType: 'SubOrchestrationInstanceCreated',
        Name: 'child',
        InstanceId: 'c',
        Input: null,
        ClientSpanId: null,
        Tags: null,
        Timestamp: at,
      },
    ]);
  });

  test('shows inputs where the app stores them, those of activities as the array that the framework makes', async () => {
    expect((await shown({ storeInputs: true })).map(({ Input }) => Input)).toEqual([
      '{"x":1}',
      '["\\"Tokyo\\""]',
      '{"n":2}',
    ]);
  });

  test('has no inputs at all when none are to be shown', async () => {
    expect((await shown({ storeInputs: true }, '&showInput=false')).some((event) => 'Input' in event)).toBe(
      false,
    );
  });

  test('cannot be shown when it has a task id twice', async () => {
    client.add({ instanceId: 'i', runtimeStatus: 'Failed' });
    client.histories.set('i', [...scheduled, scheduled[1]!]);
    const { status, text } = await send(`${API}/instances/i?showHistory=true`);
    expect([status, JSON.parse(text)]).toEqual([
      400,
      {
        Message: 'One or more of the arguments submitted is incorrect',
        ExceptionMessage: 'An item with the same key has already been added. Key: TaskScheduled_0',
        ExceptionType: 'System.ArgumentException',
        StackTrace: expect.stringMatching(/^ {3}at /) as string,
      },
    ]);
  });

  test('is not read before the instance has run', async () => {
    client.add({ instanceId: 'i', runtimeStatus: 'Pending' });
    expect((await send(`${API}/instances/i?showHistory=true`)).text).not.toContain('historyEvents');
  });
});

describe('A status', () => {
  test.for<[stored: string | null, shown: string]>([
    [null, 'null'],
    ['', '""'],
    ['  {"b":1,  "a":[ ]} ', '{"b":1,"a":[]}'],
    ['{"2":1,"1":12345678901234567890}', '{"2":1,"1":12345678901234567890}'],
    ['stop it', '"stop it"'],
    ['5 minutes late', '5'],
    ['no', '"no"'],
    [`${'['.repeat(65)}${']'.repeat(65)}`, `"${'['.repeat(65)}${']'.repeat(65)}"`],
  ])('shows the stored output %j as %s', async ([output, shown]) => {
    client.add({ instanceId: 'i', runtimeStatus: 'Terminated', output });
    expect((await send(`${API}/instances/i`)).text).toContain(`"output":${shown},"createdTime"`);
  });

  test('of a failed instance is 500 only with the query parameter for it, in any case', async () => {
    client.add({ instanceId: 'i', runtimeStatus: 'Failed', output: 'why' });
    expect((await send(`${API}/Instances/i?RETURNinternalservererroronfailure=True`)).status).toBe(500);
    expect((await send(`${API}/instances/i?returnInternalServerErrorOnFailure=yes`)).status).toBe(200);
  });
});

describe('Starting', () => {
  test('without a body gives the orchestrator no input', async () => {
    const { status, text } = await send(`${API}/orchestrators/waiter/i`, { method: 'POST' });
    expect(status).toBe(202);
    expect(JSON.parse(text)).toMatchObject({ id: 'i' });
    expect(client.records.get('i')!.input).toBeNull();
  });

  test.for([
    ['{ "2": 1, "1": 1.0 }', '{ "2": 1, "1": 1.0 }'],
    ["{a:'it\\'s \"x\"',}", '{"a":"it\'s \\"x\\""}'],
    ['[ 1e3, 0.5, -0 ]', '[ 1e3, 0.5, -0 ]'],
    ['"two\nlines"', '"two\\nlines"'],
    ['\ufeff"after a mark"', '"after a mark"'],
    [' [ [ ] , { } , "a" , ] ', '[[],{},"a"]'],
    ['  ', null],
  ] as const)('with %j gives it %s', async ([body, input]) => {
    expect((await post(`${API}/orchestrators/waiter/i`, body)).status).toBe(202);
    expect(client.records.get('i')!.input).toBe(input);
  });

  test('accepts a version', async () => {
    await post(`${API}/orchestrators/waiter/i?version=2.0`, '1');
    expect(client.records.get('i')!.version).toBe('2.0');
  });

  test('replaces bytes that are not UTF-8', async () => {
    await send(`${API}/orchestrators/waiter/i`, { method: 'POST', body: new Uint8Array([0x22, 0xff, 0x22]) });
    expect(client.records.get('i')!.input).toBe('"\ufffd"');
  });

  test('accepts a large body', async () => {
    const large = JSON.stringify('x'.repeat(5_000_000));
    expect((await post(`${API}/orchestrators/waiter/i`, large)).status).toBe(202);
    expect(client.records.get('i')!.input).toBe(large);
  });

  test.for([
    ['@counter@k', 'Orchestration instance ids must not start with @.'],
    ['a%EF%BF%BE', 'Orchestration instance ids must not contain U+FFFE or U+FFFF.'],
    ['x'.repeat(257), 'Instance ID lengths must not exceed 256 characters.'],
  ] as const)('under the id %s is refused', async ([id, why]) => {
    const { status, text } = await post(`${API}/orchestrators/waiter/${id}`, '1');
    expect([status, JSON.parse(text)]).toEqual([400, { Message: why }]);
    expect(client.records.size).toBe(0);
  });

  test('under an id that needs escaping returns URLs with the escaped id', async () => {
    const { text } = await post(`${API}/orchestrators/waiter/caf%C3%A9:1~`, '1');
    expect((JSON.parse(text) as Record<string, string>)['statusQueryGetUri']).toContain(
      '/instances/caf%C3%A9%3A1%7E?',
    );
    expect(client.records.has('café:1~')).toBe(true);
  });
});

describe('The host in URLs', () => {
  const headers = { 'x-forwarded-host': 'app.example.com', 'x-forwarded-proto': 'https' };
  const location = async (options: Sent): Promise<string | undefined> =>
    (await send(`${API}/orchestrators/waiter/i`, { method: 'POST', ...options })).headers['location'];

  test('is the host of the request, or with useForwardedHost the one that a proxy sends', async () => {
    expect(await location({ headers })).toMatch(/^http:\/\/127\.0\.0\.1:7072\/runtime/);
    client.records.clear();
    expect(await location({ headers, options: { forwardedHost: true } })).toMatch(
      /^https:\/\/app\.example\.com:7072\/runtime/,
    );
    client.records.clear();
    expect(
      await location({
        headers: { 'x-forwarded-host': 'app.example.com' },
        options: { forwardedHost: true },
      }),
    ).toMatch(/^http:\/\/127/);
  });

  test('has to make a valid URL', async () => {
    for (const host of ['a b', '', 'a:b:c', '/']) {
      const { status } = await send(`${API}/orchestrators/waiter`, {
        method: 'POST',
        headers: { ...headers, 'x-forwarded-host': host },
        options: { forwardedHost: true },
      });
      expect(status).toBe(500);
    }
  });
});

describe('Starting and waiting', () => {
  const url = `${API}/orchestrators/waiter/i?timeout=10&pollingInterval=0.01`;

  test('returns the bare output of an instance that completes in time', async () => {
    client.onStart = (record) => {
      setTimeout(() => client.add({ ...record, runtimeStatus: 'Completed', output: '{"a":[1]}' }), 20);
    };
    expect(await post(url, '{}')).toMatchObject({ status: 200, text: '{"a":[1]}' });
  });

  test('returns the status of an instance that fails', async () => {
    client.onStart = (record) => {
      client.add({ ...record, runtimeStatus: 'Failed', output: 'why' });
    };
    const { status, text } = await post(url, '{}');
    expect([status, JSON.parse(text)]).toMatchObject([200, { runtimeStatus: 'Failed', output: 'why' }]);
  });

  test('answers as without waiting when the time is over', async () => {
    const { status, headers } = await post(
      `${API}/orchestrators/waiter/i?timeout=0.02&pollingInterval=0.01`,
      '{}',
    );
    expect([status, headers['retry-after']]).toEqual([202, '10']);
  });

  test('waits only when both times are given', async () => {
    expect((await post(`${API}/orchestrators/waiter?timeout=60`, '{}')).status).toBe(202);
    expect((await post(`${API}/orchestrators/waiter?timeout=60&pollingInterval=soon`, '{}')).status).toBe(
      202,
    );
  });

  test.for([
    ['timeout=1&pollingInterval=2', 'Total timeout 1 should be bigger than retry timeout 2'],
    ['timeout=1&pollingInterval=-1', 'The value needs to translate in milliseconds to -1'],
    ['timeout=NaN&pollingInterval=1', 'TimeSpan does not accept floating point Not-a-Number values.'],
    ['timeout=1e10&pollingInterval=1e9', 'The value needs to translate in milliseconds to -1'],
  ] as const)('refuses %s, having started', async ([query, why]) => {
    const { status, text } = await post(`${API}/orchestrators/waiter/i?${query}`, '{}');
    expect([status, JSON.parse(text)]).toEqual([400, { Message: expect.stringContaining(why) as string }]);
    expect(client.records.has('i')).toBe(true);
  });

  test.for([
    'timeout=Infinity&pollingInterval=0',
    'timeout=1&pollingInterval=-1e400',
    'timeout=1e12&pollingInterval=0',
  ])('fails for %s, having started, because no TimeSpan is that long', async (query) => {
    const { status, text } = await post(`${API}/orchestrators/waiter/i?${query}`, '{}');
    expect([status, JSON.parse(text)]).toMatchObject([
      500,
      { ExceptionMessage: 'TimeSpan overflowed because the duration is too long.' },
    ]);
    expect(client.records.has('i')).toBe(true);
  });
});

describe('JSON that cannot be read', () => {
  test.for([
    ['bad', "Unexpected character encountered while parsing value: b. Path '', line 0, position 0."],
    ['{"a":x}', "Unexpected character encountered while parsing value: x. Path 'a', line 1, position 5."],
    [
      '{"a":1 "b":2}',
      "After parsing a value an unexpected character was encountered: \". Path 'a', line 1, position 7.",
    ],
    [
      '{"a" 1}',
      "Invalid character after parsing property name. Expected ':' but got: 1. Path 'a', line 1, position 5.",
    ],
    ['{%: 1}', "Invalid property identifier character: %. Path '', line 1, position 1."],
    ['{a-b: 1}', "Invalid JavaScript property identifier character: -. Path '', line 1, position 2."],
    [
      '{\n "a": [1,\n  {"b c": nope}]}',
      "Unexpected character encountered while parsing value: n. Path 'a[1]['b c']', line 3, position 10.",
    ],
    ['"abc', "Unterminated string. Expected delimiter: \". Path '', line 1, position 4."],
    ['"\\u00', "Unexpected end while parsing Unicode escape sequence. Path '', line 1, position 3."],
    [`{ a : 'x"', 'b c' : tru}`, "Error parsing boolean value. Path '['b c']', line 1, position 23."],
    ['"\\q"', "Bad JSON escape sequence: \\q. Path '', line 1, position 3."],
    ['tru', "Error parsing boolean value. Path '', line 1, position 3."],
    ['12abz', "Unexpected character encountered while parsing number: z. Path '', line 1, position 4."],
    ['017', "Input string '017' is not a valid number. Path '', line 1, position 3."],
    ['1.2.3', "Input string '1.2.3' is not a valid number. Path '', line 1, position 5."],
    ['{"a":[1', "Unexpected end of content while loading JObject. Path 'a[0]', line 1, position 7."],
    ['[1', "Unexpected end of content while loading JArray. Path '[0]', line 1, position 2."],
    [
      '['.repeat(65),
      `The reader's MaxDepth of 64 has been exceeded. Path '${'[0]'.repeat(64)}', line 1, position 65.`,
    ],
  ] as const)('%s is refused in the words of the real host', async ([body, why]) => {
    client.add({ instanceId: 'i' });
    for (const url of [`${API}/orchestrators/waiter`, `${API}/instances/i/raiseEvent/E`]) {
      const { status, text } = await post(url, body);
      expect([status, JSON.parse(text)]).toEqual([
        400,
        {
          Message: 'Invalid JSON content',
          ExceptionMessage: why,
          ExceptionType: 'Newtonsoft.Json.JsonReaderException',
          StackTrace: expect.any(String) as string,
        },
      ]);
    }
  });

  test('is refused as an input whatever its content type says, but for a form', async () => {
    const start = async (contentType: string): Promise<number> =>
      (await post(`${API}/orchestrators/waiter`, 'hello=1', contentType)).status;
    for (const type of ['text/plain;charset=UTF-8', 'application/xml', ''])
      expect([type, await start(type)]).toEqual([type, 400]);
    expect(await start('application/x-www-form-urlencoded; charset=utf-8')).toBe(202);
    expect(await start('multipart/form-data; boundary=x')).toBe(202);
    expect((await post(`${API}/orchestrators/waiter`, '{"a":1}', 'text/plain')).status).toBe(202);
  });

  test('may follow an event, but not an input', async () => {
    client.add({ instanceId: 'i' });
    expect((await post(`${API}/instances/i/raiseEvent/E`, '1 2')).status).toBe(202);
    const { status, text } = await post(`${API}/orchestrators/waiter`, '1 2');
    expect([status, JSON.parse(text)]).toMatchObject([
      400,
      {
        ExceptionMessage:
          "Additional text encountered after finished reading JSON content: 2. Path '', line 1, position 2.",
      },
    ]);
  });
});

describe('Raising an event', () => {
  test('delivers it under its name, decoded', async () => {
    client.add({ instanceId: 'a b' });
    expect(
      (
        await post(
          `${API}/instances/a%20b/RaiseEvent/My%20event+%25x`,
          '{"ok": true}',
          'Application/JSON; charset=utf-8',
        )
      ).status,
    ).toBe(202);
    expect(client.events).toEqual([{ instanceId: 'a b', name: 'My event %x', input: '{"ok":true}' }]);
  });

  test('needs JSON, and says so', async () => {
    client.add({ instanceId: 'i' });
    const wrong: Record<string, string>[] = [
      {},
      { 'content-type': 'application/jsonp' },
      { 'content-type': '' },
    ];
    for (const headers of wrong) {
      const { status, text } = await send(`${API}/instances/i/raiseEvent/E`, {
        method: 'POST',
        headers,
        body: '1',
      });
      expect([status, text]).toEqual([
        400,
        '{"Message":"Only application/json request content is supported"}',
      ]);
    }
    const { status, text } = await post(`${API}/instances/i/raiseEvent/E`);
    expect([status, text]).toContain(400);
    expect(text).toContain("Error reading JToken from JsonReader. Path '', line 0, position 0.");
    expect(client.events).toEqual([]);
  });
});

async function listed(query: string, headers: Record<string, string> = {}): Promise<string[]> {
  const { status, text } = await send(`${API}/instances/?${query}`, { headers });
  expect(status).toBe(200);
  return (JSON.parse(text) as { instanceId: string }[]).map(({ instanceId }) => instanceId);
}

describe('A list', () => {
  beforeEach(() => {
    for (const instanceId of ['b', 'a', 'c'])
      client.add({ instanceId, createdTime: '2026-11-21T00:00:00.5Z' });
  });

  test.for([
    'top=0',
    'top=-1',
    'top=abc',
    'top=',
    'top=99999999999',
    'top=1&top=2',
    'createdTimeFrom=garbage',
    'createdTimeTo=2026-02-30',
    'createdTimeFrom=abc 1',
    'runtimeStatus=',
    'top',
    '&&=&',
  ])('passes over %s', async (query) => {
    expect(await listed(query)).toEqual(['a', 'b', 'c']);
  });

  test.for<[query: string, found: boolean]>([
    ['createdTimeFrom=2026-11-21T00:00:00.5Z', true],
    ['createdTimeFrom=2026-11-21T00:00:00.501Z', false],
    ['createdTimeTo=2026-11-21T00:00:00.4999999Z', false],
    ['createdTimeTo=2026-11-21 00:01', true],
    ['createdTimeFrom=2026-11-21T02:00:00%2B02:00', true],
    ['createdTimeFrom=11/21/2026 00:00:01', false],
    ['createdTimeFrom=2026-11-21&createdTimeTo=2026-11-22', true],
    ['createdTimeTo=1-1-1', false],
    ['createdTimeFrom=0001-01-01T00:00:00', true],
    ['createdTimeFrom=2026/11/22', false],
    ['createdTimeTo=2026-11-21 1:00 Z', true],
    ['runtimeStatus=0', true],
    ['runtimeStatus=Completed,%20Running', true],
    ['runtimeStatus=Completed&runtimeStatus=Failed', false],
    ['runtimeStatus=running', true],
  ])('by %s', async ([query, found]) => {
    expect(await listed(query)).toHaveLength(found ? 3 : 0);
  });

  test('continues where a page ended, to the end', async () => {
    const first = await send(`${API}/instances?top=2`);
    const token = first.headers['x-ms-continuation-token']!;
    expect(await listed('top=2', { 'x-ms-continuation-token': token })).toEqual(['c']);
    expect(await listed('top=2', { 'x-ms-continuation-token': token.trim() })).toEqual(['c']);
  });

  test('ends with an empty token at the local URL only', async () => {
    expect((await send(`${RPC}/durabletask/instances/`)).headers['x-ms-continuation-token']).toBe('');
    expect((await send(`${API}/instances/`)).headers).not.toHaveProperty('x-ms-continuation-token');
  });

  test('answers a token that it has not given with an empty page', async () => {
    const { status, text } = await send(`${API}/instances`, {
      headers: { 'x-ms-continuation-token': '<<<' },
    });
    expect([status, JSON.parse(text)]).toEqual([200, []]);
  });

  test('leaves inputs out with the parameter for it, unless nothing else limits the list', async () => {
    const inputs = async (query: string): Promise<unknown[]> =>
      (JSON.parse((await send(`${API}/instances?${query}`)).text) as { input: unknown }[]).map(
        ({ input }) => input,
      );
    for (const query of [
      'runtimeStatus=Running',
      'createdTimeFrom=2000-01-01',
      'createdTimeTo=2099-01-01',
      'instanceIdPrefix=',
    ])
      expect(await inputs(`showInput=false&${query}`)).toEqual([null, null, null]);
    expect(await inputs('showInput=false&top=3&runtimeStatus=Nope')).not.toContain(null);
  });
});

describe('Purging', () => {
  test('deletes finished instances that match', async () => {
    client.add({ instanceId: 'a', runtimeStatus: 'Failed' });
    client.add({ instanceId: 'b', runtimeStatus: 'Completed' });
    client.add({ instanceId: 'c' });
    const url = `${API}/instances?createdTimeFrom=2000-01-01T00:00:00Z&createdTimeTo=2099-01-01&runtimeStatus=Failed`;
    expect(await send(url, { method: 'DELETE' })).toMatchObject({
      status: 200,
      text: '{"instancesDeleted":1}',
    });
    expect(client.purges).toEqual([
      { createdTimeFrom: Date.UTC(2000, 0), createdTimeTo: Date.UTC(2099, 0), runtimeStatus: ['Failed'] },
    ]);
    expect(await send(url, { method: 'DELETE' })).toMatchObject({ status: 404, text: '' });
    expect(await send(`${API}/instances?createdTimeFrom=never`, { method: 'DELETE' })).toMatchObject({
      status: 400,
    });
  });

  test('leaves a live instance alone', async () => {
    client.add({ instanceId: 'c' });
    expect((await send(`${API}/instances/c`, { method: 'DELETE' })).status).toBe(412);
    expect(client.records.has('c')).toBe(true);
  });
});

describe('Terminating, suspending, resuming', () => {
  test('pass the reason on', async () => {
    client.add({ instanceId: 'i' });
    await post(`${API}/instances/i/suspend?reason=a+b&reason=c`);
    expect(client.records.get('i')!.output).toBe('a b,c');
    await post(`${API}/instances/i/resume`);
    await post(`${API}/instances/i/terminate`);
    expect(client.records.get('i')).toMatchObject({ runtimeStatus: 'Terminated', output: null });
  });

  test('resuming an instance that is not suspended fails', async () => {
    client.add({ instanceId: 'i' });
    const { status, text } = await post(`${API}/instances/i/resume?reason=go`);
    expect([status, JSON.parse(text)]).toEqual([
      500,
      {
        Message: 'Something went wrong while processing your request',
        ExceptionMessage:
          'Cannot resume the orchestration instance i because instance is in the Running state.',
        ExceptionType: 'System.InvalidOperationException',
        StackTrace: expect.any(String) as string,
      },
    ]);
  });
});

describe('What a real host answered to odd calls', () => {
  test('a Location is written as a URI of .NET', async () => {
    client.add({ instanceId: '@counter@k' });
    const { headers } = await send(`${API}/instances/%40counter%40k?showHistory=%74rue&x=%2F`);
    expect(headers['location']).toBe(`${WEBHOOK}${API}/instances/@counter@k?showHistory=true&x=%2F`);
    const started = await post(`${API}/orchestrators/waiter/a~b`, '1');
    expect(started.headers['location']).toContain('/instances/a~b?');
    expect(started.text).toContain('/instances/a%7Eb?');
  });

  test('a path with an empty segment leads nowhere', async () => {
    expect((await send(`${API}//instances`)).status).toBe(404);
    expect((await send(`${API}/instances/`)).status).toBe(200);
  });

  test('a list of the status Unknown is 400', async () => {
    const { status, text } = await send(`${API}/instances?runtimeStatus=Completed,Unknown`);
    expect([status, JSON.parse(text)]).toMatchObject([
      400,
      {
        ExceptionMessage: "Requested value 'Unknown' was not found.",
        ExceptionType: 'System.ArgumentException',
      },
    ]);
  });

  test('a version is shown after the name', async () => {
    client.add({ instanceId: 'i', version: '2.0' });
    expect((await send(`${API}/instances/i`)).text).toMatch(
      /^\{"name":"waiter","version":"2.0","instanceId":"i"/,
    );
  });

  test('a suspension without a reason makes a status that is not JSON, and the log says so', async () => {
    client.add({ instanceId: 'i', output: 'undefined' });
    const lines: string[] = [];
    const log = (_level: string, _category: string, message: string): void => void lines.push(message);
    await send(`${API}/instances/i/suspend?reason=undefined`, { method: 'POST', options: { log } });
    expect(lines).toEqual([expect.stringContaining("The reason 'undefined' becomes the output of 'i'.")]);
    for (const url of [`${API}/instances/i`, `${API}/instances`])
      expect((await send(url)).text).toContain('"output":undefined,"createdTime"');
  });

  test.each(['NaN', 'Infinity', '-Infinity'])('%s in JSON is a text', async (value) => {
    expect((await post(`${API}/orchestrators/waiter/n`, `{"a":${value}}`)).status).toBe(202);
    expect(client.records.get('n')!.input).toBe(`{"a":"${value}"}`);
  });
});

describe('Restarting', () => {
  const told = (ExceptionMessage: string): Record<string, unknown> => ({
    Message: 'InstanceId does not match a valid orchestration instance.',
    ExceptionMessage,
    ExceptionType: 'System.ArgumentException',
    StackTrace: expect.any(String) as string,
  });

  test('starts the orchestrator with the same input again, under a new id or the same', async () => {
    client.add({ instanceId: 'i', runtimeStatus: 'Completed', input: ' { "a": 1 }' });
    const { id } = JSON.parse((await post(`${API}/instances/i/restart`)).text) as { id: string };
    expect(id).toMatch(/^[\da-f]{32}$/);
    expect(client.records.get(id)).toMatchObject({
      name: 'waiter',
      input: '{"a":1}',
      runtimeStatus: 'Pending',
    });
    expect((await post(`${API}/instances/i/restart?restartWithNewInstanceId=false`)).status).toBe(202);
    expect(client.records.get('i')).toMatchObject({ runtimeStatus: 'Pending' });
  });

  test('without an input gives it null', async () => {
    client.add({ instanceId: 'i', runtimeStatus: 'Completed', input: null });
    await post(`${API}/instances/i/restart?restartWithNewInstanceId=false`);
    expect(client.records.get('i')!.input).toBe('null');
  });

  test('of an orchestrator that does not exist is accepted, as its start is', async () => {
    client.add({ instanceId: 'gone', name: 'old', runtimeStatus: 'Failed' });
    expect((await post(`${API}/instances/gone/restart?restartWithNewInstanceId=false`)).status).toBe(202);
    expect(client.records.get('gone')).toMatchObject({ name: 'old', runtimeStatus: 'Pending' });
  });

  test('is refused for an unknown id and a live instance', async () => {
    client.add({ instanceId: 'live' });
    const answers = await Promise.all(
      ['nope', 'live'].map((id) => post(`${API}/instances/${id}/restart?restartWithNewInstanceId=false`)),
    );
    expect(answers.map(({ status, text }): unknown => [status, JSON.parse(text)])).toEqual([
      [400, told("No instance with ID 'nope' was found. (Parameter 'instanceId')")],
      [
        409,
        {
          Message: 'A non-terminal instance with this instance ID already exists.',
          ExceptionMessage: 'An Orchestration instance with the status Running already exists.',
          ExceptionType: 'DurableTask.Core.Exceptions.OrchestrationAlreadyExistsException',
          StackTrace: expect.any(String) as string,
        },
      ],
    ]);
  });
});

describe('Entities', () => {
  test.for([
    [
      'POST',
      '/',
      "Invalid entity id: entity name must not be a null or empty string. (Parameter 'entityName')",
    ],
    [
      'DELETE',
      '',
      "Invalid entity id: entity name must not be a null or empty string. (Parameter 'entityName')",
    ],
    [
      'POST',
      '/nosuch/k',
      "The function 'nosuch' doesn't exist, is disabled, or is not an entity function. Additional info: The following are the known entity functions: 'counter'.",
    ],
    [
      'POST',
      '/counter/a%23b',
      "entityKey (Parameter 'Entity keys must not contain /, \\, #, ?, or control characters.')",
    ],
    [
      'POST',
      '/counter/a%0Ab',
      "entityKey (Parameter 'Entity keys must not contain /, \\, #, ?, or control characters.')",
    ],
    [
      'POST',
      '/counter/k',
      "Could not parse JSON content: Unexpected end while parsing unquoted property name. Path '', line 1, position 4.",
    ],
  ] as const)('answer %s /entities%s with what is wrong', async ([method, url, why]) => {
    const { status, text } = await send(`${API}/entities${url}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: why.startsWith('Could') ? '{bad' : '1',
    });
    expect([status, JSON.parse(text)]).toEqual([400, { Message: why }]);
  });

  test('are purged by id although they run; for an unknown one the response is 200 and counts none', async () => {
    client.add({ instanceId: '@counter@k' });
    expect(await send(`${API}/instances/@counter@k`, { method: 'DELETE' })).toMatchObject({
      status: 200,
      text: '{"instancesDeleted":1}',
    });
    expect(await send(`${API}/instances/@counter@k`, { method: 'DELETE' })).toMatchObject({
      status: 200,
      text: '{"instancesDeleted":0}',
    });
  });
});

describe('Paths', () => {
  test.for([
    'GET /',
    'GET /orchestrators/waiter',
    'POST /orchestrators',
    'POST /orchestrators/a/b/c',
    'GET /instances/i/terminate',
    'POST /instances',
    'POST /instances/i',
    'POST /instances/i/explode',
    'POST /instances/i/raiseEvent',
    'POST /instances/i/raiseEvent/E/x',
    'GET /instances//i',
    'PUT /entities/counter/k',
    'GET /entities/counter/k/x',
    'POST /instances/i/raiseEvent/E%2Fx',
    'GET /instances/%FF',
    'GET /nothing',
  ])('%s is not found', async (line) => {
    client.add({ instanceId: 'i' });
    const [method, url] = line.split(' ') as [string, string];
    expect(await send(API + url, { method })).toMatchObject({ status: 404, text: '' });
  });

  test.for(['PATCH', 'HEAD', 'TRACE'])('%s is not answered', async (method) => {
    const api = managementApi({ enforceKeys: true });
    expect(await api.handle({ method, url: `${WEBHOOK}${API}/instances/i`, headers: {} })).toBeUndefined();
  });

  test('of other parts of the host are not answered', async () => {
    const api = managementApi();
    for (const url of [
      '/',
      '/api/x',
      '/durabletasks/instances',
      '/runtime/webhooks/eventgrid',
      '/x/durabletask/instances',
    ]) {
      expect(await api.handle({ method: 'GET', url: WEBHOOK + url, headers: {} })).toBeUndefined();
    }
  });

  test('name a known connection, or none', async () => {
    client.add({ instanceId: 'i' });
    for (const name of ['Storage', 'storage', 'Second', '', '%20'])
      expect((await send(`${API}/instances/i?connection=${name}`)).status).toBe(202);
    const { status, text } = await send(`${API}/instances/i?connection=Nope`);
    expect([status, JSON.parse(text)]).toMatchObject([
      500,
      {
        ExceptionMessage: "Unable to resolve the Azure Storage connection named 'Nope'.",
        ExceptionType: 'System.InvalidOperationException',
      },
    ]);
    expect((await send(`${API}/nothing?connection=Nope`)).status).toBe(404);
  });

  test('name the task hub or none', async () => {
    client.add({ instanceId: 'i' });
    expect((await send(`${API}/instances/i?TASKHUB=oraclehub`)).status).toBe(202);
    expect((await send(`${API}/instances/i?taskHub=`)).status).toBe(202);
    expect((await send(`${API}/orchestrators/waiter/j?taskHub=Other`, { method: 'POST' })).status).toBe(404);
    expect(client.records.has('j')).toBe(false);
  });
});

describe('Keys', () => {
  const options = { enforceKeys: true };

  test('are required at the webhook', async () => {
    client.add({ instanceId: 'i' });
    const url = `${API}/instances/i`;
    expect(await send(url, { options })).toMatchObject({
      status: 401,
      text: '',
      headers: { 'www-authenticate': 'Bearer' },
    });
    expect((await send(`${url}?code=wrong`, { options })).status).toBe(401);
    expect((await send(`${url}?code=SYSTEM-KEY`, { options })).status).toBe(202);
    expect((await send(url, { options, headers: { 'x-functions-key': 'SYSTEM-KEY' } })).status).toBe(202);
    expect((await send(url, { options, headers: { 'x-functions-key': 'MASTER-KEY' } })).status).toBe(202);
    expect(
      (await send(`${url}?code=SYSTEM-KEY`, { options, headers: { 'x-functions-key': 'wrong' } })).status,
    ).toBe(401);
  });

  test('are not required at the local URL, which the SDK calls without a key', async () => {
    client.add({ instanceId: 'i' });
    expect((await send(`${RPC}/durabletask/instances/i`, { options })).status).toBe(202);
  });
});

test('An internal error has the response of the real host', async () => {
  client.getRecord = () => Promise.reject(new Error('the storage does not answer'));
  const { status, text } = await send(`${API}/instances/i`);
  expect([status, JSON.parse(text)]).toMatchObject([
    500,
    {
      Message: 'Something went wrong while processing your request',
      ExceptionMessage: 'the storage does not answer',
    },
  ]);
});

test('The client binding has the value of a real host', () => {
  expect(
    clientBindingValue({
      hubName: 'OracleHub',
      connection: 'Storage',
      origin: 'http://localhost:7071',
      rpcBaseUrl: 'http://127.0.0.1:17071/durabletask/',
      key: 'SYSTEM-KEY',
    }),
  ).toBe(readFileSync(path.join(fixtures, 'management/client-binding.json'), 'utf8').trim());
});
