import { readFileSync } from 'node:fs';
import path from 'node:path';
import { QueueServiceClient } from '@azure/storage-queue';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startCli, type RunningCli } from '../../emulator/test/support/cli.js';
import { startApp, theAppAlone, useApp } from '../support/app.js';
import { account } from '../support/azurite.js';

const ROOT = path.resolve(import.meta.dirname, '../..');

/**
 * Every function of the app that answers HTTP: its methods, its route, and its level. `anonymous` asks for no
 * key, `function` for one. A function that this table does not list, or lists otherwise, fails the tests.
 */
const table: readonly [name: string, methods: string, route: string, level: 'anonymous' | 'function'][] = [
  ['HomePage', 'GET HEAD', '{ignored:maxlength(0)?}', 'anonymous'],
  ['DungeonPage', 'GET HEAD', 'dungeon', 'anonymous'],
  ['IngestionsPage', 'GET HEAD', 'ingestions', 'anonymous'],
  ['OperationsPage', 'GET HEAD', 'operations', 'anonymous'],
  ['DevicesPage', 'GET HEAD', 'devices', 'anonymous'],
  ['InboxPage', 'GET HEAD', 'inbox', 'anonymous'],
  ['NewApprovalPage', 'GET HEAD', 'approvals/new', 'anonymous'],
  ['OutboxPage', 'GET HEAD', 'outbox', 'anonymous'],
  ['GetMe', 'GET', 'api/me', 'function'],
  ['PageAssets', 'GET HEAD', 'assets/{*file}', 'anonymous'],

  ['GetHealth', 'GET HEAD', 'api/health', 'anonymous'],
  ['GetHealthDetails', 'GET', 'api/operations/health', 'function'],
  ['ListInstances', 'GET', 'api/operations/instances', 'function'],
  ['GetInstance', 'GET', 'api/operations/instances/{id}', 'function'],
  ['GetInstanceHistory', 'GET', 'api/operations/instances/{id}/history', 'function'],
  ['ActOnInstance', 'POST', 'api/operations/instances/{id}/{action}', 'function'],

  ['StartOrchestrator', 'POST', 'api/orchestrators/{orchestratorName}', 'function'],

  ['RequestApproval', 'POST', 'api/approvals', 'function'],
  ['ListApprovals', 'GET', 'api/approvals', 'function'],
  ['GetApproval', 'GET', 'api/approvals/{id}', 'function'],
  ['DecideApproval', 'POST', 'api/approvals/{id}/decision', 'function'],

  ['DecidePage', 'GET HEAD', 'decide', 'anonymous'],
  ['DecideByLink', 'POST', 'decide', 'anonymous'],

  ['PlanReminders', 'POST', 'api/reminders', 'function'],
  ['GetReminders', 'GET', 'api/reminders/{id}', 'function'],
  ['CancelReminders', 'DELETE', 'api/reminders/{id}', 'function'],
  ['AcknowledgeReminders', 'POST', 'api/reminders/{id}/acknowledgement', 'function'],
  ['AcknowledgePage', 'GET HEAD', 'acknowledge', 'anonymous'],
  ['AcknowledgeByLink', 'POST', 'acknowledge', 'anonymous'],

  ['GetOutbox', 'GET', 'api/outbox', 'function'],
  ['GetUndelivered', 'GET', 'api/notifications/undelivered', 'function'],
  ['RetryUndelivered', 'POST', 'api/notifications/undelivered/retry', 'function'],

  ['Ingest', 'POST', 'api/ingestions', 'function'],
  ['ListIngestions', 'GET', 'api/ingestions', 'function'],
  ['GetIngestion', 'GET', 'api/ingestions/{id}', 'function'],
  ['GetIngestionResults', 'GET', 'api/ingestions/{id}/results', 'function'],
  ['GetIngestionRejects', 'GET', 'api/ingestions/{id}/rejects', 'function'],
  ['DeleteIngestion', 'DELETE', 'api/ingestions/{id}', 'function'],

  ['GetCatalogue', 'GET', 'api/catalogue', 'function'],
  ['GetCart', 'GET', 'api/carts/{cartId}', 'function'],
  ['ClearCart', 'DELETE', 'api/carts/{cartId}', 'function'],
  ['PutItem', 'PUT', 'api/carts/{cartId}/items/{sku}', 'function'],
  ['DeleteItem', 'DELETE', 'api/carts/{cartId}/items/{sku}', 'function'],
  ['CheckOut', 'POST', 'api/carts/{cartId}/checkout', 'function'],
  ['GetOrder', 'GET', 'api/orders/{orderId}', 'function'],
  ['CancelOrder', 'DELETE', 'api/orders/{orderId}', 'function'],
  ['RetryOrder', 'POST', 'api/orders/{orderId}/retry', 'function'],
  ['GetStock', 'GET', 'api/stock/{sku}', 'function'],
  ['ReceiveGoods', 'POST', 'api/stock/{sku}/receipts', 'function'],

  ['RegisterDevice', 'PUT', 'api/devices/{id}', 'function'],
  ['GetDevice', 'GET', 'api/devices/{id}', 'function'],
  ['RemoveDevice', 'DELETE', 'api/devices/{id}', 'function'],
  ['ListDevices', 'GET', 'api/devices', 'function'],
  ['ReportTelemetry', 'POST', 'api/devices/{id}/telemetry', 'function'],
  ['ListAlerts', 'GET', 'api/alerts', 'function'],

  ['CreateRollout', 'POST', 'api/rollouts', 'function'],
  ['ListRollouts', 'GET', 'api/rollouts', 'function'],
  ['GetRollout', 'GET', 'api/rollouts/{id}', 'function'],
  ['ListRolloutDevices', 'GET', 'api/rollouts/{id}/devices', 'function'],
  ['PauseRollout', 'POST', 'api/rollouts/{id}/pause', 'function'],
  ['ResumeRollout', 'POST', 'api/rollouts/{id}/resume', 'function'],
  ['AbortRollout', 'POST', 'api/rollouts/{id}/abort', 'function'],
  ['ReportUpdate', 'POST', 'api/devices/{id}/updates/{command}', 'function'],

  ['StartJob', 'POST', 'api/jobs', 'function'],
  ['GetJob', 'GET', 'api/jobs/{id}', 'function'],
  ['GetJobResult', 'GET', 'api/jobs/{id}/result', 'function'],
  ['CancelJob', 'DELETE', 'api/jobs/{id}', 'function'],

  // The names of these are the original game's; `DungeonStory` is ours.
  ['NewUser', 'POST', 'api/NewUser', 'anonymous'],
  ['ConfirmUser', 'POST', 'api/ConfirmUser', 'anonymous'],
  ['Action', 'POST', 'api/Action', 'anonymous'],
  ['GameStatus', 'GET', 'api/GameStatus/{username}', 'anonymous'],
  ['CheckStatus', 'GET', 'api/CheckStatus/{username}/{workflow}', 'anonymous'],
  ['DungeonStory', 'GET', 'api/dungeon/{username}/story', 'anonymous'],
];

const rows = table.flatMap(([name, methods, route, authLevel]) =>
  methods.split(' ').map((method) => ({
    name,
    method,
    path: `/${route.replace('{ignored:maxlength(0)?}', '').replaceAll(/\{\*?\w+\}/g, 'some')}`,
    authLevel,
  })),
);

/** The kinds of endpoint, in the order of the columns in docs/security.md. */
const KINDS = ['anonymous', 'function', 'management', 'administration'] as const;
type Kind = (typeof KINDS)[number];

/** The table in docs/security.md: each key with the kinds of endpoint that it opens. */
const opened = readFileSync(path.join(ROOT, 'docs/security.md'), 'utf8')
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .filter(([, , first = '']) => /^(yes|no)$/.test(first))
  .map(([, key = '', ...cells]) => ({ key, kinds: KINDS.filter((_, at) => cells[at] === 'yes') }));

/** Endpoints of the host, which have no function. */
const ofTheHost = (
  [
    ['management', 'POST', '/orchestrators/NoOrchestrator'],
    ['management', 'GET', '/instances'],
    ['management', 'DELETE', '/instances?createdTimeFrom=2000-01-01&createdTimeTo=2000-01-02'],
    ['management', 'GET', '/instances/none'],
    ['management', 'DELETE', '/instances/none'],
    ['management', 'POST', '/instances/none/raiseEvent/Some'],
    ['management', 'POST', '/instances/none/terminate?reason=some'],
    ['management', 'GET', '/entities'],
    ['management', 'POST', '/entities/none/some?op=get'],
    ['administration', 'GET', '/admin/functions'],
    ['administration', 'GET', '/admin/host/status'],
    ['administration', 'POST', '/admin/functions/NoFunction'],
  ] as const
).map(([kind, method, end]) => ({
  name: undefined,
  method,
  path: kind === 'management' ? `/runtime/webhooks/durabletask${end}` : end,
  authLevel: kind satisfies Kind as Kind,
}));

describe('the built app, with keys enforced', () => {
  let emulator: RunningCli;
  let storage: string;
  let keys: Map<string, string>;

  beforeAll(async () => {
    storage = await account();
    emulator = await startCli(
      ['start', '--app', ROOT, '--port', '0', '--storage', 'memory', '--enforce-keys'],
      { env: { AppStorage: storage, AzureWebJobsStorage: '' } },
    );
    keys = new Map(
      [...emulator.output().matchAll(/^\t(\w+): (\S+)$/gm)].map(([, name, key]) => [name!, key!]),
    );
  });
  afterAll(() => emulator.kill());

  it('has created the queues of its triggers, before anything is sent', async () => {
    const url = new URL(`/admin/functions?code=${keys.get('master')}`, emulator.url);
    const functions = (await (await fetch(url)).json()) as {
      config: { bindings: { type: string; queueName?: string }[] };
    }[];
    const triggers = functions
      .flatMap(({ config }) => config.bindings)
      .filter(({ type }) => type === 'queueTrigger');
    expect(triggers.length).toBeGreaterThan(0);
    await vi.waitFor(
      async () => {
        const queues: string[] = [];
        for await (const { name } of QueueServiceClient.fromConnectionString(storage).listQueues())
          queues.push(name);
        expect(queues).toEqual(expect.arrayContaining(triggers.map(({ queueName }) => queueName)));
      },
      { timeout: 30_000 },
    );
  });

  it.each([...rows, ...ofTheHost])(
    '$method $path opens to the keys that docs/security.md names for $authLevel, and to no others',
    async ({ name = 'GetMe', method, path: target, authLevel }) => {
      const given: Record<string, string | undefined> = {
        none: undefined,
        'a wrong key': 'guess',
        'the key of the function': keys.get(name),
        'the key of another function': keys.get(name === 'GetHealthDetails' ? 'GetMe' : 'GetHealthDetails'),
        'the host key (`default`)': keys.get('host'),
        'the system key (`durabletask_extension`)': keys.get('durabletask_extension'),
        'the master key (`_master`)': keys.get('master'),
      };
      expect(opened.map(({ key }) => key)).toEqual(Object.keys(given));
      for (const [at, { key, kinds }] of opened.entries()) {
        const url = new URL(target, emulator.url);
        // A key counts in the query and in the header.
        if (given[key] !== undefined && at % 2 === 0) url.searchParams.set('code', given[key]);
        const response = await fetch(url, {
          method,
          redirect: 'manual',
          headers: {
            'content-type': 'application/json',
            ...(given[key] !== undefined && at % 2 === 1 && { 'x-functions-key': given[key] }),
          },
          ...((method === 'POST' || method === 'PUT') && { body: '{}' }),
        });
        await response.arrayBuffer();
        // The host answers a key that opens something else with 403. Its answer has no content, the app's own 403 has.
        const isRefused =
          response.status === 401 ||
          (response.status === 403 && response.headers.get('content-type') === null);
        expect([key, !isRefused]).toEqual([key, kinds.includes(authLevel)]);
        expect(response.status).not.toBe(500);
      }
    },
  );
});

describe('the app', () => {
  it('registers what the table lists', async () => {
    const { app } = await startApp({ app: theAppAlone });
    const functions = (await (await app.get('/admin/functions')).json()) as {
      name: string;
      config: { bindings: { type: string; methods?: string[]; route?: string; authLevel?: string }[] };
    }[];
    const registered = functions.flatMap(({ name, config }) =>
      config.bindings
        .filter(({ type }) => type === 'httpTrigger')
        .map(({ methods, route, authLevel }) => [
          name,
          methods?.map((method) => method.toUpperCase()).join(' '),
          route,
          authLevel,
        ]),
    );
    const byName = (listed: readonly (readonly unknown[])[]): unknown =>
      Object.fromEntries(listed.map(([name, ...rest]) => [name, rest]));
    expect(byName(registered)).toEqual(byName(table));
  });
});

describe('the app, without keys', () => {
  const shared = useApp({ app: theAppAlone });
  const deep = '['.repeat(30_000) + ']'.repeat(30_000);
  const bodies = [
    '',
    'null',
    '"',
    '[]',
    '{}',
    '1e999',
    deep,
    '{"__proto__":{"a":1}}',
    '{"constructor":null}',
    '\uFEFF{}',
    'x'.repeat(70_000),
  ];

  it.each(rows)('nothing sent to $method $path makes it fail', async ({ method, path: target }) => {
    const { app } = shared();
    // GET has no body.
    for (const body of method === 'GET' ? [undefined] : bodies) {
      for (const headers of [
        {},
        { 'idempotency-key': '../%00' },
        { 'x-ms-client-principal': '////' },
      ] as Record<string, string>[]) {
        const answer = await app.request(method, target, { headers, body });
        // 503 is the pages' word for not having been built.
        expect(answer.status === 503 ? 200 : answer.status).toBeLessThan(500);
      }
    }
  });
});
