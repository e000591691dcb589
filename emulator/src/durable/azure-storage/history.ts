import type { TableClient, TableEntity } from '@azure/data-tables';
import type { JsonText } from '../history.js';
import type { Commit, LoadedInstance, Message } from '../task-hub.js';
import { literal, readWhole, StaleReadError } from './clients.js';
import { escapeKey, eventKey, messageKey, SENTINEL } from './keys.js';
import { MessageRows } from './messages.js';
import type { Payloads } from './payloads.js';
import { blobNames, eventColumns, readEvent, readRow, time, type Columns, type Row } from './rows.js';
import { inputOf, recordOf, sentinelColumns } from './sentinel.js';
import { inTransactions, MAX_OPERATIONS, writeGuarded } from './transactions.js';

/** The token of a commit: what the next commit has to know about it. */
interface Position {
  /** The sentinel's ETag; undefined if there is no sentinel. */
  etag: string | undefined;
  /** The valid events are in `count` rows, from row number `first`. */
  first: number;
  count: number;
  /** The execution's input, which the sentinel does not repeat. */
  input: JsonText;
  /** Blobs of the events, and of the sentinel. */
  blobs: readonly string[];
  sentinelBlobs: readonly string[];
}

const NOTHING: Position = { etag: undefined, first: 0, count: 0, input: null, blobs: [], sentinelBlobs: [] };

/**
 * The table `<hub>History`. An instance is one partition: its events, the messages that wait for it, and the
 * `sentinel` row. The sentinel says which events are valid, and has the part of the record that is not in the
 * events.
 *
 * A commit is one transaction, guarded by the sentinel's ETag. Rows that do not fit into it are written
 * before it, in transactions with the same guard that do not change the sentinel's count. Until the last
 * transaction those rows are not valid, and the next commit overwrites them.
 */
export class HistoryTable {
  readonly #table: TableClient;
  readonly #payloads: Payloads;
  readonly #messages: MessageRows;

  constructor(table: TableClient, payloads: Payloads) {
    this.#table = table;
    this.#payloads = payloads;
    this.#messages = new MessageRows(table, payloads);
  }

  async create(): Promise<void> {
    await this.#table.createTable();
  }

  /** The result of {@link load} for an instance that does not exist. */
  fresh(): Omit<LoadedInstance, 'stale'> {
    return { record: undefined, history: [], inbox: [], memo: null, token: NOTHING };
  }

  async load(instanceId: string): Promise<Omit<LoadedInstance, 'stale'>> {
    const key = escapeKey(instanceId);
    return readWhole(async () => {
      const rows = await this.#rows(key);
      const sentinel = rows.at(-1)?.['rowKey'] === SENTINEL ? rows.pop() : undefined;
      const inbox = await this.#messages.read(key, rows);
      if (sentinel?.['RuntimeStatus'] === undefined)
        return {
          record: undefined,
          history: [],
          inbox,
          memo: null,
          token: { ...NOTHING, etag: sentinel?.['etag'] },
        };

      const first = Number(sentinel['FirstRow']);
      const count = Number(sentinel['RowCount']);
      const begin = rows.findIndex(({ rowKey }) => rowKey === eventKey(first));
      const events = rows.slice(begin, begin + count);
      if (count > 0 && (begin < 0 || events.at(-1)?.['rowKey'] !== eventKey(first + count - 1))) {
        throw new StaleReadError(
          `The history of '${instanceId}' is not complete: ${count} rows should be there from row ${first}.`,
        );
      }
      const history = (await this.#payloads.restoreAll(events)).map((row) => readEvent(row));
      const token: Position = {
        etag: sentinel['etag'],
        first,
        count,
        input: inputOf(history),
        blobs: events.flatMap(blobNames),
        sentinelBlobs: blobNames(sentinel),
      };
      const whole = await this.#payloads.restore(sentinel);
      return {
        record: recordOf(whole, instanceId, history),
        history,
        inbox,
        memo: whole['Memo'] ?? null,
        token,
      };
    });
  }

  post(instanceId: string, message: Message): Promise<void> {
    return this.#messages.post(instanceId, message);
  }

  async commit({ instanceId, token, replace, append, consumed, record, memo }: Commit): Promise<Position> {
    const before = token as Position;
    const key = escapeKey(instanceId);
    const rows = append.map((event) => eventColumns(event, record.executionId));
    const blobs = await this.#payloads.storeAll(
      key,
      rows,
      append.map(({ EventType }) => `history-${EventType}`),
    );
    const input = inputOf(append) ?? (replace ? null : before.input);
    const sentinel = { ...sentinelColumns(record, input, append), Memo: memo ?? undefined };
    const sentinelBlobs = await this.#payloads.store(key, SENTINEL, sentinel, 'nothing');

    const { ahead, last } = inTransactions(rows, consumed.length);
    // A new execution overwrites the one before in one transaction, or its rows follow the old ones until it
    // is valid.
    const first = replace ? (ahead.length === 0 ? 0 : before.first + before.count) : before.first;
    const count = (replace ? 0 : before.count) + rows.length;
    // Rows of the old execution that are not overwritten are deleted in the same transaction, or after it if
    // they are many.
    const left = (replace ? rowsOutside(before, first, count) : []).map(eventKey);
    const leaving = left.splice(
      0,
      last.length + consumed.length + left.length < MAX_OPERATIONS ? left.length : 0,
    );

    let number = first + count - rows.length;
    const keyed = (batch: readonly Columns[]): TableEntity[] =>
      batch.map((columns) => ({ partitionKey: key, rowKey: eventKey(number++), ...columns }));
    let { etag } = before;
    for (const batch of ahead) {
      etag = await writeGuarded(this.#table, key, etag, {
        events: keyed(batch),
        over: false,
        removed: [],
        sentinel: { IsCheckpointComplete: false },
        mode: 'Merge',
      });
    }
    etag = await writeGuarded(this.#table, key, etag, {
      events: keyed(last),
      over: replace && ahead.length === 0,
      removed: [...consumed.map(messageKey), ...leaving],
      sentinel: {
        ...sentinel,
        FirstRow: first,
        RowCount: count,
        IsCheckpointComplete: true,
        CheckpointCompletedTimestamp: time(new Date().toISOString()),
      },
      mode: 'Replace',
    });

    // The commit is valid now. Rows and blobs that cannot be deleted here do no harm: a purge of the instance
    // deletes them.
    try {
      while (left.length > 0) {
        etag = await writeGuarded(this.#table, key, etag, {
          events: [],
          over: false,
          removed: left.splice(0, MAX_OPERATIONS - 1),
          sentinel: {},
          mode: 'Merge',
        });
      }
    } catch {
      // If the ETag is wrong now, the next commit fails and the instance is loaded again.
    }
    await this.#payloads.discard([
      ...(replace ? before.blobs : []),
      ...before.sentinelBlobs,
      ...this.#messages.takeBlobs(key, consumed),
    ]);
    return { etag, first, count, input, blobs: replace ? blobs : [...before.blobs, ...blobs], sentinelBlobs };
  }

  async purge(key: string): Promise<void> {
    const rows = this.#table.listEntities({
      queryOptions: { filter: `PartitionKey eq ${literal(key)}`, select: ['PartitionKey', 'RowKey'] },
    });
    const keys: string[] = [];
    for await (const page of rows.byPage({ maxPageSize: 1000 }))
      keys.push(...page.map(({ rowKey }) => rowKey!));
    // The sentinel is the last row and is deleted first. Without it no event is valid, so an interrupted
    // purge leaves no half of an instance.
    keys.reverse();
    for (let start = 0; start < keys.length; start += MAX_OPERATIONS) {
      await this.#table.submitTransaction(
        keys.slice(start, start + MAX_OPERATIONS).map((rowKey) => ['delete', { partitionKey: key, rowKey }]),
      );
    }
    this.#messages.purged(key);
  }

  async #rows(key: string): Promise<Row[]> {
    const rows: Row[] = [];
    const entities = this.#table.listEntities({
      queryOptions: { filter: `PartitionKey eq ${literal(key)}` },
      disableTypeConversion: true,
    });
    for await (const page of entities.byPage({ maxPageSize: 1000 }))
      for (const entity of page) rows.push(readRow(entity));
    return rows;
  }
}

/** The valid rows that a new execution does not overwrite. */
function rowsOutside({ first, count }: Position, newFirst: number, newCount: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index).filter(
    (row) => row < newFirst || row >= newFirst + newCount,
  );
}
