/** The part of Azurite's `LokiTableMetadataStore` that reads entities, on an index of both keys. */
import { bounds, type QueryNode } from './bounds.ts';
import { Rows, type Keyed } from './rows.ts';

/** A collection of LokiJS that holds the entities of one table. */
export interface Collection {
  readonly data: readonly Keyed[];
  binaryIndices: Record<string, unknown>;
  findOne: (query: Record<string, unknown>) => Keyed | null;
  on: (event: string, listener: (entity: Keyed, before: Keyed) => void) => void;
}

interface QueryOptions {
  filter?: string;
  top?: number;
}

/** What this patch uses of the store. */
export interface TableStore {
  getEntityCollection: (account: string, table: string, context: unknown) => Collection;
  createCollectionForTable: (table: unknown) => void;
  removeTableCollection: (account: string, table: unknown) => void;
  queryTableEntities: (
    context: unknown,
    account: string,
    table: string,
    options: QueryOptions,
    nextPartitionKey?: string,
    nextRowKey?: string,
  ) => Promise<[rows: Keyed[], nextPartitionKey?: string, nextRowKey?: string]>;
  getMaxResultsOption: (options: QueryOptions) => number;
  decodeContinuationHeader: (input: string | undefined) => string | undefined;
  adjustQueryResultforTop: (
    result: Keyed[],
    maxResults: number,
  ) => { nextPartitionKeyResponse?: string; nextRowKeyResponse?: string };
}

/** What this patch uses of the code that reads a `$filter`. */
export interface Filters {
  generateQueryForPersistenceLayer: (options: QueryOptions, context: unknown) => (entity: Keyed) => boolean;
  parse: (filter: string) => QueryNode;
}

/** Patches a prototype of the store. Its answers stay the same. */
export function indexTables(store: TableStore, filters: Filters): void {
  const { getEntityCollection, createCollectionForTable, removeTableCollection } = store;
  /** LokiJS looks for the name of a collection among all collections. */
  const byName = new WeakMap<TableStore, Map<string, Collection>>();

  store.getEntityCollection = function (account, table, context) {
    let known = byName.get(this);
    if (known === undefined) byName.set(this, (known = new Map<string, Collection>()));
    const name = `${account}$${table}`;
    let collection = known.get(name);
    if (collection === undefined) {
      collection = getEntityCollection.call(this, account, table, context);
      known.set(name, collection);
      rowsOf(collection);
    }
    return collection;
  };
  store.createCollectionForTable = function (table) {
    byName.delete(this);
    createCollectionForTable.call(this, table);
  };
  store.removeTableCollection = function (account, table) {
    byName.delete(this);
    removeTableCollection.call(this, account, table);
  };

  store.queryTableEntities = async function (context, account, table, options, nextPartition, nextRow) {
    const rows = rowsOf(this.getEntityCollection(account, table, context));
    const matches = filters.generateQueryForPersistenceLayer(options, context);
    const maxResults = this.getMaxResultsOption(options);
    const partitionKey = this.decodeContinuationHeader(nextPartition);
    const rowKey = this.decodeContinuationHeader(nextRow);
    const { start, end } = bounds(treeOf(options.filter, filters), rows);
    const result: Keyed[] = [];
    // A token that has only a row is an error of the caller: Azurite answers with no rows.
    if (partitionKey !== undefined || rowKey === undefined) {
      const from = partitionKey === undefined ? 0 : rows.before(partitionKey, rowKey ?? '');
      for (let position = Math.max(start, from); position < end && result.length <= maxResults; position++) {
        const row = rows.at(position);
        if (matches(row)) result.push(row);
      }
    }
    const next = this.adjustQueryResultforTop(result, maxResults);
    return [result, next.nextPartitionKeyResponse, next.nextRowKeyResponse];
  };
}

/** The tree of a filter; undefined where Azurite does not parse it. */
function treeOf(filter: string | undefined, { parse }: Filters): QueryNode | undefined {
  return filter === undefined || filter === '' || filter === 'true' || filter === 'false'
    ? undefined
    : parse(filter);
}

const indices = new WeakMap<Collection, Rows<Keyed>>();

/** The index of a collection. It is made at the first use of the collection, and follows its changes. */
function rowsOf(collection: Collection): Rows<Keyed> {
  const known = indices.get(collection);
  if (known !== undefined) return known;
  const rows = new Rows(collection.data);
  indices.set(collection, rows);
  // The indices of LokiJS have one key each. To remove an entity takes them a walk over all entities.
  collection.binaryIndices = {};
  collection.on('insert', (entity) => {
    rows.add(entity);
  });
  collection.on('update', (entity, before) => {
    rows.replace(before, entity);
  });
  collection.on('delete', (entity) => {
    rows.remove(entity);
  });
  // The store calls it with both keys.
  collection.findOne = ({ PartitionKey, RowKey }) =>
    rows.get(PartitionKey as string, RowKey as string) ?? null;
  return rows;
}
