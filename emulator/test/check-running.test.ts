/** `emulator check-running`: whether the live instances of a running app continue on other code. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Checked } from '../src/check-running/check-running.js';
import {
  ManagementClient,
  RunningAppError,
  type ListedInstance,
} from '../src/check-running/management-client.js';
import { report } from '../src/check-running/report.js';
import { Selection } from '../src/check-running/selection.js';
import { TestApp } from '../src/testing.js';
import { runCli } from './support/cli.js';

const directory = path.join(import.meta.dirname, 'fixtures/changing-app');
const VERSION = 'AzureFunctionsJobHost__extensions__durableTask__defaultVersion';

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start({ directory, enforceKeys: true, strict: false, verifyReplay: false });
  const everything = async (id: string): Promise<void> => {
    await app.start('everything', { text: 'x'.repeat(100_000) }, id);
    await app.skip({ minutes: 2 });
    await app.raise(id, 'Go', { it: 'is raised' });
  };
  await everything('one');
  await everything('two');
  await app.suspend('two');
  await app.start('parent', null, 'the parent');
  await app.start('eternal', null, 'again');
  for (let round = 0; round < 3; round++) await app.raise('again', 'E', round);
  await app.start('child', 'quick', 'ended');
  await app.quiet();
});
afterAll(() => app.stop());

async function check(
  env: Record<string, string>,
  ...args: string[]
): Promise<{ code: number | null; output: string }> {
  const result = await runCli(['check-running', app.url, '--app', directory, ...args], {
    env: { CHECK_RUNNING_KEY: app.keys.master, ...env },
  });
  expect(result.output).not.toContain(app.keys.master);
  return result;
}

describe('Live instances', () => {
  test('continue on the code on which they run: all statuses, with all kinds of steps behind them', async () => {
    expect(await check({}, '--strict')).toEqual({
      code: 0,
      // The app prints the first line.
      output: `The key is undefined\n5 live instances at ${app.url}. Checked 5: 5 continue, 0 would be stranded, 0 cannot be judged, 0 ended meanwhile.\n`,
    });
  });

  test('are stranded by a step that comes before the step at which they are, and the table names each', async () => {
    const { code, output } = await check({ CHANGE: 'inserted' });
    expect(output).toMatch(
      /^These instances would be stranded:\n\nINSTANCE +ORCHESTRATOR +VERSION +STEP +REASON\n/m,
    );
    expect(output).toMatch(
      /^one +everything +1\.0 +0 +Today's code schedules the activity 'check' with sequence number 0/m,
    );
    expect(output).toMatch(/^two +everything +1\.0 +0 /m);
    expect(output).toContain('Checked 5: 3 continue, 2 would be stranded');
    expect(code).toBe(1);
  });

  test('continue where the step comes later, or only in the next version', async () => {
    const [later, versioned] = [
      await check({ CHANGE: 'appended' }),
      await check({ CHANGE: 'versioned', [VERSION]: '2.0' }),
    ];
    expect([later.code, versioned.code], later.output + versioned.output).toEqual([0, 0]);
  });

  test('are stranded when their orchestrator is removed, or the code has an older version', async () => {
    const removed = await check({ CHANGE: 'removed' });
    expect(removed.output).toMatch(/^one +everything .*'everything' doesn't exist/m);
    const older = await check({ [VERSION]: '0.9' });
    expect(older.output).toMatch(
      /^again +eternal +1\.0 +\? +The instance has the version '1\.0', and this app runs those of the version '0\.9' or older/m,
    );
    expect([removed.code, older.code]).toEqual([1, 1]);
  });

  test('are checked up to a number, and the others are counted', async () => {
    await app.start('eternal', null, 'more');
    await app.quiet();
    const more = await check({}, '--max', '1');
    await app.terminate('more', 'The test ends');
    expect(more.output).toContain('6 live instances');
    expect(more.output).toContain('Checked 5: 5 continue');
    expect(more.output).toContain('Not checked: 1,');
  });
});

describe('A check that is not possible is one line, and the exit code is 2:', () => {
  test.for<[string, string[], RegExp]>([
    ['no URL', [], /^Usage: emulator check-running/],
    ['a wrong key', ['URL', 'wrong'], /answers 401: give its system key/],
    ['no built app here', ['URL', '--app', path.join(directory, '..')], /host\.json is missing/],
  ])('%s', async ([, args, message]) => {
    const { code, output } = await runCli(
      ['check-running', ...args.map((argument) => (argument === 'URL' ? app.url : argument))],
      { env: { CHECK_RUNNING_KEY: app.keys.master } },
    );
    expect(output).toMatch(message);
    expect(code).toBe(2);
  });
});

describe('The management API of a running app', () => {
  type Handler = (request: IncomingMessage, url: URL, response: ServerResponse) => void;
  const served = async (handler: Handler): Promise<string> => {
    const server = createServer((request, response) => {
      handler(request, new URL(request.url!, 'http://localhost'), response);
    }).listen(0, '127.0.0.1');
    onTestFinished(() => {
      server.close();
      server.closeAllConnections();
    });
    await new Promise((resolve) => server.once('listening', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const listed = (instanceId: string, runtimeStatus = 'Running'): ListedInstance => ({
    name: 'one',
    instanceId,
    runtimeStatus,
    createdTime: '2030-01-01T00:00:00Z',
  });
  const ids = async (client: ManagementClient): Promise<string[]> => {
    const found: string[] = [];
    for await (const { instanceId } of client.live()) found.push(instanceId);
    return found;
  };

  test('is read page by page, the key in a header, without entities and what has ended', async () => {
    const seen: string[] = [];
    const url = await served((request, { pathname, searchParams }, response) => {
      seen.push(
        [pathname, request.headers['x-functions-key'], searchParams.get('code')].map(String).join(' '),
      );
      const isFirst = request.headers['x-ms-continuation-token'] === undefined;
      expect(searchParams.get('runtimeStatus')).toBe('Running,Pending,Suspended,ContinuedAsNew');
      expect([searchParams.get('taskHub'), searchParams.get('connection')]).toEqual(['Hub', 'Storage']);
      if (isFirst) response.setHeader('x-ms-continuation-token', 'next');
      response.end(
        JSON.stringify(
          isFirst
            ? [listed('@counter@c'), listed('a')]
            : [listed('b', 'Suspended'), listed('c', 'Completed')],
        ),
      );
    });
    const api = '/runtime/webhooks/durabletask';
    // As in a statusQueryGetUri that somebody has copied.
    const copied = `${url}${api}/instances/a?taskHub=Hub&connection=Storage&code=secret`;
    expect(await ids(new ManagementClient({ url: copied }))).toEqual(['a', 'b']);
    expect(seen).toEqual(Array(2).fill(`${api}/instances secret null`));
    await ids(new ManagementClient({ url: `${url}/`, taskHub: 'Hub', connection: 'Storage' }));
    expect(seen.at(-1)).toBe(`${api}/instances undefined null`);
  });

  test('that is not there is one line', async () => {
    const closed = createServer().listen(0);
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    await expect(ids(new ManagementClient({ url: `http://localhost:${port}` }))).rejects.toThrow(
      new RunningAppError(`http://localhost:${port} does not answer: ECONNREFUSED.`),
    );
  });

  test('that is busy is asked again', async () => {
    let requests = 0;
    const url = await served((_, __, response) => {
      response.statusCode = ++requests === 1 ? 503 : 200;
      response.end('[]');
    });
    expect(await ids(new ManagementClient({ url }))).toEqual([]);
    expect(requests).toBe(2);
  });

  test('does not get the key by way of a redirect, and not unencrypted', async () => {
    const url = await served((_, __, response) => {
      response.writeHead(307, { location: 'http://localhost:9/' }).end();
    });
    await expect(ids(new ManagementClient({ url, key: 'secret' }))).rejects.toThrow(/answers 307\.$/);
    expect(() => new ManagementClient({ url: 'http://app.example.com', key: 'secret' })).toThrow(
      new RunningAppError('The key would travel unencrypted: give a URL that begins with https://.'),
    );
    expect(() => new ManagementClient({ url: 'app.azurewebsites.net' })).toThrow('must begin with https://');
  });

  test('that shows an input or a history not, or shows no JSON, leaves these instances without a verdict', async () => {
    const start = {
      EventType: 'ExecutionStarted',
      Timestamp: '2030-01-01T00:00:00Z',
      FunctionName: 'eternal',
    };
    const begin = { ...start, Input: 'null' };
    const shown: Record<string, [status: number, body: object | string]> = {
      'in-a-blob': [
        202,
        { historyEvents: [{ ...start, Input: 'https://account.blob.core.windows.net/i.json.gz' }] },
      ],
      duplicate: [400, { Message: 'An item with the same key has already been added.' }],
      html: [202, '<html>'],
      gone: [404, ''],
      'a/b': [404, ''],
      over: [200, { runtimeStatus: 'Completed' }],
      pending: [202, { runtimeStatus: 'Pending' }],
      whole: [202, { historyEvents: [begin] }],
      'in-flight': [
        202,
        {
          name: 'everything',
          historyEvents: [
            { ...start, FunctionName: 'everything', Input: '{"text":"x"}' },
            { EventType: 'TaskScheduled', Name: 'echo', Timestamp: '2030-01-01T00:00:01Z' },
          ],
        },
      ],
      'large-result': [
        202,
        {
          historyEvents: [
            begin,
            {
              EventType: 'TaskCompleted',
              FunctionName: 'echo',
              Result: 'https://account.blob.core.windows.net/hub-largemessages/a/b.json.gz',
              Timestamp: '2030-01-01T00:00:01Z',
            },
          ],
        },
      ],
    };
    const url = await served((_, { pathname }, response) => {
      const id = pathname.split('/instances/')[1]?.replace('%2F', '/');
      if (id === undefined) {
        response.end(
          JSON.stringify(Object.keys(shown).map((each) => ({ ...listed(each), name: 'eternal' }))),
        );
        return;
      }
      const [status, body] = shown[id]!;
      response.statusCode = status;
      response.end(
        typeof body === 'string' ? body : JSON.stringify({ ...listed(id), name: 'eternal', ...body }),
      );
    });
    const args = ['check-running', url, '--app', directory];
    // A deployment runs it from a copy of the folder, without packages.
    const copy = await mkdtemp(path.join(tmpdir(), 'check-'));
    onTestFinished(() => rm(copy, { recursive: true, force: true }));
    for (const part of ['dist', 'package.json'])
      await cp(path.join(import.meta.dirname, '../', part), path.join(copy, part), { recursive: true });
    const { code, output } = await runCli([...args, '--strict'], { program: path.join(copy, 'dist/cli.js') });
    expect(output).toMatch(/^in-a-blob +eternal +none +\? +The input is not JSON/m);
    expect(output).toMatch(/^duplicate +eternal +none +\? +The app answers 400/m);
    expect(output).toMatch(/^a\/b +eternal .* such an id cannot be part of a URL/m);
    expect(output).toMatch(/^html +eternal .* something else than JSON/m);
    expect(output).toMatch(/^large-result +eternal .* a large payload as the address of a blob/m);
    expect(output).toContain('3 continue, 0 would be stranded, 5 cannot be judged, 2 ended meanwhile.');
    expect(code).toBe(1);
    const unknown: Checked = { ...listed('html'), verdict: 'unknown', reason: 'No\u0007 JSON\nat all' };
    const result = { origin: url, live: 1, checked: [unknown] };
    expect([report(result, false).ok, report(result, true).ok]).toEqual([true, false]);
    expect(report(result, false).text).toMatch(/^html +one +none +\? +No\? JSON$/m);
  });
});

test('Of very many instances the oldest and the newest of each orchestrator, version and status are selected', () => {
  const selection = new Selection(4);
  for (let number = 0; number < 1000; number++) {
    // In the order of ids, which is not that of their times.
    const createdTime = new Date(Date.UTC(2030, 0, 1) + ((number * 377) % 1000) * 1000).toISOString();
    selection.add({ name: 'many', instanceId: `${number}`, runtimeStatus: 'Running', createdTime });
  }
  const createdTime = '2030-01-01T00:00:00Z';
  for (const version of ['1.0', '2.0'])
    selection.add({ name: 'few', instanceId: version, version, runtimeStatus: 'Pending', createdTime });
  expect(selection.count).toBe(1002);
  expect(selection.selected().map(({ name, createdTime: at }) => `${name} ${at.slice(11, 19)}`)).toEqual([
    'few 00:00:00',
    'few 00:00:00',
    'many 00:00:00',
    'many 00:00:01',
    'many 00:16:38',
    'many 00:16:39',
  ]);
});
