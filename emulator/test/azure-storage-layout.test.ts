/**
 * The rows of the hub in Azure Storage are those that the Durable Task provider wrote for the same histories.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { TableClient } from '@azure/data-tables';
import { BlobServiceClient } from '@azure/storage-blob';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AzureStorageHub } from '../src/durable/azure-storage/hub.js';
import { escapeKey, eventKey, unescapeKey } from '../src/durable/azure-storage/keys.js';
import { readEvent, readRecord } from '../src/durable/azure-storage/rows.js';
import { account } from './support/azurite.js';
import { collect } from './support/collect.js';
import { AT, commitOf, recordOf, started } from './support/histories.js';

/** Keys unchanged, columns as type and value. */
type RecordedRow = { partitionKey: string; rowKey: string } & Record<
  string,
  string | [type: string, value: string]
>;

const recorded = JSON.parse(
  readFileSync(path.join(import.meta.dirname, 'fixtures/storage/rows.json'), 'utf8'),
) as Record<string, { Instances?: [RecordedRow]; History: RecordedRow[] }>;

let connection: string;
let hub: AzureStorageHub;

beforeEach(async () => {
  connection = await account();
  hub = new AzureStorageHub({ connection, name: 'OracleHub' });
  await hub.open(() => {});
});
afterEach(() => hub.close());

async function rows(table: string): Promise<RecordedRow[]> {
  const client = TableClient.fromConnectionString(connection, table, { allowInsecureConnection: true });
  return (
    await collect(
      client.listEntities<Record<string, string | { type: string; value: unknown }>>({
        disableTypeConversion: true,
      }),
    )
  ).map(
    (entity) =>
      Object.fromEntries(
        Object.entries(entity).flatMap(([name, cell]) =>
          name === 'etag' || name === 'timestamp'
            ? []
            : [[name, typeof cell === 'object' ? [cell.type, String(cell.value)] : cell]],
        ),
      ) as RecordedRow,
  );
}

/** The first row of an instance. */
async function rowOf(table: string, instanceId: string): Promise<RecordedRow> {
  return (await rows(table)).find(({ partitionKey }) => partitionKey === instanceId)!;
}

/** A recorded row in the form that the hub's own reader accepts. */
function plain(row: RecordedRow): Record<string, string> {
  return Object.fromEntries(
    Object.entries(row).map(([name, cell]) => [name, typeof cell === 'string' ? cell : cell[1]]),
  );
}

describe.each(Object.keys(recorded))('the rows of %s', (instanceId) => {
  const { History, Instances } = recorded[instanceId]!;
  const recordedEvents = History.filter(({ rowKey }) => rowKey !== 'sentinel');
  const history = recordedEvents.map((row) => readEvent(plain(row)));
  const executionId = plain(History[0]!)['ExecutionId']!;
  const record =
    Instances === undefined
      ? recordOf(instanceId, { executionId })
      : readRecord(plain(Instances[0]), instanceId);

  test('of its events are as recorded', async () => {
    await hub.commit(commitOf(instanceId, hub.fresh().token, { append: history, record }));
    const written = (await rows('OracleHubHistory')).filter(({ rowKey }) => rowKey !== 'sentinel');
    expect(written).toEqual(recordedEvents);
  });

  test('of its sentinel have all recorded columns, and some more', async () => {
    await hub.commit(commitOf(instanceId, hub.fresh().token, { append: history, record }));
    const sentinel = (await rows('OracleHubHistory')).at(-1)!;
    expect(sentinel).toMatchObject({
      partitionKey: instanceId,
      rowKey: 'sentinel',
      ExecutionId: ['String', executionId],
      IsCheckpointComplete: ['Boolean', 'true'],
    });
    expect(sentinel['CheckpointCompletedTimestamp']![0]).toBe('DateTime');
  });

  test.runIf(Instances !== undefined)('of the instance are as recorded', async () => {
    await hub.project(record);
    expect(await rows('OracleHubInstances')).toEqual(Instances);
  });
});

test('an event is read from its row in the form of the framework', () => {
  expect(recorded['race-1']!.History.slice(0, 3).map((row) => readEvent(plain(row)))).toEqual([
    { EventType: 'OrchestratorStarted', EventId: -1, Timestamp: '2026-11-21T00:24:27.5699873Z' },
    started('race-1', 'f37dd10a-94d0-4365-9201-1d5bb437e866', {
      Timestamp: '2026-11-21T00:24:27.5303567Z',
      Name: 'anyRace',
      Input: '""',
    }),
    {
      EventType: 'TimerCreated',
      EventId: 0,
      Timestamp: '2026-11-21T00:24:27.583639Z',
      FireAt: '2026-11-21T00:25:27.569Z',
    },
  ]);
});

test('the inputs of an activity and of a child are stored with their events', async () => {
  await hub.commit(
    commitOf('one', hub.fresh().token, {
      append: [
        { EventType: 'TaskScheduled', EventId: 0, Timestamp: AT, Name: 'work', Input: '[1]' },
        {
          EventType: 'SubOrchestrationInstanceCreated',
          EventId: 1,
          Timestamp: AT,
          Name: 'child',
          Version: null,
          InstanceId: 'c',
          Input: '[2]',
        },
      ],
    }),
  );
  expect((await rows('OracleHubHistory')).map(({ Input }) => Input)).toEqual([
    ['String', '[1]'],
    ['String', '[2]'],
    ['String', '"in"'],
  ]);
});

test('a text over 60 KB is in a blob, which History names and Instances links to', async () => {
  const fits = JSON.stringify('x'.repeat(30 * 1024 - 2));
  const large = JSON.stringify('x'.repeat(30 * 1024 - 1));
  for (const [id, input] of [
    ['fits', fits],
    ['large', large],
  ] as const) {
    const record = recordOf(id, { input });
    await hub.commit(
      commitOf(id, hub.fresh().token, { append: [started(id, 'e1', { Input: input })], record }),
    );
    await hub.project(record);
  }
  expect(await rowOf('OracleHubHistory', 'fits')).toMatchObject({ Input: ['String', fits] });
  expect(await rowOf('OracleHubInstances', 'fits')).toMatchObject({ Input: ['String', fits] });

  const event = await rowOf('OracleHubHistory', 'large');
  expect(event['Input']).toEqual(['String', '']);
  expect(event['InputBlobName']![1]).toMatch(/^large\/history-ExecutionStarted-[0-9a-f]{8}-Input\.json\.gz$/);
  const container =
    BlobServiceClient.fromConnectionString(connection).getContainerClient('oraclehub-largemessages');
  expect((await rowOf('OracleHubInstances', 'large'))['Input']![1]).toMatch(
    new RegExp(`^${container.url}/large/instance-[0-9a-f]{8}-Input.json.gz$`),
  );
});

test('keys are escaped as the provider escapes them', () => {
  const keys = {
    'a/b': 'a^0b',
    'a\\b': 'a^1b',
    '#': '^2',
    '?': '^3',
    '^0': '^^0',
    '\t': '^É',
    '\u009f': '^ş',
    'plain-Id_1:ü@🎉 %': 'plain-Id_1:ü@🎉 %',
  };
  for (const [id, key] of Object.entries(keys)) {
    expect(escapeKey(id)).toBe(key);
    expect(unescapeKey(key)).toBe(id);
  }
  expect(eventKey(26)).toBe('000000000000001A');
});
