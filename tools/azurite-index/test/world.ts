/** One store of Azurite, with or without the index. */
import type { Keyed } from '../rows.ts';
import type { TableStore } from '../table-store.ts';
import { PARTITIONS, ROWS, type Step, type Write } from './steps.ts';

/** An entity in Azurite's store. */
interface Entity extends Keyed {
  properties: Record<string, unknown>;
  lastModifiedTime: string;
  eTag: string;
}

/** The verbs of `LokiTableMetadataStore` that Azurite's table handler calls. */
export interface Store extends TableStore {
  init: () => Promise<void>;
  createTable: (context: object, table: { account: string; table: string }) => Promise<void>;
  insertTableEntity: Put;
  insertOrUpdateTableEntity: Put;
  insertOrMergeTableEntity: Put;
  deleteTableEntity: (
    context: object,
    table: string,
    account: string,
    partitionKey: string,
    rowKey: string,
    etag: string,
    batchId: string,
  ) => Promise<void>;
  queryTableEntitiesWithPartitionAndRowKey: (
    context: object,
    table: string,
    account: string,
    partitionKey: string,
    rowKey: string,
  ) => Promise<Entity | null | undefined>;
  deleteTable: (context: object, table: string, account: string) => Promise<void>;
  beginBatchTransaction: (batchId: string) => Promise<void>;
  endBatchTransaction: (
    account: string,
    table: string,
    batchId: string,
    context: object,
    succeeded: boolean,
  ) => Promise<void>;
}
type Put = (
  context: object,
  table: string,
  account: string,
  entity: Entity,
  ...rest: (string | undefined)[]
) => Promise<Entity>;

const ACCOUNT = 'account';
const CONTEXT = { contextID: 'id', accept: 'application/json' };

/** One store, and what a handler of Azurite does with it. Its answers have no object of the store in them. */
export class World {
  readonly #store: Store;
  #changes = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  async start(): Promise<void> {
    await this.#store.init();
    await this.#store.createTable(CONTEXT, { account: ACCOUNT, table: 'rows' });
    for (const partition of PARTITIONS.toReversed())
      for (const row of ROWS) await this.#write({ verb: 'insert', keys: [partition, row], columns: {} }, '');
  }

  /** The answer, or the status and code of the error. */
  async answer(of: Step): Promise<unknown> {
    try {
      return JSON.parse(JSON.stringify((await this.#do(of)) ?? null)) as unknown;
    } catch (error) {
      const { statusCode, storageErrorCode, name, message } = error as Record<string, unknown>;
      return { statusCode, storageErrorCode, name, message };
    }
  }

  async #do(of: Step): Promise<unknown> {
    const store = this.#store;
    if (of.verb === 'get')
      return plain(
        await store.queryTableEntitiesWithPartitionAndRowKey(CONTEXT, 'rows', ACCOUNT, ...of.keys),
      );
    if (of.verb === 'query') return this.#pages(of.filter, of.top);
    if (of.verb === 'recreate') {
      await store.deleteTable(CONTEXT, 'rows', ACCOUNT);
      return store.createTable(CONTEXT, { account: ACCOUNT, table: 'rows' });
    }
    if (of.verb !== 'batch') return this.#write(of, '');
    await store.beginBatchTransaction('batch');
    const answers: unknown[] = [];
    let failed: Error | undefined;
    for (const each of of.writes) {
      try {
        answers.push(await this.#write(each, 'batch'));
      } catch (error) {
        failed = error as Error;
        break;
      }
    }
    await store.endBatchTransaction(ACCOUNT, 'rows', 'batch', CONTEXT, failed === undefined);
    if (failed !== undefined) throw failed;
    return answers;
  }

  async #pages(query: string | undefined, top: number): Promise<unknown> {
    const pages: unknown[] = [];
    let next: (string | undefined)[] = [];
    do {
      const [rows, ...token] = await this.#store.queryTableEntities(
        CONTEXT,
        ACCOUNT,
        'rows',
        { top, ...(query !== undefined && { filter: query }) },
        ...(next as [string?, string?]),
      );
      pages.push([rows.map((row) => plain(row as Entity)), token]);
      next = token;
    } while (next[0] !== undefined && pages.length < 100);
    return pages;
  }

  async #write(of: Write, batchId: string): Promise<unknown> {
    const store = this.#store;
    const [PartitionKey, RowKey] = of.keys;
    const number = ++this.#changes;
    const known = await store.queryTableEntitiesWithPartitionAndRowKey(CONTEXT, 'rows', ACCOUNT, ...of.keys);
    const ifMatch =
      of.verb === 'insert' || of.etag === undefined || of.etag === '*'
        ? undefined
        : of.etag === 'current'
          ? (known?.eTag ?? 'none')
          : 'old';
    if (of.verb === 'delete')
      return store.deleteTableEntity(CONTEXT, 'rows', ACCOUNT, ...of.keys, ifMatch ?? '*', batchId);
    const entity = {
      PartitionKey,
      RowKey,
      properties: { ...of.columns },
      lastModifiedTime: `time ${number}`,
      eTag: `etag ${number}`,
    };
    if (of.verb === 'insert')
      return plain(await store.insertTableEntity(CONTEXT, 'rows', ACCOUNT, entity, batchId));
    const put = of.verb === 'replace' ? store.insertOrUpdateTableEntity : store.insertOrMergeTableEntity;
    return plain(
      await put.call(store, CONTEXT, 'rows', ACCOUNT, entity, of.etag === '*' ? '*' : ifMatch, batchId),
    );
  }
}

function plain(entity: Entity | null | undefined): unknown {
  if (entity === null || entity === undefined) return null;
  const { PartitionKey, RowKey, properties, lastModifiedTime, eTag } = entity;
  return { PartitionKey, RowKey, properties, lastModifiedTime, eTag };
}
