/** What `TaskHub` promises, checked on each hub. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AzureStorageHub } from '../src/durable/azure-storage/hub.js';
import type { HistoryEvent, RuntimeStatus } from '../src/durable/history.js';
import { MemoryHub } from '../src/durable/memory/memory-hub.js';
import { HubFile } from '../src/durable/sqlite/hub-file.js';
import { SqliteHub } from '../src/durable/sqlite/sqlite-hub.js';
import {
  CommitConflictError,
  HubUnavailableError,
  StorageFailure,
  MAX_CONSUMED,
  type Commit,
  type InstanceRecord,
  type TaskHub,
} from '../src/durable/task-hub.js';
import { account } from './support/azurite.js';
import { collect } from './support/collect.js';
import { AT, commitOf, message, raised, recordOf, running, started } from './support/histories.js';

const folder = mkdtempSync(path.join(tmpdir(), 'task-hub-'));
let files = 0;
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const HUBS: Record<string, () => Promise<TaskHub>> = {
  memory: async () => new MemoryHub({ name: 'Hub' }),
  SQLite: async () => new SqliteHub({ file: path.join(folder, `${files++}.db`), name: 'Hub' }),
  'Azure Storage': async () => new AzureStorageHub({ connection: await account(), name: 'Hub' }),
};

/** Sizes around and above the limit of a column, and text that is difficult for encodings. */
const LONG = '"' + '€ü"\\ 日本 🎉 '.repeat(4000) + '"';
const longText = (name: string): string => `${LONG.slice(0, -1)} ${name}"`;
const time = (second: number): number => Date.parse(`2026-11-21T00:00:0${second}Z`);
const ODD_IDS = [
  'a/b',
  'a\\b',
  '#',
  '?',
  'a#b?c',
  '^',
  'a^0b',
  '%41',
  '100%',
  "it's",
  'a b',
  'ünïcödé',
  '日本語',
  '🎉',
  '@counter@k1',
  'a:b',
  'a+b&c=d',
  '(x)',
  '"q"',
  'tab\there',
  '\u0085',
  'x'.repeat(100),
  'A',
  'a',
];

describe.each(Object.keys(HUBS))('the %s hub', (kind) => {
  let hub: TaskHub;

  beforeEach(async () => {
    hub = await HUBS[kind]!();
    await hub.open(() => {});
  });
  afterEach(() => hub.close());

  /** Does what an episode does: load, commit, project. */
  async function commit(over: Partial<Commit> & { record: InstanceRecord }): Promise<void> {
    const { instanceId } = over.record;
    const { token } = await hub.load(instanceId);
    await hub.commit(commitOf(instanceId, token, over));
    await hub.project(over.record);
  }

  test('has no instance that was never written, and knows that without a request, too', async () => {
    const loaded = await hub.load('nobody');
    expect(loaded).toMatchObject({ record: undefined, history: [], inbox: [], stale: false });
    expect(hub.fresh()).toMatchObject({ record: undefined, history: [], inbox: [], stale: false });
    expect(await hub.getRecord('nobody')).toBeUndefined();

    await hub.commit(commitOf('nobody', hub.fresh().token));
    expect((await hub.load('nobody')).record).toEqual(recordOf('nobody'));
  });

  test('gives back every kind of event exactly as it was committed', async () => {
    const failure = {
      ErrorType: 'E',
      ErrorMessage: 'm',
      StackTrace: null,
      IsNonRetriable: true,
      InnerFailure: null,
      Properties: { a: [1] },
    };
    const parent = {
      Name: 'parent',
      OrchestrationInstance: { InstanceId: 'p', ExecutionId: 'pe' },
      TaskScheduleId: 3,
      Version: null,
    };
    const at = { EventId: -1, Timestamp: '2026-11-21T00:24:25.8676831Z' };
    const history: HistoryEvent[] = [
      { EventType: 'OrchestratorStarted', EventId: -1, Timestamp: '2026-11-21T00:24:25Z' },
      started('all', 'e1', { Version: '1.0', Input: null, ParentInstance: parent, Generation: null }),
      { EventType: 'ExecutionSuspended', ...at, Reason: 'hold' },
      { EventType: 'ExecutionResumed', ...at, Reason: '' },
      { EventType: 'TaskScheduled', ...at, EventId: 0, Name: 'work', Input: '[1]' },
      { EventType: 'TaskScheduled', ...at, EventId: 1, Name: 'work', Input: null },
      { EventType: 'TaskCompleted', ...at, TaskScheduledId: 0, Result: '{"a":"line\\nline"}' },
      {
        EventType: 'TaskFailed',
        ...at,
        TaskScheduledId: 1,
        Reason: 'r',
        Details: 'line\r\nline\t\u0001\u2028\u2029',
        FailureDetails: failure,
      },
      {
        EventType: 'TaskFailed',
        ...at,
        TaskScheduledId: 1,
        Reason: '',
        Details: 'null',
        FailureDetails: null,
      },
      {
        EventType: 'SubOrchestrationInstanceCreated',
        ...at,
        EventId: 2,
        Name: 'child',
        Version: null,
        InstanceId: 'all:2',
        Input: '"x"',
      },
      {
        EventType: 'SubOrchestrationInstanceCreated',
        ...at,
        EventId: 3,
        Name: 'child',
        Version: '',
        InstanceId: 'all:3',
        Input: null,
      },
      { EventType: 'SubOrchestrationInstanceCompleted', ...at, TaskScheduledId: 2, Result: null },
      {
        EventType: 'SubOrchestrationInstanceFailed',
        ...at,
        TaskScheduledId: 3,
        Reason: 'r',
        Details: null,
        FailureDetails: null,
      },
      { EventType: 'TimerCreated', ...at, EventId: 4, FireAt: '2027-01-01T00:00:00Z' },
      { EventType: 'TimerFired', ...at, TimerId: 4, FireAt: '2027-01-01T00:00:00.1Z' },
      { EventType: 'EventSent', ...at, EventId: 5, InstanceId: '@counter@k', Name: 'op', Input: '{}' },
      { EventType: 'EventRaised', ...at, Name: 'go', Input: 'null' },
      { EventType: 'GenericEvent', ...at, Data: null },
      { EventType: 'ExecutionTerminated', ...at, Input: 'because' },
      {
        EventType: 'ExecutionCompleted',
        ...at,
        EventId: 6,
        OrchestrationStatus: 'Terminated',
        Result: 'because',
      },
      { EventType: 'OrchestratorCompleted', ...at, ActionCount: 7 },
      { EventType: 'OrchestratorCompleted', ...at, Continuation: true },
      { EventType: 'OrchestratorCompleted', ...at },
    ];
    const record = recordOf('all', {
      name: 'chain',
      version: '1.0',
      input: null,
      parent,
      runtimeStatus: 'Terminated',
      output: 'because',
      customStatus: '{"s":1}',
      lastUpdatedTime: '2026-11-21T00:24:26.1Z',
      completedTime: '2026-11-21T00:24:26Z',
    });
    await commit({ append: history, record });

    const loaded = await hub.load('all');
    expect(loaded.history).toEqual(history);
    expect(loaded.record).toEqual(record);
    expect(loaded.stale).toBe(false);
    expect(await hub.getRecord('all')).toEqual(record);
  });

  test.each<[string, Partial<InstanceRecord>]>([
    ['that waits', { runtimeStatus: 'Running', customStatus: '"half"' }],
    ['that is suspended, with its reason', { runtimeStatus: 'Suspended', output: 'hold' }],
    ['that was resumed', { runtimeStatus: 'Running', output: 'go on' }],
    ['that has ended with an output', { runtimeStatus: 'Completed', output: '[1]', completedTime: AT }],
    ['that has ended without', { runtimeStatus: 'Completed', output: null, completedTime: AT }],
    ['that was created in an earlier execution', { createdTime: '2026-01-01T00:00:00Z' }],
  ])('loads the record of an instance %s', async (_, over) => {
    const record = recordOf('one', over);
    await commit({ append: running('one', 1), record: recordOf('one') });
    const append: HistoryEvent[] =
      over.completedTime === undefined
        ? []
        : [
            {
              EventType: 'ExecutionCompleted',
              EventId: 1,
              Timestamp: AT,
              OrchestrationStatus: 'Completed',
              Result: over.output ?? null,
            },
          ];
    await commit({ append, record });
    expect((await hub.load('one')).record).toEqual(record);
    await hub.post('one', message('late'));
    await commit({ append: [], consumed: ['late'], record });
    expect((await hub.load('one')).record).toEqual(record);
  });

  test('appends to what is there', async () => {
    await commit({ append: running('one', 2), record: recordOf('one') });
    const more = running('one', 1).slice(2);
    await commit({ append: more, record: recordOf('one') });
    expect((await hub.load('one')).history).toEqual([...running('one', 2), ...more]);
  });

  test('commits again with the token that a commit gave', async () => {
    let { token } = hub.fresh();
    for (let round = 0; round < 3; round++)
      token = await hub.commit(commitOf('one', token, { append: [raised(`${round}`)] }));
    expect((await hub.load('one')).history).toEqual([raised('0'), raised('1'), raised('2')]);
  });

  test('keeps messages in the order in which they came, and one of each id', async () => {
    const ids = ['b', 'a', 'c-2', 'c_1', 'Z'];
    for (const id of ids) await hub.post('one', message(id));
    await hub.post('one', message('a', '"again"'));
    const { record, inbox } = await hub.load('one');
    expect(record).toBeUndefined();
    expect(inbox).toEqual(ids.map((id) => message(id)));
  });

  test('keeps the order of messages that are posted at once', async () => {
    const ids = Array.from({ length: 50 }, (_, index) => `m${index}`);
    await Promise.all(ids.map((id) => hub.post('one', message(id))));
    expect((await hub.load('one')).inbox.map(({ id }) => id)).toEqual(ids);
  });

  test('keeps the execution that a message is for', async () => {
    await hub.post('one', { ...message('result'), executionId: 'e7' });
    expect((await hub.load('one')).inbox).toEqual([{ ...message('result'), executionId: 'e7' }]);
  });

  test('consumes messages with the commit that appends their effects', async () => {
    for (const id of ['a', 'b', 'c']) await hub.post('one', message(id));
    await commit({ append: [raised('a'), raised('c')], consumed: ['a', 'c'], record: recordOf('one') });
    const loaded = await hub.load('one');
    expect(loaded.history).toEqual([raised('a'), raised('c')]);
    expect(loaded.inbox).toEqual([message('b')]);
    await hub.post('one', message('a', '"a new one"'));
    expect((await hub.load('one')).inbox).toEqual([message('b'), message('a', '"a new one"')]);
  });

  test('consumes as many messages as one commit may, with a large episode', async () => {
    const ids = Array.from({ length: MAX_CONSUMED }, (_, index) => `m${index}`);
    for (const tasks of [59, 60, 97, 98, 200]) {
      await Promise.all(ids.map((id) => hub.post('one', message(id))));
      await commit({ append: running('one', tasks), consumed: ids, record: recordOf('one'), replace: true });
      const loaded = await hub.load('one');
      expect(loaded.inbox).toEqual([]);
      expect(loaded.history).toEqual(running('one', tasks));
    }
  });

  test('refuses a commit when somebody else committed since, and changes nothing', async () => {
    await hub.post('one', message('a'));
    const { token } = await hub.load('one');
    await hub.commit(commitOf('one', token));
    await expect(
      hub.commit(commitOf('one', token, { append: [raised('x')], consumed: ['a'] })),
    ).rejects.toThrow(CommitConflictError);
    await expect(hub.commit(commitOf('one', hub.fresh().token, { append: [raised('x')] }))).rejects.toThrow(
      CommitConflictError,
    );
    const loaded = await hub.load('one');
    expect(loaded.history).toEqual(running('one', 1));
    expect(loaded.inbox).toEqual([message('a')]);
  });

  test('refuses a commit that consumes what is not there, and changes nothing', async () => {
    await hub.post('one', message('a'));
    await commit({ append: running('one', 1), record: recordOf('one') });
    const { token } = await hub.load('one');
    await expect(
      hub.commit(commitOf('one', token, { append: [raised('x')], consumed: ['a', 'b'] })),
    ).rejects.toThrow(CommitConflictError);
    expect(await hub.load('one')).toMatchObject({ history: running('one', 1), inbox: [message('a')] });
  });

  test('lets one of many commits with the same token win', async () => {
    const { token } = hub.fresh();
    const tries = await Promise.allSettled(
      Array.from({ length: 8 }, (_, index) =>
        hub.commit(commitOf('one', token, { append: [raised(`${index}`)] })),
      ),
    );
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const winner = tries.findIndex(({ status }) => status === 'fulfilled');
    expect((await hub.load('one')).history).toEqual([raised(`${winner}`)]);
  });

  test('commits a thousand events at once, and more after them', async () => {
    await commit({ append: running('one', 1000), record: recordOf('one') });
    await commit({ append: [raised('x')], record: recordOf('one') });
    expect((await hub.load('one')).history).toEqual([...running('one', 1000), raised('x')]);
  });

  test.each([
    [3, 2],
    [2, 3],
    [300, 2],
    [2, 300],
    [300, 250],
    [250, 300],
    [120, 20],
  ])('replaces an execution of %i tasks by one of %i, again and again', async (before, after) => {
    await commit({ append: running('one', before), record: recordOf('one') });
    for (const [execution, tasks] of [
      ['e2', after],
      ['e3', before],
      ['e4', after],
    ] as const) {
      const record = recordOf('one', { executionId: execution });
      await commit({ append: running('one', tasks, execution), record, replace: true });
      expect(await hub.load('one')).toMatchObject({
        history: running('one', tasks, execution),
        record,
        stale: false,
      });
    }
    await commit({ append: [raised('x')], record: recordOf('one', { executionId: 'e4' }) });
    expect((await hub.load('one')).history).toEqual([...running('one', after, 'e4'), raised('x')]);
  });

  test('keeps texts of any size in every place', async () => {
    await hub.post('big', message('waits', longText('message')));
    await hub.post('big', message('goes', longText('goes')));
    const record = recordOf('big', { input: longText('input'), customStatus: longText('status') });
    const history: HistoryEvent[] = [
      started('big', 'e1', { Input: longText('input') }),
      raised('goes', longText('goes')),
      raised('small'),
    ];
    await commit({ append: history, consumed: ['goes'], record });
    expect(await hub.load('big')).toMatchObject({
      history,
      record,
      inbox: [message('waits', longText('message'))],
      stale: false,
    });
    expect(await hub.getRecord('big')).toEqual(record);

    const done = recordOf('big', {
      input: longText('input'),
      output: longText('output'),
      runtimeStatus: 'Completed',
      completedTime: AT,
    });
    const end: HistoryEvent = {
      EventType: 'ExecutionCompleted',
      EventId: 0,
      Timestamp: AT,
      OrchestrationStatus: 'Completed',
      Result: longText('output'),
    };
    await commit({ append: [end], record: done });
    expect(await hub.load('big')).toMatchObject({ history: [...history, end], record: done, stale: false });
    expect(await hub.getRecord('big')).toEqual(done);
    expect((await hub.query({ top: 10 })).records).toEqual([done]);

    const next = recordOf('big', { executionId: 'e2', input: longText('second input') });
    await commit({
      append: [started('big', 'e2', { Input: longText('second input') })],
      record: next,
      replace: true,
    });
    expect(await hub.load('big')).toMatchObject({
      history: [{ Input: longText('second input') }],
      record: next,
      inbox: [message('waits', longText('message'))],
    });
    expect(await hub.getRecord('big')).toEqual(next);
  });

  test('commits many large texts at once', async () => {
    const text = `"${'\\"'.repeat(14_000)}"`;
    const append = Array.from({ length: 120 }, (_, index) => raised(`${index}`, text));
    await commit({ append, record: recordOf('many') });
    expect((await hub.load('many')).history).toEqual(append);
  });

  test.each(ODD_IDS)('serves the instance id %j', async (id) => {
    await hub.post(id, message('a', LONG));
    await commit({ append: running(id, 2), record: recordOf(id, { input: LONG }) });
    expect(await hub.load(id)).toMatchObject({ history: running(id, 2), inbox: [message('a', LONG)] });
    await commit({ append: [raised('a')], consumed: ['a'], record: recordOf(id) });
    expect((await hub.load(id)).inbox).toEqual([]);
    expect(await hub.getRecord(id)).toEqual(recordOf(id));
    expect((await hub.query({ top: 10, instanceIdPrefix: id })).records).toEqual([recordOf(id)]);
    await hub.hint({ add: { instanceId: id, due: 5 } });
    await hub.hint({ add: { instanceId: id, due: 6 }, remove: { instanceId: id, due: 5 } });
    await hub.hint({ remove: { instanceId: id, due: 6 } });
    await hub.purge(id);
    expect(await hub.getRecord(id)).toBeUndefined();
  });

  test('keeps instances apart whose ids are alike', async () => {
    for (const id of ODD_IDS)
      await commit({ append: running(id, 1), record: recordOf(id, { input: JSON.stringify(id) }) });
    for (const id of ODD_IDS) expect((await hub.load(id)).record?.input).toBe(JSON.stringify(id));
    const seen: string[] = [];
    for (let from: string | undefined; ;) {
      const page = await hub.query({ top: 5, ...(from !== undefined && { from }) });
      seen.push(...page.records.map(({ instanceId }) => instanceId));
      if (page.next === undefined) break;
      from = page.next;
    }
    expect(seen.toSorted()).toEqual(ODD_IDS.toSorted());
  });

  test('lists by prefix, time and state, ordered by id, in pages', async () => {
    const states: RuntimeStatus[] = ['Running', 'Completed', 'Failed'];
    const ids = ['b-10', 'b-1', 'B-2', 'a', 'b-2', 'c', 'b', 'b-', 'b.'];
    for (const [index, id] of ids.entries()) {
      await commit({
        append: running(id, 1),
        record: recordOf(id, {
          runtimeStatus: states[index % 3]!,
          createdTime: `2026-11-21T00:00:0${index}Z`,
        }),
      });
    }
    const list = async (query: Partial<Parameters<TaskHub['query']>[0]>): Promise<string[]> =>
      (await hub.query({ top: 100, ...query })).records.map(({ instanceId }) => instanceId);

    expect(await list({})).toEqual(ids.toSorted());
    expect(await list({ instanceIdPrefix: 'b-' })).toEqual(['b-', 'b-1', 'b-10', 'b-2']);
    expect(await list({ runtimeStatus: [] })).toHaveLength(9);
    expect(await list({ runtimeStatus: ['Completed'] })).toEqual(['b-', 'b-1', 'b-2']);
    expect(await list({ runtimeStatus: ['Completed', 'Failed', 'Pending'] })).toHaveLength(6);
    expect(await list({ createdTimeFrom: time(3) })).toEqual(ids.slice(3).toSorted());
    expect(await list({ createdTimeTo: time(3) })).toEqual(ids.slice(0, 4).toSorted());
    expect(await list({ createdTimeFrom: time(3) + 1, createdTimeTo: time(5) - 1 })).toEqual(['b-2']);
    expect(
      await list({ instanceIdPrefix: 'b', createdTimeFrom: time(4), runtimeStatus: ['Failed'] }),
    ).toEqual(['b.']);
    expect(await list({ instanceIdPrefix: 'none' })).toEqual([]);

    const first = await hub.query({ top: 3, instanceIdPrefix: 'b' });
    expect(first.records.map(({ instanceId }) => instanceId)).toEqual(['b', 'b-', 'b-1']);
    expect(first.next).toBe('b-10');
    const second = await hub.query({ top: 3, instanceIdPrefix: 'b', from: first.next! });
    expect(second.records.map(({ instanceId }) => instanceId)).toEqual(['b-10', 'b-2', 'b.']);
    expect(second.next).toBeUndefined();
  });

  test('purges an instance, its messages and its payloads, and no other', async () => {
    for (const id of ['a', 'a/', 'ab']) {
      await hub.post(id, message('m', LONG));
      await commit({ append: running(id, 250), record: recordOf(id, { input: LONG }) });
    }
    await hub.purge('a');
    expect(await hub.load('a')).toMatchObject({ record: undefined, history: [], inbox: [] });
    expect(await hub.getRecord('a')).toBeUndefined();
    for (const id of ['a/', 'ab'])
      expect(await hub.load(id)).toMatchObject({
        history: running(id, 250),
        record: { input: LONG },
        inbox: [message('m', LONG)],
      });
    await hub.purge('a');
    await hub.commit(commitOf('a', hub.fresh().token));
    expect((await hub.load('a')).history).toEqual(running('a', 1));
  });

  test('refuses a commit to an instance that was purged since', async () => {
    await commit({ append: running('one', 1), record: recordOf('one') });
    const { token } = await hub.load('one');
    await hub.purge('one');
    await expect(hub.commit(commitOf('one', token))).rejects.toThrow(CommitConflictError);
  });
});

describe('a hub in a file', () => {
  const fresh = (): string => path.join(folder, `${files++}.db`);
  const open = async (file: string): Promise<SqliteHub> => {
    const hub = new SqliteHub({ file, name: 'Hub' });
    await hub.open(() => {});
    return hub;
  };
  const pragma = (file: string, sql: string): void => {
    const database = new DatabaseSync(file);
    database.exec(sql);
    database.close();
  };

  test('has one owner at a time, and the next one finds all: instances, hints, the time, schedules, receipts', async () => {
    const file = fresh();
    const first = await open(file);
    await expect(open(file)).rejects.toThrow(
      new HubUnavailableError(
        `${file} is in use by another emulator. Stop that one, or name another file with --storage.`,
      ),
    );
    const status = { last: 1, next: 2, lastUpdated: 3 };
    const receipt = { functionName: 'f', etag: 'e', container: 'c', blob: 'b' };
    await Promise.all([
      first.commit(commitOf('one', 0)),
      first.hint({ add: { instanceId: 'one', due: 5 } }),
      first.time.write(7),
      first.schedules.write('f', status),
      first.receipts.add(receipt),
    ]);
    await first.close();

    const second = await open(file);
    expect((await second.load('one')).record).toEqual(recordOf('one'));
    expect(await collect(second.hints())).toEqual([[{ instanceId: 'one', due: 5 }]]);
    expect(await second.time.read()).toBe(7);
    expect(await second.schedules.read('f')).toEqual(status);
    expect([
      await second.receipts.has(receipt),
      await second.receipts.has({ ...receipt, etag: 'x' }),
    ]).toEqual([true, false]);
    await second.close();
    await expect(second.load('one')).rejects.toThrow(StorageFailure);
  });

  test('gives its hints in the order of their times, in pages', async () => {
    const hub = await open(fresh());
    const hints = Array.from({ length: 2001 }, (_, index) => ({ instanceId: `${index}`, due: index >> 1 }));
    await Promise.all(hints.toReversed().map((add) => hub.hint({ add })));
    const pages = await collect(hub.hints());
    expect(pages.map(({ length }) => length)).toEqual([1000, 1000, 1]);
    expect(pages.flat().map(({ due }) => due)).toEqual(hints.map(({ due }) => due));
    await hub.close();
  });

  test('writes all of a turn or nothing, and answers nobody before that', async () => {
    const file = new HubFile(fresh());
    file.open('CREATE TABLE numbers (number INTEGER);', () => {});
    const insert = (number: number) => () => file.run('INSERT INTO numbers VALUES (?)', number);
    const count = (): unknown => file.get('SELECT count(*) AS count FROM numbers')!['count'];
    const turn = await Promise.allSettled([
      file.write(insert(1)),
      file.read(count),
      file.write(() => file.run('INSERT INTO nowhere VALUES (1)')),
    ]);
    for (const { status, ...rest } of turn)
      expect({ status, ...rest }).toEqual({
        status: 'rejected',
        reason: expect.any(StorageFailure) as unknown,
      });
    expect(await file.read(count)).toBe(0);
    await Promise.all([file.write(insert(1)), file.write(insert(2))]);
    expect(await file.read(count)).toBe(2);
    file.close();
  });

  test.each<[string, (file: string) => void, RegExp]>([
    ['is damaged', (file) => writeFileSync(file, 'no database at all. '.repeat(100)), /is damaged/],
    [
      'is damaged inside',
      (file) => {
        pragma(file, 'PRAGMA application_id = 0x4446656d; CREATE TABLE a (b)');
        writeFileSync(file, readFileSync(file).fill(0xff, 100, 200));
      },
      /is damaged/,
    ],
    ['another program made', (file) => pragma(file, 'CREATE TABLE a (b)'), /a database of another program/],
    [
      'a later version made',
      (file) => {
        pragma(file, 'PRAGMA application_id = 0x4446656d; PRAGMA user_version = 99');
      },
      /made by a later version of the emulator/,
    ],
    ['cannot be made', (file) => writeFileSync(path.dirname(file), ''), /cannot be opened: /],
  ])('says that a file %s cannot be opened', async (name, make, text) => {
    const file = name === 'cannot be made' ? path.join(fresh(), 'in-a-file.db') : fresh();
    make(file);
    await expect(open(file)).rejects.toThrow(text);
    await expect(open(file)).rejects.toThrow(HubUnavailableError);
  });
});
