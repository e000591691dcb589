import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  insertIfAbsent,
  odata,
  queryRows,
  readRow,
  replaceIfUnchanged,
  table,
  transact,
} from '../../src/storage/index.js';
import { account } from '../support/azurite.js';

beforeEach(async () => {
  vi.stubEnv('AppStorage', await account());
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
});

const key = { partitionKey: 'p', rowKey: 'r' };

const create = (rowKey: string) => ['create', { partitionKey: 'p', rowKey }] as ['create', typeof key];

describe('a row', () => {
  it('is inserted once, by whoever comes first', async () => {
    const rows = await table('Things');
    const inserted = await Promise.all(Array.from({ length: 8 }, (_, n) => insertIfAbsent(rows, key, { n })));
    expect(inserted.filter(Boolean)).toHaveLength(1);
    expect(await readRow(rows, key)).toMatchObject({ columns: { n: inserted.indexOf(true) } });
  });

  it("comes back as it was written, without what was undefined and without the service's own columns", async () => {
    const rows = await table('Things');
    const columns = { text: 'Łódź "1" \n\t😀', number: 3, part: 0.5, yes: true };
    await insertIfAbsent(rows, key, { ...columns, none: undefined });
    const { etag, ...rest } = (await readRow(rows, key))!;
    expect(etag).not.toBe('');
    expect(rest).toEqual({ ...key, columns });
  });

  it('that does not exist is undefined', async () => {
    const rows = await table('Things');
    expect(await readRow(rows, key)).toBeUndefined();
  });

  it('is replaced only as it was read', async () => {
    const rows = await table('Things');
    await insertIfAbsent(rows, key, { n: 1 });
    const row = (await readRow(rows, key))!;
    expect(await replaceIfUnchanged(rows, { ...row, columns: { n: 2 } })).toBe(true);
    expect(await replaceIfUnchanged(rows, { ...row, columns: { n: 3 } })).toBe(false);
    expect(await readRow(rows, key)).toMatchObject({ columns: { n: 2 } });
  });
});

it('several rows of a partition are changed together or not at all', async () => {
  const rows = await table('Things');
  expect(await transact(rows, [create('a'), create('b')])).toBe(true);
  expect(await transact(rows, [create('c'), create('b')])).toBe(false);
  expect(await readRow(rows, { partitionKey: 'p', rowKey: 'c' })).toBeUndefined();
});

it('a text with line separators of Unicode is written like any other, also together with others', async () => {
  const rows = await table('Things');
  const text = 'a\u2028b\u2029c';
  const write = (rowKey: string): ['create', typeof key & { text: string }] => [
    'create',
    { partitionKey: 'separated', rowKey, text },
  ];
  expect(await transact(rows, [write('a'), write('b')])).toBe(true);
  expect(await readRow(rows, { partitionKey: 'separated', rowKey: 'a' })).toMatchObject({
    columns: { text },
  });
});

it('a query gives as many rows as were asked for, by key', async () => {
  const rows = await table('Things');
  await Promise.all(
    ['c', 'a', 'd', 'b', 'e'].map((rowKey) =>
      insertIfAbsent(rows, { partitionKey: 'p', rowKey }, { odd: 'ace'.includes(rowKey) }),
    ),
  );
  expect((await queryRows(rows, odata`odd eq ${true}`, 2)).map(({ rowKey }) => rowKey)).toEqual(['a', 'c']);
  expect((await queryRows(rows, odata`odd eq ${true}`, 9)).map(({ rowKey }) => rowKey)).toEqual([
    'a',
    'c',
    'e',
  ]);
});
