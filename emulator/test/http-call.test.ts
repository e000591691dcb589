/** `callHttp`: requests to real servers, on a clock that skips. */
import type { IncomingHttpHeaders } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type HttpCall, TestApp, type TestAppOptions } from '../src/testing.js';
import { account } from './support/azurite.js';

interface Asked {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
}
interface Told {
  status?: number;
  headers?: Record<string, string | string[]>;
  body?: string;
}

async function start(options: TestAppOptions = {}): Promise<TestApp> {
  const app = await TestApp.start({
    directory: path.join(import.meta.dirname, 'fixtures/engine-app'),
    time: '2026-03-01T08:00:00Z',
    ...options,
  });
  onTestFinished(() => app.stop());
  return app;
}

/** A server that sends one response after the other, and the last one again and again. */
async function serve(...answers: Told[]): Promise<{ url: string; asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request
      .setEncoding('utf8')
      .on('data', (chunk: string) => {
        body += chunk;
      })
      .on('end', () => {
        asked.push({ method: request.method!, url: request.url!, headers: request.headers, body });
        const {
          status = 200,
          headers = {},
          body: told = '',
        } = answers.length > 1 ? answers.shift()! : answers[0]!;
        response.writeHead(status, headers).end(told);
      });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

const accepted = (headers: Record<string, string> = {}): Told => ({
  status: 202,
  headers: { Location: '/status', ...headers },
});

describe('A request', () => {
  test('has the given method, headers and content, and gets the response of the server', async () => {
    const { url, asked } = await serve({
      status: 201,
      body: 'mäh',
      headers: {
        'content-type': 'text/plain',
        etag: '"1"',
        'x-Own': 'mine',
        vary: 'a, b',
        'set-cookie': ['c=1', 'd=2'],
      },
    });
    const app = await start();
    const id = await app.start('asks', {
      method: 'PUT',
      url: `${url}/thing?q=1`,
      body: { a: 'ä' },
      headers: { 'X-Sent': 'yes', 'Content-Type': 'application/json' },
    });
    const { output } = await app.finished(id);
    expect(output).toMatchObject({
      statusCode: 201,
      content: 'mäh',
      after: 'after',
      headers: {
        etag: '"1"',
        'x-Own': 'mine',
        vary: 'a, b',
        'set-cookie': ['c=1', 'd=2'],
        'Transfer-Encoding': 'chunked',
      },
    });
    expect(Object.keys((output as { headers: object }).headers)).not.toContain('content-type');
    expect(asked).toMatchObject([
      {
        method: 'PUT',
        url: '/thing?q=1',
        body: '{"a":"ä"}',
        headers: { 'x-sent': 'yes', 'content-type': 'application/json', 'content-length': '10' },
      },
    ]);
    expect(await app.history(id)).toContainEqual(
      expect.objectContaining({ EventType: 'TaskScheduled', EventId: 0, Name: 'BuiltIn::HttpActivity' }),
    );
  });

  test.each<[string, object, string | undefined]>([
    ['text by default', {}, 'text/plain'],
    [
      'a form with its charset',
      { 'content-type': 'application/x-www-form-urlencoded' },
      'application/x-www-form-urlencoded; charset=utf-8',
    ],
  ])('sends %s', async (_what, headers, type) => {
    const { url, asked } = await serve({});
    const app = await start();
    await app.finished(await app.start('asks', { method: 'POST', url, body: 'a=1', headers }));
    expect(asked).toMatchObject([{ body: 'a=1', headers: { 'content-type': type } }]);
  });

  test('fails when it reaches nobody', async () => {
    const app = await start();
    const { runtimeStatus, output } = await app.finished(
      await app.start('asks', { method: 'GET', url: 'http://127.0.0.1:9' }),
    );
    expect([runtimeStatus, output]).toEqual([
      'Failed',
      expect.stringMatching(/^Orchestrator function 'asks' failed: Connection refused \(127\.0\.0\.1:9\)/),
    ]);
  });

  const misused = (name: string): string =>
    `System.InvalidOperationException: Misused header name, '${name}'. Make sure request headers are used with HttpRequestMessage, ` +
    'response headers with HttpResponseMessage, and content headers with HttpContent objects.';
  test.each<[string, object, string]>([
    [
      'has no address',
      { url: 'nowhere' },
      'System.InvalidOperationException: An invalid request URI was provided. Either the request URI must be an absolute URI or BaseAddress must be set.',
    ],
    [
      'is for another protocol',
      { url: 'ftp://localhost' },
      "System.NotSupportedException: The 'ftp' scheme is not supported.",
    ],
    [
      'is multipart',
      { headers: { 'Content-Type': 'multipart/form-data' } },
      'Microsoft.Azure.WebJobs.Extensions.DurableTask.FunctionFailedException: Multipart content is not supported with CallHttpAsync.',
    ],
    ['has a header of content', { headers: { Expires: 'soon' } }, misused('Expires')],
    [
      'has a content type with a charset',
      { body: '{}', headers: { 'content-type': 'application/json; charset=utf-8' } },
      "System.FormatException: The format of value 'application/json; charset=utf-8' is invalid.",
    ],
    [
      'has a content type that is none',
      { body: '{}', headers: { 'content-type': 'json' } },
      "System.FormatException: The format of value 'json' is invalid.",
    ],
    [
      'has a name of a header with a space',
      { headers: { 'bad name': 'x' } },
      "System.FormatException: The header name 'bad name' has an invalid format.",
    ],
    [
      'has a header without a name',
      { headers: { '': 'x' } },
      "System.ArgumentException: The value cannot be an empty string. (Parameter 'name')",
    ],
    [
      'has a header of two lines',
      { headers: { 'x-a': 'a\nb' } },
      'System.FormatException: New-line or NUL characters are not allowed in header values.',
    ],
  ])('is not made when it %s, and fails with the exception of .NET', async (_what, options, text) => {
    const app = await start();
    const id = await app.start('asks', { method: 'POST', url: 'http://127.0.0.1:9', ...options });
    expect(await app.finished(id)).toMatchObject({ runtimeStatus: 'Failed', output: text });
    const [type, message] = [text.slice(0, text.indexOf(':')), text.slice(text.indexOf(':') + 2)];
    const failureDetails = {
      ErrorType: type,
      ErrorMessage: message,
      InnerFailure: null,
      IsNonRetriable: false,
      Properties: null,
    };
    expect((await app.history(id)).slice(-3)).toMatchObject([
      {
        EventType: 'TaskFailed',
        Reason: message,
        Details: `Unhandled exception while executing task: ${text}`,
        FailureDetails: failureDetails,
      },
      {
        EventType: 'ExecutionCompleted',
        Result: `Orchestrator function 'asks' failed: ${text}`,
        FailureDetails: failureDetails,
      },
      { EventType: 'OrchestratorCompleted' },
    ]);
  });

  test.each<[string, object, string]>([
    [
      'a header that is not ASCII',
      { headers: { 'x-a': 'é' } },
      'Request headers must contain only ASCII characters.',
    ],
    [
      'an empty method',
      { method: '' },
      "The value cannot be an empty string or composed entirely of whitespace. (Parameter 'method')",
    ],
  ])('fails with %s', async (_what, options, text) => {
    const app = await start({ strict: false });
    const id = await app.start('asks', { method: 'POST', url: 'http://127.0.0.1:9', ...options });
    expect((await app.finished(id)).output).toContain(`Orchestrator function 'asks' failed: ${text}`);
  });

  test('leaves out the credentials of its URL, and decodes there what needs no encoding', async () => {
    const { url, asked } = await serve({});
    const app = await start();
    const address = `${url.replace('//', '//me:secret@')}/%41%2f%7e?q=%2D%3D`;
    await app.finished(await app.start('asks', { method: 'GET', url: address }));
    expect(asked).toMatchObject([{ url: '/A%2f~?q=-%3D' }]);
    expect(asked[0]!.headers).not.toHaveProperty('authorization');
  });

  test.each([
    [{ Expect: '100-continue' }, { expect: '100-continue' }],
    [{ 'Transfer-Encoding': 'chunked' }, { 'transfer-encoding': 'chunked' }],
  ])('with %j reaches the server', async (headers, received) => {
    const { url, asked } = await serve({});
    const app = await start();
    expect(
      await app.finished(await app.start('asks', { method: 'POST', url, body: 'x', headers })),
    ).toMatchObject({
      runtimeStatus: 'Completed',
    });
    expect(asked).toMatchObject([{ body: 'x', headers: received }]);
  });

  test('is sent without a header whose value is no text, and the log says so', async () => {
    const { url, asked } = await serve({});
    const lines: string[] = [];
    const app = await start({ log: (_level, _category, message) => lines.push(message) });
    const headers = { 'x-number': 5, 'x-flag': true, 'x-list': ['a', 'b'], 'x-text': '5' };
    await app.finished(await app.start('asks', { method: 'GET', url, headers }));
    expect(asked[0]!.headers).toMatchObject({ 'x-list': 'a, b', 'x-text': '5' });
    for (const name of ['x-number', 'x-flag']) {
      expect(asked[0]!.headers).not.toHaveProperty(name);
      expect(lines).toContainEqual(
        expect.stringContaining(`The request to ${url} is sent without its header '${name}'`),
      );
    }
  });

  test('follows redirects, and sends no credentials to another origin', async () => {
    const other = await serve({ body: 'there' });
    const { url, asked } = await serve(
      { status: 302, headers: { location: '/here' } },
      { status: 307, headers: { location: `${other.url}/there` } },
    );
    const app = await start();
    const headers = { authorization: 'Bearer me', cookie: 'me=1', 'x-functions-key': 'key', 'x-own': 'mine' };
    expect(
      await app.finished(await app.start('asks', { method: 'POST', url, body: 'x', headers })),
    ).toMatchObject({ output: { statusCode: 200, content: 'there' } });
    expect(asked).toMatchObject([
      { method: 'POST', headers },
      { method: 'GET', url: '/here', body: '', headers: { cookie: 'me=1', 'x-own': 'mine' } },
    ]);
    expect(asked[1]!.headers).not.toHaveProperty('content-type');
    expect(other.asked).toMatchObject([{ method: 'GET', headers: { 'x-own': 'mine' } }]);
    for (const name of ['authorization', 'cookie', 'x-functions-key'])
      expect(other.asked[0]!.headers).not.toHaveProperty(name);
  });
});

describe('A 202', () => {
  test.each([
    ['memory', async () => 'memory'],
    ['Azure Storage', account],
  ])('is asked about again until there is another answer, on %s', async (_name, storage) => {
    const { url, asked } = await serve(accepted({ 'Retry-After': '5' }), accepted(), { body: 'done' });
    const app = await start({ storage: await storage() });
    const id = await app.start('asks', {
      method: 'POST',
      url,
      body: 'go',
      headers: { authorization: 'me', 'x-functions-key': 'key' },
    });
    await app.quiet();
    expect(asked).toHaveLength(1);
    await app.skip({ seconds: 5 });
    expect(asked).toHaveLength(2);
    await app.skip({ seconds: 29 });
    expect(asked).toHaveLength(2);
    await app.skip({ seconds: 1 });
    expect(await app.instance(id)).toMatchObject({
      runtimeStatus: 'Completed',
      output: { content: 'done', after: 'after' },
    });
    expect(asked.slice(1)).toMatchObject([
      { method: 'GET', url: '/status', body: '', headers: { authorization: 'me' } },
      { url: '/status' },
    ]);
    expect(asked[1]!.headers).not.toHaveProperty('x-functions-key');
    expect(
      (await app.history(id))
        .filter(({ EventId }) => EventId >= 0)
        .map(({ EventType, EventId }) => [EventType, EventId]),
    ).toEqual([
      ['TaskScheduled', 0],
      ['TimerCreated', 1],
      ['TaskScheduled', 2],
      ['TimerCreated', 3],
      ['TaskScheduled', 4],
      ['TaskScheduled', 5],
      ['ExecutionCompleted', 6],
    ]);
  });

  test('is polled in the interval of host.json', async () => {
    const { url, asked } = await serve(accepted(), { body: 'done' });
    const app = await start({
      settings: {
        AzureFunctionsJobHost__extensions__durableTask__httpSettings__defaultAsyncRequestSleepTimeMilliseconds:
          '2000',
      },
    });
    const id = await app.start('asks', { method: 'GET', url });
    await app.skip({ milliseconds: 1999 });
    expect(asked).toHaveLength(1);
    await app.skip({ milliseconds: 1 });
    expect(await app.instance(id)).toMatchObject({ output: { content: 'done' } });
  });

  test('with a Location at another origin sends no credentials there', async () => {
    const other = await serve({ body: 'done' });
    const { url } = await serve(accepted({ Location: `${other.url}/status` }));
    const app = await start();
    const headers = { Authorization: 'Bearer me', Cookie: 'me=1', 'X-Functions-Key': 'key', 'x-own': 'mine' };
    expect(await app.finished(await app.start('asks', { method: 'GET', url, headers }))).toMatchObject({
      output: { content: 'done' },
    });
    expect(other.asked).toHaveLength(1);
    expect(other.asked[0]!.headers).toHaveProperty('x-own');
    for (const name of ['authorization', 'cookie', 'x-functions-key'])
      expect(other.asked[0]!.headers).not.toHaveProperty(name);
  });

  test('is the result when polling is off', async () => {
    const { url, asked } = await serve(accepted());
    const app = await start();
    expect(
      await app.finished(await app.start('asks', { method: 'GET', url, enablePolling: false })),
    ).toMatchObject({ output: { statusCode: 202 } });
    expect(asked).toHaveLength(1);
  });

  test.each<[string, Told, string]>([
    [
      'a date',
      accepted({ 'Retry-After': 'Sun, 01 Mar 2026 09:00:00 GMT' }),
      'answered 202 with a Retry-After that is no number of seconds.',
    ],
    ['nowhere to ask', { status: 202 }, 'answered 202 without Location.'],
  ])('with %s is what production gets stuck on, and strict mode says so', async (_what, answer, text) => {
    const { url } = await serve(answer);
    const app = await start();
    const { runtimeStatus, output } = await app.finished(await app.start('asks', { method: 'GET', url }));
    expect(runtimeStatus).toBe('Failed');
    expect(output).toContain(`${url} ${text}`);
  });

  test('while something else is scheduled makes task ids drift, as in production', async () => {
    const { url } = await serve(accepted());
    const [strict, said] = [await start(), [] as string[]];
    const failed = await strict.finished(await strict.start('asksForAMinute', { method: 'GET', url }));
    expect(failed).toMatchObject({
      runtimeStatus: 'Failed',
      output: expect.stringContaining('the next task id to the repeated call already') as string,
    });

    const lax = await start({
      strict: false,
      log: (level, _category, message) => {
        if (level === 'error') said.push(message);
      },
    });
    const id = await lax.start('asksForAMinute', { method: 'GET', url });
    await lax.skip({ minutes: 10 });
    expect(await lax.instance(id)).toMatchObject({ runtimeStatus: 'Running' });
    expect(said).toHaveLength(1);
  });
});

test('A test can answer in place of the network', async () => {
  const app = await start();
  app.replace('BuiltIn::HttpActivity', ({ uri }: HttpCall) => ({
    statusCode: 200,
    headers: {},
    content: `from ${uri}`,
  }));
  const id = await app.start('asksTwo', [
    { method: 'GET', url: 'https://one.example/' },
    { method: 'GET', url: 'https://two.example/' },
  ]);
  expect(await app.finished(id)).toMatchObject({
    output: ['from https://one.example/', 'from https://two.example/'],
  });
  expect(app.calls('BuiltIn::HttpActivity')).toMatchObject([
    { input: { method: 'GET' }, instanceId: id },
    { instanceId: id },
  ]);
});
