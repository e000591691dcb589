import { describe, expect, it } from 'vitest';
import { startApp } from '../support/app.js';

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

describe('with keys enforced', () => {
  it.each(rows)(
    '$method $path asks for a key as its level ($authLevel) says',
    async ({ method, path, authLevel }) => {
      const { app } = await startApp({ enforceKeys: true });
      const without = await app.request(method, path, { body: method === 'GET' ? undefined : {} });
      const wrong = await app.request(method, path, {
        headers: { 'x-functions-key': 'guess' },
        body: method === 'GET' ? undefined : {},
      });
      const right = await app.request(method, path, {
        headers: { 'x-functions-key': app.keys.host },
        body: method === 'GET' ? undefined : {},
      });
      expect([without.status === 401, wrong.status === 401, right.status === 401]).toEqual(
        authLevel === 'function' ? [true, true, false] : [false, false, false],
      );
      expect(right.status).not.toBe(500);
    },
  );

  it('what the app registers is what the table lists', async () => {
    const { app } = await startApp();
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

it.each(rows)('nothing sent to $method $path makes it fail', async ({ method, path }) => {
  const { app } = await startApp();
  const deep = '['.repeat(30_000) + ']'.repeat(30_000);
  for (const body of [
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
  ]) {
    for (const headers of [
      {},
      { 'idempotency-key': '../%00' },
      { 'x-ms-client-principal': '////' },
    ] as Record<string, string>[]) {
      const answer = await app.request(method, path, { headers, body: method === 'GET' ? undefined : body });
      // 503 is the pages' word for not having been built.
      expect(answer.status === 503 ? 200 : answer.status).toBeLessThan(500);
    }
  }
});
