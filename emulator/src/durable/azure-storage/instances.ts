import type { TableClient } from '@azure/data-tables';
import { literal, readWhole } from './clients.js';
import { ignore, statusOf } from '../../storage-errors.js';
import { escapeKey, prefixEnd, unescapeKey } from './keys.js';
import type { Payloads } from './payloads.js';
import { blobsOf, instanceColumns, isCurrent, readRecord, readRow, timeFilter, type Row } from './rows.js';
import type { InstancePage, InstanceQuery, InstanceRecord } from '../task-hub.js';

/** The table `<hub>Instances`: one row for each instance, in a partition of its own. */
export class InstancesTable {
  readonly #table: TableClient;
  readonly #payloads: Payloads;
  readonly #hubName: string;
  /** The blobs of a row, by its key: the next write of the row deletes them. Most rows have none. */
  readonly #blobs = new Map<string, readonly string[]>();

  constructor(table: TableClient, payloads: Payloads, hubName: string) {
    this.#table = table;
    this.#payloads = payloads;
    this.#hubName = hubName;
  }

  async create(): Promise<void> {
    await this.#table.createTable();
  }

  async write(record: InstanceRecord): Promise<void> {
    const key = escapeKey(record.instanceId);
    const columns = instanceColumns(record, this.#hubName);
    const blobs = await this.#payloads.store(key, 'instance', columns, 'url');
    const before = await this.#blobsBefore(key, blobs);
    await this.#table.upsertEntity({ partitionKey: key, rowKey: '', ...columns }, 'Replace');
    await this.#payloads.discard(before);
    this.#note(key, blobs);
  }

  /**
   * The blobs of the row that a write replaces. A row that this process has not seen is read only when the new one
   * has blobs, too: then it has some as a rule. Otherwise a purge of the instance deletes them.
   */
  async #blobsBefore(key: string, blobs: readonly string[]): Promise<readonly string[]> {
    const seen = this.#blobs.get(key);
    if (seen !== undefined || blobs.length === 0) return seen ?? [];
    const row = await this.#row(key);
    return row === undefined ? [] : blobsOf(row).map(([, blob]) => blob);
  }

  async read(instanceId: string): Promise<InstanceRecord | undefined> {
    return readWhole(async () => {
      const row = await this.#row(escapeKey(instanceId));
      return row && readRecord(await this.#payloads.restore(row), instanceId);
    });
  }

  /** Whether an instance's row exists and equals `record`. */
  async isCurrent(record: InstanceRecord): Promise<boolean> {
    const key = escapeKey(record.instanceId);
    const row = await this.#row(key);
    if (row === undefined) return false;
    this.#note(
      key,
      blobsOf(row).map(([, blob]) => blob),
    );
    return isCurrent(row, record);
  }

  /** A page of rows in the order of their keys, as in production: an escaped character sorts as `^`. */
  async query({
    instanceIdPrefix = '',
    createdTimeFrom,
    createdTimeTo,
    runtimeStatus = [],
    top,
    from,
  }: InstanceQuery): Promise<InstancePage> {
    const prefix = escapeKey(instanceIdPrefix);
    const end = prefix === '' ? undefined : prefixEnd(prefix);
    const filter = [
      prefix !== '' && `PartitionKey ge ${literal(prefix)}`,
      end !== undefined && `PartitionKey lt ${literal(end)}`,
      from !== undefined && `PartitionKey ge ${literal(escapeKey(from))}`,
      createdTimeFrom !== undefined && `CreatedTime ge ${timeFilter(createdTimeFrom)}`,
      createdTimeTo !== undefined && `CreatedTime le ${timeFilter(createdTimeTo)}`,
      runtimeStatus.length > 0 &&
        `(${runtimeStatus.map((status) => `RuntimeStatus eq ${literal(status)}`).join(' or ')})`,
    ]
      .filter((condition) => condition !== false)
      .join(' and ');
    return readWhole(async () => {
      const rows: Row[] = [];
      const pages = this.#table
        .listEntities({ queryOptions: { filter }, disableTypeConversion: true })
        .byPage({ maxPageSize: Math.min(top + 1, 1000) });
      for await (const page of pages) {
        rows.push(
          ...page.map((entity) => readRow(entity)).filter((row) => row['partitionKey']!.startsWith(prefix)),
        );
        if (rows.length > top) break;
      }
      const next = rows[top];
      const records = (await this.#payloads.restoreAll(rows.slice(0, top))).map((row) =>
        readRecord(row, idOf(row)),
      );
      return next === undefined ? { records } : { records, next: idOf(next) };
    });
  }

  async purge(key: string): Promise<void> {
    this.#blobs.delete(key);
    await this.#table.deleteEntity(key, '').catch(ignore(404));
  }

  async #row(key: string): Promise<Row | undefined> {
    try {
      return readRow(await this.#table.getEntity(key, '', { disableTypeConversion: true }));
    } catch (error) {
      if (statusOf(error) !== 404) throw error;
      return undefined;
    }
  }

  #note(key: string, blobs: readonly string[]): void {
    if (blobs.length > 0) this.#blobs.set(key, blobs);
    else this.#blobs.delete(key);
  }
}

function idOf(row: Row): string {
  return unescapeKey(row['partitionKey']!);
}
