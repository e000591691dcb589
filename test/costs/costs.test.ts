/** `npm run measure-costs`, `npm run model` and the page that they write. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { TableClient, type TransactionAction } from '@azure/data-tables';
import { QueueClient } from '@azure/storage-queue';
import { describe, expect, onTestFinished, test } from 'vitest';
import { endpointsOf, withOrigins } from '../../tools/costs/connection.js';
import { costOf, sum, type Measurement } from '../../tools/costs/costs.js';
import {
  headroom,
  model,
  priceOfThousand,
  total,
  withoutLoad,
  type Assumptions,
} from '../../tools/costs/model.js';
import { startProxy } from '../../tools/costs/proxy.js';
import { readKept, sectionsOf } from '../../tools/costs/report.js';
import { add, emptyTally } from '../../tools/costs/tally.js';
import { account } from '../support/azurite.js';

const root = path.join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
const page = read('docs/scale.md');
const assumptions = JSON.parse(read('tools/costs/assumptions.json')) as Assumptions;

/** Runs a command of tools/. @returns what it prints */
async function run(tool: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [path.join(root, 'tools', tool), ...args], {
    env: { ...process.env, NODE_OPTIONS: '' },
    maxBuffer: 2 ** 24,
  });
  return stdout;
}

test('The costs of an approval and an order are measured behind the proxy, and are those of the page', async () => {
  const printed = await run(
    'measure-costs.ts',
    '--storage',
    await account(),
    '--only',
    'approval-decided,order',
    '--runs',
    '1',
    '--json',
  );
  const { costs } = JSON.parse(printed) as Measurement;
  expect(costs.map(({ name }) => name)).toEqual(['approval-decided', 'order']);
  for (const cost of costs) {
    const kept = readKept().now.costs.find(({ name }) => name === cost.name)!;
    expect(cost.executions).toMatchObject({
      http: kept.executions.http,
      activity: kept.executions.activity,
      queue: kept.executions.queue,
    });
    // Requests that meet others at the same time are repeated.
    const [now, then] = [cost, kept].map(({ app }) => sum(app.table) + sum(app.queue));
    expect(now, `${cost.name}: measure again with npm run measure-costs -- --write`).toBeLessThan(
      1.2 * then!,
    );
    expect(now).toBeGreaterThan(0.8 * then!);
    expect(cost.entities).toBeGreaterThan(0);
    expect(cost.bytesIn).toBeGreaterThan(0);
  }
});

describe('The proxy', () => {
  test('counts requests by what they are, and signatures stay valid behind it', async () => {
    const tally = emptyTally();
    const proxy = await startProxy(await account(), (exchange) => {
      add(tally, exchange, 'MyHub');
    });
    onTestFinished(() => proxy.stop());
    const table = TableClient.fromConnectionString(proxy.connectionString, 'Costs', {
      allowInsecureConnection: true,
    });
    await table.createTable();
    await table.createEntity({ partitionKey: 'one', rowKey: '1' });
    await table.submitTransaction([
      ['upsert', { partitionKey: 'one', rowKey: '2' }],
      ['upsert', { partitionKey: 'one', rowKey: '3' }],
    ]);
    await table.getEntity('one', '3');
    const rows: unknown[] = [];
    for await (const found of table.listEntities()) rows.push(found);
    expect(rows).toHaveLength(3);
    const queue = new QueueClient(proxy.connectionString, 'costs');
    await queue.create();
    expect((await queue.receiveMessages()).receivedMessageItems).toEqual([]);
    await queue.sendMessage('hello');
    const [message] = (await queue.receiveMessages()).receivedMessageItems;
    await queue.deleteMessage(message!.messageId, message!.popReceipt);

    const history = TableClient.fromConnectionString(proxy.connectionString, 'MyHubHistory', {
      allowInsecureConnection: true,
    });
    await history.createTable();
    await history.submitTransaction(
      ['OrchestratorStarted', 'ExecutionStarted', 'TaskCompleted', 'TaskFailed'].map(
        (EventType, number): TransactionAction => [
          'create',
          { partitionKey: 'a', rowKey: String(number), EventType },
        ],
      ),
    );

    // The tables are made by requests to the table `Tables`.
    expect(tally.app.table).toEqual({ read: 1, query: 1, write: 3, delete: 0, batch: 1 });
    expect(tally.hub.table).toMatchObject({ batch: 1 });
    expect(tally.app.queue).toEqual({ read: 1, query: 0, write: 2, delete: 1, batch: 0 });
    expect(tally.idle).toEqual({ blob: 0, queue: 1, table: 0 });
    expect(tally.executions).toEqual({ orchestrator: 1, entity: 0, activity: 2, queue: 1 });
    expect([tally.started, tally.partitions.get('Costs one')]).toEqual([1, 3]);
  });

  test('stands at the addresses of any account whose key it is given', () => {
    const azure =
      'DefaultEndpointsProtocol=https;AccountName=mine;AccountKey=a2V5==;EndpointSuffix=core.windows.net';
    expect(endpointsOf(azure).queue.href).toBe('https://mine.queue.core.windows.net/');
    const local = { blob: 'http://127.0.0.1:1', queue: 'http://127.0.0.1:2', table: 'http://127.0.0.1:3' };
    expect(withOrigins(azure, local)).toContain('AccountKey=a2V5==;BlobEndpoint=http://127.0.0.1:1;');
    expect(withOrigins('UseDevelopmentStorage=true', local)).toMatch(
      /TableEndpoint=http:\/\/127\.0\.0\.1:3\/devstoreaccount1$/,
    );
    expect(() => endpointsOf('BlobEndpoint=https://mine;SharedAccessSignature=x')).toThrow(/AccountKey/);
  });
});

describe('The model', () => {
  const run5 = { ...emptyTally(), http: 2 };
  run5.executions = { orchestrator: 4, entity: 0, activity: 3, queue: 1 };
  run5.app.table.write = 10;
  run5.partitions.set('Index due', 4);
  const costs = ['approval-decided', 'sweep', 'heartbeat', 'purge', 'approval-escalated'].map((name) =>
    costOf(name, name, name.startsWith('approval') ? [run5, run5] : [{ ...emptyTally(), http: 0 }]),
  );
  const load = (approvals: number): Assumptions => {
    const idle = withoutLoad(assumptions);
    return { ...idle, load: { ...idle.load, approvals } };
  };

  test('multiplies what was measured, and finds the limit that is reached first', () => {
    const outcome = model(costs, load(864_000));
    // Ten a second in the mean.
    expect(outcome.executionsADay).toBe(864_000 * 10);
    expect(outcome.rates).toMatchObject({ executions: 300, workItems: 210, appTables: 300 });
    expect(outcome.limits).toContainEqual({
      what: 'entities a second, partition `due` of `Index`',
      rate: 120,
      limit: 2000,
    });
    expect([outcome.workers, outcome.partitions]).toEqual([1, 4]);
    const more = model(costs, load(864_000 * headroom(outcome).factor));
    expect(headroom(more).factor).toBeCloseTo(1);
  });

  test('has the price of an app without work, and that of a thousand of a workflow', () => {
    const free: Assumptions = {
      ...load(0),
      prices: Object.fromEntries(Object.keys(assumptions.prices).map((name) => [name, 0])) as never,
    };
    expect(total(model(costs, free))).toBe(0);
    expect(total(model(costs, load(0)))).toBeGreaterThan(0);
    // Ten executions each, and nothing else that is paid for.
    free.prices.millionExecutions = 1;
    expect(priceOfThousand(costs[0]!, free)).toBeCloseTo(0.01);
  });

  test('runs on the measured costs, with numbers from the command line', async () => {
    const { assumptions: used, outcome } = JSON.parse(
      await run('model.ts', '--approvals', '1e6', '--players', '1e5', '--json'),
    ) as { assumptions: Assumptions; outcome: ReturnType<typeof model> };
    expect(used.load).toMatchObject({ approvals: 1e6, players: 1e5, orders: 0 });
    expect(outcome).toEqual(model(readKept().now.costs, used));
    expect(page, 'write it with npm run model -- --write').toContain((await run('model.ts')).trim());
    await expect(run('model.ts', '--approvals', 'many')).rejects.toThrow(/--approvals is many/);
  });
});

describe('The page', () => {
  test('has the figures that the commands have written', () => {
    for (const text of Object.values(sectionsOf(readKept()))) expect(page).toContain(text);
  });

  test('explains each setting of host.json', () => {
    const settings = (value: unknown, prefix = ''): string[] =>
      typeof value === 'object' && value !== null
        ? Object.entries(value).flatMap(([name, inner]) =>
            settings(inner, prefix ? `${prefix}.${name}` : name),
          )
        : [prefix];
    const explained = [...page.matchAll(/^\| `([\w.]+)` \| [^|]+ \| [^|]+ \|$/gm)].map(([, name]) => name);
    expect(new Set(explained)).toEqual(new Set(settings(JSON.parse(read('host.json')))));
  });
});
