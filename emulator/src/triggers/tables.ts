import type { TableClient, TableEntity, TableEntityResult } from '@azure/data-tables';
import type { BindingData } from '../binding-data.js';
import type { Setting } from '../config/settings.js';
import { statusOf } from '../storage-errors.js';
import type { Binding, TypedData } from '../worker/types.js';
import { connectionName, connectionProblem, findConnection, tableClient } from './connections.js';

/** How many entities one transaction of storage takes. */
const LARGEST_TRANSACTION = 100;
/** A JSON string of this form is a date for Newtonsoft.Json. */
const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[-+]\d\d:\d\d)?$/;

/** The table bindings of one app. */
export class Tables {
  readonly #setting: Setting;

  constructor(setting: Setting) {
    this.#setting = setting;
  }

  /** Why a table binding cannot work, as the end of a sentence; undefined when it can. */
  problem({ tableName, connection }: Binding): string | undefined {
    const name = String(tableName);
    if (!/[{}]/.test(name) && !/^[A-Za-z][A-Za-z0-9]{2,62}$/.test(name))
      return `'${name}' is not the name of a table`;
    return connectionProblem(this.#setting, connection, 'table', `its table '${name}'`);
  }

  /**
   * The value of an input binding: with a row key one entity, or nothing when there is none; else an array.
   * @throws Error when the table cannot be read
   */
  async read(binding: Binding, data: BindingData): Promise<TypedData> {
    const table = await this.#open(binding, data);
    const partitionKey = property(binding, 'partitionKey', data);
    const rowKey = property(binding, 'rowKey', data);
    try {
      if (partitionKey !== undefined && rowKey !== undefined)
        return { json: json(await table.getEntity(partitionKey, rowKey)) };
      const filters = [
        partitionKey === undefined ? undefined : `PartitionKey eq '${quoted(partitionKey)}'`,
        property(binding, 'filter', data, quoted),
      ].filter((part) => part !== undefined);
      const filter = filters.map((part) => (filters.length > 1 ? `(${part})` : part)).join(' and ');
      const take = binding['take'] === undefined ? Infinity : Number(binding['take']);
      const rows: string[] = [];
      for await (const row of table.listEntities({ queryOptions: filter === '' ? {} : { filter } })) {
        if (rows.length >= take) break;
        rows.push(json(row));
      }
      return { json: `[${rows.join(',')}]` };
    } catch (error) {
      if (statusOf(error) !== 404) throw error;
      return rowKey === undefined ? { json: '[]' } : {};
    }
  }

  /**
   * Inserts the entities that a function gave an output binding: an object, or an array of them. The entities of
   * one partition are written together.
   * @throws Error when one exists already, has no keys, or cannot be written
   */
  async write(binding: Binding, value: TypedData | null | undefined, data: BindingData): Promise<void> {
    const given = entities(value);
    if (given.length === 0) return;
    const table = await this.#open(binding, data);
    const keys = {
      PartitionKey: property(binding, 'partitionKey', data),
      RowKey: property(binding, 'rowKey', data),
    };
    const partitions = Map.groupBy(
      given.map((entity) => toEntity(binding, keys, entity)),
      ({ partitionKey }) => partitionKey,
    );
    for (const rows of partitions.values())
      for (let from = 0; from < rows.length; from += LARGEST_TRANSACTION)
        await insert(table, rows.slice(from, from + LARGEST_TRANSACTION));
  }

  async #open(template: Binding, data: BindingData): Promise<TableClient> {
    const binding: Binding = { ...template, tableName: data.resolve(String(template['tableName'])) };
    const problem = this.problem(binding);
    if (problem !== undefined) throw new Error(`The binding '${binding.name}' cannot be used: ${problem}.`);
    const connection = findConnection(this.#setting, connectionName(binding['connection']), 'table')!;
    return tableClient(connection, String(binding['tableName']));
  }
}

function property(
  binding: Binding,
  name: string,
  data: BindingData,
  escape?: (value: string) => string,
): string | undefined {
  const template = binding[name];
  return typeof template === 'string' && template !== '' ? data.resolve(template, escape) : undefined;
}

/** A value within the quotes of a filter. */
function quoted(value: string): string {
  return value.replaceAll("'", "''");
}

/** An entity as the host's JSON: keys and properties, without the time and the tag. */
function json(entity: TableEntityResult<Record<string, unknown>>): string {
  const { partitionKey: PartitionKey, rowKey: RowKey, ...rest } = entity;
  const own = Object.entries(rest).filter(
    ([name]) => !['etag', 'timestamp'].includes(name) && !name.startsWith('odata.'),
  );
  return JSON.stringify({
    PartitionKey,
    RowKey,
    ...Object.fromEntries(own.map(([name, value]) => [name, plain(value)])),
  });
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (typeof value === 'object' && value !== null && 'type' in value && 'value' in value) return value.value;
  return value;
}

function entities(value: TypedData | null | undefined): Record<string, unknown>[] {
  const text = value?.json ?? value?.string;
  if (text === undefined) return [];
  const parsed = JSON.parse(text) as unknown;
  const all: unknown[] = Array.isArray(parsed) ? parsed : [parsed];
  return all.map((each) => {
    if (typeof each !== 'object' || each === null)
      throw new Error('A table output takes objects, or arrays of objects.');
    return each as Record<string, unknown>;
  });
}

function toEntity(
  { name }: Binding,
  keys: Record<'PartitionKey' | 'RowKey', string | undefined>,
  entity: Record<string, unknown>,
): TableEntity {
  const key = (which: 'PartitionKey' | 'RowKey'): string => {
    const found = Object.entries(entity).find(
      ([property_]) => property_.toLowerCase() === which.toLowerCase(),
    );
    const value = found?.[1] ?? keys[which];
    if (typeof value !== 'string' && typeof value !== 'number')
      throw new Error(`An entity for '${name}' has no ${which}.`);
    return String(value);
  };
  const properties = Object.entries(entity).filter(
    ([property_, value]) =>
      value !== null &&
      !['partitionkey', 'rowkey', 'timestamp', 'etag', 'odata.etag'].includes(property_.toLowerCase()),
  );
  return {
    partitionKey: key('PartitionKey'),
    rowKey: key('RowKey'),
    ...Object.fromEntries(properties.map(([property_, value]) => [property_, stored(value)])),
  };
}

/** A value in the type that Newtonsoft.Json and the tables extension give it. */
function stored(value: unknown): unknown {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  if (typeof value === 'string' && DATE.test(value)) return new Date(value);
  return typeof value === 'object' ? JSON.stringify(value) : value;
}

async function insert(table: TableClient, rows: TableEntity[]): Promise<void> {
  const write = async (): Promise<unknown> =>
    rows.length === 1
      ? table.createEntity(rows[0]!)
      : table.submitTransaction(rows.map((entity) => ['create', entity]));
  try {
    await write();
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
    await table.createTable();
    await write();
  }
}
