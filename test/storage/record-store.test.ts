import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import moment from 'moment';
import { z } from 'zod';
import { faultyStorage, healthy, type FaultyStorage } from '../../emulator/test/support/faulty-storage.js';
import { refuse } from '../../src/refusals/index.js';
import {
  insertIfAbsent,
  listDue,
  odata,
  queryRows,
  recordStore,
  table,
  transact,
  type DueEntry,
  type RecordStore,
} from '../../src/storage/index.js';
import { account } from '../support/azurite.js';

const job = z.object({
  id: z.string(),
  state: z.enum(['open', 'taken', 'done']),
  owner: z.string().optional(),
  due: z.string().optional(),
  tags: z.array(z.string()).default([]),
  note: z.string().optional(),
});
type Job = z.infer<typeof job>;

/** Between the app and its storage. */
let storage: FaultyStorage;
let tables = 0;

beforeEach(async () => {
  storage = await faultyStorage(await account(), ['Table']);
  vi.stubEnv('AppStorage', storage.connection);
  onTestFinished(() => {
    storage.stop();
    vi.unstubAllEnvs();
  });
});

/** A store of its own, whose tables exist. */
async function jobs(): Promise<{ store: RecordStore<Job>; name: string }> {
  const name = `Jobs${(tables += 1)}`;
  const store = recordStore({
    table: name,
    schema: job,
    indexes: ({ state, owner }) => [
      { partition: `state-${state}` },
      ...(owner === undefined ? [] : [{ partition: `owner-${owner}`, row: state }]),
    ],
    dueAt: ({ due }) => due,
  });
  await Promise.all([table(name), table(`${name}Index`), table('Due')]);
  return { store, name };
}

const [soon, later] = ['2030-01-01T00:00:00.000Z', '2030-02-01T00:00:00.000Z'];
const open: Job = { id: 'job-1', state: 'open', due: soon, tags: [] };
const take = (current: Job): Job => ({ ...current, state: 'taken', owner: 'kim', due: later });
const finish = (current: Job): Job => ({ ...current, state: 'done', due: undefined });

const everyState = ['state-open', 'state-taken', 'state-done', 'owner-kim'];

async function listed(store: RecordStore<Job>): Promise<Record<string, string[]>> {
  const pages = await Promise.all(everyState.map((partition) => store.list(partition, { top: 50 })));
  return Object.fromEntries(
    pages.map(({ records }, place) => [everyState[place]!, records.map(({ id }) => id)]),
  );
}

/** What an index has to have for a record, and not more. */
function expected(record: Job | undefined): string[] {
  if (record === undefined) return [];
  return [
    `state-${record.state}`,
    ...(record.owner === undefined ? [] : [`owner-${record.owner}`]),
    ...(record.due === undefined ? [] : ['due']),
  ];
}

async function indexRows(name: string): Promise<string[]> {
  const rows = [
    ...(await queryRows(await table(`${name}Index`), odata`PartitionKey ne ${''}`, 1000)),
    ...(await queryRows(await table('Due'), odata`kind eq ${name}`, 1000)),
  ];
  return rows.map(({ partitionKey }) => partitionKey).toSorted();
}

/** The entries of a store in the due index. */
async function dueOf({ kind }: RecordStore<Job>, until: string): Promise<DueEntry[]> {
  return (await listDue(moment.utc(until), () => 10)).get(kind) ?? [];
}

/** Does what sweeps do for the index in the hours after an interruption. */
async function settle(store: RecordStore<Job>): Promise<void> {
  const at = moment.utc().add(2, 'hours');
  for (const entry of await dueOf(store, '2040-01-01')) await store.holds(entry, at);
}

describe('a record', () => {
  it('is inserted once, by whoever comes first', async () => {
    const { store, name } = await jobs();
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        store.insert({ ...open, note: String(n), due: moment.utc(soon).add(n, 'ms').toISOString() }),
      ),
    );
    expect(results.filter(({ inserted }) => inserted)).toHaveLength(1);
    expect(new Set(results.map(({ record }) => record.note)).size).toBe(1);
    expect(await store.read('job-1')).toEqual(results[0]!.record);
    expect(await indexRows(name)).toEqual(['due', 'state-open']);
  });

  it('comes back as it was written, with its lists', async () => {
    const { store } = await jobs();
    const record: Job = { ...open, tags: ['a', '[b]'], note: '["not a list"]' };
    await store.insert(record);
    expect(await store.read('job-1')).toEqual(record);
    expect(await store.read('job-2')).toBeUndefined();
  });

  it('is changed by a rule, left alone by one that returns it, and not there for one of no id', async () => {
    const { store } = await jobs();
    await store.insert(open);
    expect(await store.change('job-1', take)).toMatchObject({ changed: true, record: { owner: 'kim' } });
    expect(await store.change('job-1', (current) => current)).toMatchObject({ changed: false });
    expect(await store.change('job-1', () => refuse('over', 'It is over', 'Do another.'))).toMatchObject({
      reason: 'over',
    });
    expect(await store.change('job-2', take)).toBeUndefined();
  });

  it('that was read is changed without another read, and by what is stored when another change was first', async () => {
    const { store } = await jobs();
    await store.insert(open);
    const read = (await store.read('job-1'))!;
    let reads = 0;
    storage.fault = ({ method, path }) => {
      if (method === 'GET' && !/Index|Due/.test(path)) reads += 1;
      return undefined;
    };
    const tag = (name: string) => (current: Job) => ({ ...current, tags: [...current.tags, name] });
    const first = await store.change(read, tag('first'));
    expect([first, reads]).toMatchObject([{ changed: true }, 0]);
    const { record } = first as { record: Job };
    expect(await store.change(record, tag('second'))).toMatchObject({ changed: true });
    expect(reads).toBe(0);
    // Neither what was read at first nor what the first change has left is what is stored now.
    expect(await store.change(read, tag('third'))).toMatchObject({
      record: { tags: ['first', 'second', 'third'] },
    });
    expect(reads).toBe(1);
  });

  it('loses no change of many at once, and its index follows', async () => {
    const { store, name } = await jobs();
    await store.insert(open);
    const moves = [take, finish, (current: Job): Job => ({ ...open, tags: current.tags })];
    await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        store.change('job-1', (current) => ({
          ...moves[n % 3]!(current),
          tags: [...current.tags, String(n)],
        })),
      ),
    );
    const record = (await store.read('job-1'))!;
    expect(record.tags).toHaveLength(12);
    await settle(store);
    expect(await indexRows(name)).toEqual(expected(record).toSorted());
  });

  it('whose write was made, though its answer was lost and its repeat refused, stays in its lists and stays due', async () => {
    const { store, name } = await jobs();
    /** Loses the answer of the next write of the record. The storage client repeats the request. */
    const loseNextAnswer = (): void => {
      storage.fault = ({ method, path }) => {
        if (method === 'GET' || /Index|Due/.test(path)) return undefined;
        storage.fault = healthy;
        return 'answer lost';
      };
    };
    loseNextAnswer();
    expect(await store.insert(open)).toMatchObject({ record: open });
    expect(await indexRows(name)).toEqual(expect.arrayContaining(expected(open)));
    expect((await dueOf(store, '2040-01-01')).map(({ due }) => due)).toContain(soon);

    loseNextAnswer();
    const change = await store.change('job-1', (current) =>
      current.state === 'open' ? take(current) : current,
    );
    expect(change).toMatchObject({ record: { state: 'taken', due: later } });
    expect((await dueOf(store, '2040-01-01')).map(({ due }) => due)).toContain(later);
    expect(await listed(store)).toMatchObject({
      'state-open': [],
      'state-taken': ['job-1'],
      'owner-kim': ['job-1'],
    });

    loseNextAnswer();
    await store.change('job-1', finish);
    await settle(store);
    await settle(store);
    expect(await indexRows(name)).toEqual(expected(await store.read('job-1')).toSorted());
  });

  it('that everybody changes ends in an error that says to try later', async () => {
    const { store } = await jobs();
    await store.insert(open);
    storage.fault = ({ method }) =>
      method === 'PUT' || method === 'PATCH'
        ? { status: 412, code: 'UpdateConditionNotSatisfied' }
        : undefined;
    await expect(store.change('job-1', (current) => ({ ...current, note: 'n' }))).rejects.toMatchObject({
      name: 'TryLaterError',
    });
  });
});

describe('a list', () => {
  it('is in the order of its index, comes in pages, and costs what it returns', async () => {
    const { store } = await jobs();
    const ids = ['e', 'a', 'd', 'b', 'c'];
    await Promise.all(ids.map((id) => store.insert({ ...open, id })));
    await Promise.all(
      Array.from({ length: 10 }, async (_, n) => {
        await store.insert({ ...open, id: `done-${n}` });
        await store.change(`done-${n}`, finish);
      }),
    );
    let requests = 0;
    storage.fault = () => {
      requests += 1;
      return undefined;
    };
    const first = await store.list('state-open', { top: 2 });
    expect(first.records.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(requests).toBe(3);
    const second = await store.list('state-open', { top: 2, after: first.continuation });
    const third = await store.list('state-open', { top: 2, after: second.continuation });
    expect([...second.records, ...third.records].map(({ id }) => id)).toEqual(['c', 'd', 'e']);
    expect(third.continuation).toBeUndefined();
  });

  it('may be of a name of any length', async () => {
    const { store } = await jobs();
    const owner = 'x'.repeat(900);
    await store.insert({ ...open, owner });
    await store.insert({ ...open, id: 'job-2', owner: `${owner}y` });
    expect((await store.list(`owner-${owner}`, { top: 9 })).records.map(({ id }) => id)).toEqual(['job-1']);
  });
});

describe('what is due', () => {
  it('comes in the order of its time, and only what is past', async () => {
    const { store } = await jobs();
    await store.insert({ ...open, id: 'late', due: later });
    await store.insert({ ...open, id: 'soon', due: soon });
    await store.insert({ ...open, id: 'never', due: undefined });
    const due = async (until: string): Promise<string[]> => (await dueOf(store, until)).map(({ id }) => id);
    expect(await due(soon)).toEqual([]);
    expect(await due('2030-01-15')).toEqual(['soon']);
    expect(await due('2031-01-01')).toEqual(['soon', 'late']);
    await store.change('soon', take);
    await store.change('late', finish);
    expect(await due('2031-01-01')).toEqual(['soon']);
  });

  it('of one kind, however much and however old, hides nothing of another', async () => {
    const { store } = await jobs();
    await store.insert(open);
    const due = await table('Due');
    for (let batch = 0; batch < 1100; batch += 100) {
      const rows = Array.from({ length: 100 }, (_, n) => {
        const id = String(batch + n).padStart(4, '0');
        return { partitionKey: 'due', rowKey: `2020-01-01!Many!${id}`, kind: 'Many', id, due: '2020-01-01' };
      });
      await transact(
        due,
        rows.map((row) => ['create', row]),
      );
    }
    let requests = 0;
    storage.fault = () => {
      requests += 1;
      return undefined;
    };
    const found = await listDue(moment.utc(later), (kind) => (kind === 'Many' ? 3 : 10));
    expect([...found].map(([kind, entries]) => [kind, entries.map(({ id }) => id)])).toEqual([
      ['Many', ['0000', '0001', '0002']],
      [store.kind, ['job-1']],
    ]);
    expect(requests).toBe(2);
  });

  it('comes up later when it was put off, and knows how often', async () => {
    const { store } = await jobs();
    await store.insert(open);
    const [entry] = await dueOf(store, later);
    await store.putOff(entry!, moment.utc(later), { attempts: 1 });
    expect(await dueOf(store, later)).toEqual([]);
    const [again] = await dueOf(store, '2031-01-01');
    expect(again).toMatchObject({ id: 'job-1', due: soon, attempts: 1 });
    expect(await store.holds(again!, moment.utc())).toBe(true);
  });

  it('without a record stays for an hour, in which its insert may still be under way', async () => {
    const { store, name } = await jobs();
    storage.fault = ({ method, path }) =>
      method === 'POST' && path.startsWith(`/${name}`) && !path.startsWith(`/${name}Index`)
        ? { status: 403, code: 'AuthorizationFailure' }
        : undefined;
    await expect(store.insert(open)).rejects.toThrow('The test makes this request fail');
    storage.fault = healthy;
    const look = async (minutes: number): Promise<void> => {
      for (const entry of await dueOf(store, '2040-01-01'))
        await store.holds(entry, moment.utc().add(minutes, 'minutes'));
    };
    await look(59);
    expect(await indexRows(name)).toEqual(['due', 'state-open']);
    await look(61);
    expect(await indexRows(name)).toEqual([]);
  });
});

describe.each([
  ['an insert', undefined, (store: RecordStore<Job>) => store.insert(open)],
  ['a change', open, (store: RecordStore<Job>) => store.change('job-1', take)],
  [
    'a change of the index alone',
    open,
    (store: RecordStore<Job>) => store.change('job-1', (current) => ({ ...current, state: 'taken' })),
  ],
  ['the last change', { ...open, owner: 'kim' }, (store: RecordStore<Job>) => store.change('job-1', finish)],
] as [string, Job | undefined, (store: RecordStore<Job>) => Promise<unknown>][])(
  '%s that is interrupted after any request',
  (_, before, act) => {
    it('leaves nothing missing, and nothing for good', async () => {
      let interrupted = true;
      for (let count = 0; interrupted; count += 1) {
        const { store, name } = await jobs();
        if (before !== undefined) await store.insert(before);
        let left = count;
        interrupted = false;
        storage.fault = () => {
          if (left-- > 0) return undefined;
          interrupted = true;
          return { status: 403, code: 'AuthorizationFailure' };
        };
        await act(store).catch(() => {});
        storage.fault = healthy;

        const record = await store.read('job-1');
        const due = await dueOf(store, '2040-01-01');
        if (record?.due !== undefined) expect(due.map((entry) => entry.due)).toContain(record.due);
        const holds = expected(record).filter((partition) => partition !== 'due');
        expect(await listed(store)).toEqual(
          Object.fromEntries(everyState.map((state) => [state, holds.includes(state) ? ['job-1'] : []])),
        );
        await settle(store);
        expect(await indexRows(name)).toEqual(expected(record).toSorted());
        expect(count).toBeLessThan(30);
      }
    });
  },
);

it('records from before an index had a list are put into it, once its version is raised', async () => {
  const { store, name } = await jobs();
  await store.insert(open);
  const options = { table: name, schema: job, dueAt: ({ due }: Job) => due };
  const indexes = (): { partition: string }[] => [{ partition: 'all' }];
  expect(await store.indexOlder(9)).toBe(1);
  const same = recordStore({ ...options, indexes });
  expect([await same.indexOlder(9), (await same.list('all', { top: 9 })).records]).toEqual([0, []]);
  const raised = recordStore({ ...options, indexes, indexVersion: 2 });
  expect([await raised.indexOlder(9), await raised.indexOlder(9)]).toEqual([1, 0]);
  expect((await raised.list('all', { top: 9 })).records).toEqual([open]);
});

it('records from before there was an index are put into it, some at a time, once', async () => {
  const { store, name } = await jobs();
  for (const id of ['job-1', 'job-2', 'job-3']) {
    await insertIfAbsent(
      await table(name),
      { partitionKey: id, rowKey: 'record' },
      { id, state: 'open', due: soon },
    );
  }
  expect((await listed(store))['state-open']).toEqual([]);
  expect([await store.indexOlder(2), await store.indexOlder(2), await store.indexOlder(2)]).toEqual([
    2, 1, 0,
  ]);
  expect((await listed(store))['state-open']).toEqual(['job-1', 'job-2', 'job-3']);
  expect((await dueOf(store, '2031-01-01')).map(({ id }) => id)).toEqual(['job-1', 'job-2', 'job-3']);
});
