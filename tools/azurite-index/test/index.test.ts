import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { removeFewOneByOne, updateFewOneByOne, type Batching } from '../batches.ts';
import { parseOnce, skipMissingQueries, type Templates, type Utilities } from '../requests.ts';
import { serializeWithoutReplacer, type Database } from '../serialize.ts';
import { changedFiles, load } from '../shape.ts';
import { indexTables, type Collection, type Filters, type TableStore } from '../table-store.ts';
import { step } from './steps.ts';
import { World, type Store } from './world.ts';

const { default: Unpatched } = load<{ default: new (file: string, inMemory: boolean) => Store }>(
  'table/persistence/LokiTableMetadataStore.js',
);
const Loki = load<
  new (file: string) => Database & {
    addCollection: (
      name: string,
      options: object,
    ) => Collection & Batching & { insert: (item: object) => void };
  }
>('lokijs');

class Patched extends (Unpatched as unknown as new (file: string, inMemory: boolean) => object) {}
indexTables(Patched.prototype as unknown as TableStore, {
  generateQueryForPersistenceLayer: load<{ default: Omit<Filters, 'parse'> }>(
    'table/persistence/LokiTableStoreQueryGenerator.js',
  ).default.generateQueryForPersistenceLayer,
  parse: load<{ default: Filters['parse'] }>('table/persistence/QueryInterpreter/QueryParser.js').default,
});

describe('An Azurite with the index', () => {
  test('is the one of package.json; files of another version are named', () => {
    expect(changedFiles()).toEqual([]);
    const other = { lokijs: 'other' } as Parameters<typeof changedFiles>[0];
    expect(changedFiles(other)).toEqual(['lokijs.js']);
  });

  test('answers every table operation, query and batch as without it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
        const worlds = [new World(new Unpatched('', true)), new World(new Patched('', true) as Store)];
        for (const world of worlds) await world.start();
        for (const each of [...steps, { verb: 'query' as const, filter: undefined, top: 1000 }]) {
          const [expected, actual] = [await worlds[0]!.answer(each), await worlds[1]!.answer(each)];
          expect(actual).toEqual(expected);
        }
      }),
      { numRuns: 40 },
    );
  });

  test('removes the same documents, whatever their number', () => {
    const make = (): { documents: Collection & Batching } => {
      const documents = new Loki('').addCollection('documents', { indices: ['id'] });
      for (let id = 0; id < 100; id++) documents.insert({ id: String((id * 37) % 100) });
      return { documents };
    };
    const [{ documents: one }, { documents: other }] = [make(), make()];
    removeFewOneByOne(other);
    for (const ids of [[], [5], [], [7, 3, 99], Array.from({ length: 30 }, (_, index) => index + 40)])
      for (const documents of [one, other]) {
        const chosen = ids.map((id) => documents.findOne({ id: String(id) })!);
        documents.remove(chosen);
      }
    expect(other.data.map(({ ...row }) => row)).toMatchObject(one.data.map((row) => ({ ...row, meta: {} })));
    expect(other.findOne({ id: '4' })).toMatchObject({ id: '4' });
    expect(other.findOne({ id: '5' })).toBe(null);
  });

  test('updates the same documents, whatever their number', () => {
    const make = (): { documents: Collection & Batching } => {
      const documents = new Loki('').addCollection('documents', { indices: ['id'] });
      for (let id = 0; id < 100; id++) documents.insert({ id: String((id * 37) % 100), count: 0 });
      return { documents };
    };
    const [{ documents: one }, { documents: other }] = [make(), make()];
    updateFewOneByOne(other);
    for (const ids of [[], [5], [7, 3, 99], Array.from({ length: 40 }, (_, index) => index + 30)])
      for (const documents of [one, other]) {
        const chosen = ids.map((id) => documents.findOne({ id: String(id) }) as object as { count: number });
        for (const document of chosen) document.count++;
        documents.update(chosen);
      }
    expect(other.data.map(({ ...row }) => row)).toMatchObject(one.data.map((row) => ({ ...row, meta: {} })));
    const revisions = ({ data }: Batching): unknown[] =>
      (data as { meta: { revision: number } }[]).map(({ meta }) => meta.revision);
    expect(revisions(other)).toEqual(revisions(one));
    for (let id = 0; id < 100; id++)
      expect(other.findOne({ id: String(id) })).toMatchObject({ id: String(id) });
  });

  test('reads paths and queries as without it', () => {
    const parse = load<Templates>('uri-templates') as (template: string) => {
      fromUri: (path: string, options: object) => unknown;
    };
    const once = parseOnce(parse) as typeof parse;
    for (const template of ['/{table}()', '/{containerName}/{blob}', '/$batch', '/{queueName}/messages', '/'])
      for (const path of ['/rows()', '/a/b', '/a/b/c', '/$batch', '/', '/q/messages'])
        for (let time = 0; time < 2; time++)
          expect(once(template).fromUri(path, { strict: false })).toEqual(
            parse(template).fromUri(path, { strict: false }),
          );
    const { getURLQueries } = load<Utilities>('common/utils/utils.js');
    const patched = { getURLQueries };
    skipMissingQueries(patched);
    for (const url of ['/a', '/a?', '/a?b=c&d=e%20f', 'http://127.0.0.1:1/a?comp=list#f', '/a/?b'])
      expect(patched.getURLQueries(url)).toEqual(getURLQueries(url));
  });

  test('writes the same file, pauses after that, and keeps columns that have the names of members of the database', async () => {
    const make = (): InstanceType<typeof Loki> => {
      const database = new Loki('file');
      database.addCollection('rows', { indices: ['PartitionKey'] }).insert({ PartitionKey: 'a', meta: {} });
      return database;
    };
    const [one, other] = [make(), make()];
    serializeWithoutReplacer(other);
    const text = (database: Database): string =>
      (database.serialize() as string).replaceAll(/"created":\d+/g, '"created":0');
    expect(text(other)).toBe(text(one));
    expect(other.ignoreAutosave).toBe(true);
    for (const database of [one, other])
      (database.collections[0] as unknown as { insert: (item: object) => void }).insert({ ttl: 5 });
    expect(text(one)).toContain('"ttl":null,"meta"');
    await expect.poll(() => other.ignoreAutosave).toBe(false);
    expect(text(other)).toContain('"ttl":5,"meta"');
  });
});
