import {
  odata,
  RestError,
  type TableClient,
  type TableEntityResult,
  type TransactionAction,
} from '@azure/data-tables';

/** The columns of a row, without its keys. `undefined` is not stored. */
export type Columns = Record<string, string | number | boolean | undefined>;

/** The key of a row. */
export interface RowKey {
  partitionKey: string;
  rowKey: string;
}

/** A row with the tag of the state that was read. */
export interface Row extends RowKey {
  etag: string;
  columns: Columns;
}

/** Inserts a row, unless there is one with its key. @returns whether it was inserted */
export function insertIfAbsent(table: TableClient, key: RowKey, columns: Columns): Promise<boolean> {
  return unlessRefused([409], table.createEntity({ ...columns, ...key }));
}

/**
 * Writes a row, whether there was one with its key or not. Its tag changes in any case.
 *
 * @returns the tag, if there was no row with its key
 */
export async function put(table: TableClient, key: RowKey, columns: Columns): Promise<string | undefined> {
  let tag: string | undefined;
  const created = table.createEntity({ ...columns, ...key }).then(({ etag }) => {
    tag = etag;
  });
  if (!(await unlessRefused([409], created))) {
    await upsert(table, key, columns);
  }
  return tag;
}

/** Replaces a row, unless it has changed since it was read. @returns whether it was replaced */
export async function replaceIfUnchanged(table: TableClient, row: Row): Promise<boolean> {
  return (await replace(table, row)) !== undefined;
}

/** The same. @returns the new tag of the row; `undefined` when it was not replaced */
export async function replace(
  table: TableClient,
  { partitionKey, rowKey, etag, columns }: Row,
): Promise<string | undefined> {
  let tag: string | undefined;
  const replaced = table
    .updateEntity({ ...columns, partitionKey, rowKey }, 'Replace', { etag })
    .then((answer) => {
      tag = answer.etag;
    });
  await unlessRefused([404, 412], replaced);
  return tag;
}

/** Writes a row, whether there was one with its key or not. */
export async function upsert(table: TableClient, key: RowKey, columns: Columns): Promise<void> {
  await table.upsertEntity({ ...columns, ...key }, 'Replace');
}

/** Deletes a row, unless it has changed since it was read. @returns whether it was deleted */
export function deleteIfUnchanged(
  table: TableClient,
  { partitionKey, rowKey, etag }: RowKey & { etag: string },
): Promise<boolean> {
  return unlessRefused([404, 412], table.deleteEntity(partitionKey, rowKey, { etag }));
}

/**
 * Carries out up to 100 changes in one partition, all or none.
 *
 * @returns false when one of the rows has changed or exists already
 */
export function transact(table: TableClient, actions: TransactionAction[]): Promise<boolean> {
  return unlessRefused([404, 409, 412], table.submitTransaction(actions));
}

/** Reads a row; `undefined` when there is none. */
export async function readRow(
  table: TableClient,
  { partitionKey, rowKey }: RowKey,
): Promise<Row | undefined> {
  try {
    return asRow(await table.getEntity<Columns>(partitionKey, rowKey));
  } catch (error) {
    if (statusOf(error) === 404) {
      return undefined;
    }
    throw error;
  }
}

/** Up to `limit` rows that match the filter, ordered by their keys. Make the filter with {@link odata}. */
export async function queryRows(table: TableClient, filter: string, limit: number): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const page of table
    .listEntities<Columns>({ queryOptions: { filter } })
    .byPage({ maxPageSize: Math.min(limit, 1000) })) {
    rows.push(...page.map(asRow));
    if (rows.length >= limit) {
      break;
    }
  }
  return rows.slice(0, limit);
}

export { odata };

function asRow(entity: TableEntityResult<Columns>): Row {
  const { etag, partitionKey = '', rowKey = '', ...rest } = entity;
  const columns = Object.entries(rest).filter(([name]) => name !== 'timestamp' && !name.startsWith('odata.'));
  return { partitionKey, rowKey, etag, columns: Object.fromEntries(columns) };
}

async function unlessRefused(statuses: number[], change: Promise<unknown>): Promise<boolean> {
  try {
    await change;
    return true;
  } catch (error) {
    if (statuses.includes(statusOf(error) ?? 0)) {
      return false;
    }
    throw error;
  }
}

function statusOf(error: unknown): number | undefined {
  return error instanceof RestError ? error.statusCode : undefined;
}
