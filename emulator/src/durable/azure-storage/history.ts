import type { TableClient, TableEntity, TransactionAction } from '@azure/data-tables';
import { literal, readWhole, StaleReadError } from './clients.js';
import { statusOf } from '../../storage-errors.js';
import { escapeKey, eventKey, messageId, messageKey, SENTINEL } from './keys.js';
import { blobsOf, type Payloads } from './payloads.js';
import {
  eventColumns,
  readEvent,
  readRecord,
  readRow,
  recordColumns,
  time,
  type Columns,
  type Row,
} from './rows.js';
import { isFinished, type HistoryEvent, type InboundEvent, type JsonText } from '../history.js';
import {
  CommitConflictError,
  type Commit,
  type InstanceRecord,
  type LoadedInstance,
  type Message,
} from '../task-hub.js';

/** What a commit has to know of the one before it: the token. */
interface Position {
  /** The sentinel's ETag; undefined where there is no sentinel. */
  etag: string | undefined;
  /** The events that count are in `count` rows, from row number `first`. */
  first: number;
  count: number;
  /** The execution's input, which the sentinel need not repeat. */
  input: JsonText;
  /** Blobs of the events, and of the sentinel. */
  blobs: readonly string[];
  sentinelBlobs: readonly string[];
}

/** A transaction on one partition. */
interface Write {
  events: readonly TableEntity[];
  /** Whether there are rows in their place. */
  over: boolean;
  /** Keys of rows that are there. */
  removed: readonly string[];
  sentinel: Columns;
  mode: 'Merge' | 'Replace';
}

const NOTHING: Position = { etag: undefined, first: 0, count: 0, input: null, blobs: [], sentinelBlobs: [] };

/** What the service takes in one transaction; a quarter of its 4 MB is left for the sentinel and for deletions. */
const MAX_OPERATIONS = 100;
const MAX_BYTES = 3 * 1024 * 1024;
/** The most that a character of text becomes in JSON. */
const BYTES_PER_CHARACTER = 6;
/** An operation's URL, headers, and columns of fixed size. */
const BYTES_PER_OPERATION = 2048;

/**
 * The table `<hub>History`. An instance is one partition: its events, the messages that wait for it, and the `sentinel`, which says
 * which events count and holds what of the record is not in them.
 *
 * A commit is one transaction, guarded by the sentinel's ETag. What does not fit into one goes ahead in others, guarded as
 * well, that leave the sentinel's count as it is: until the last one those rows mean nothing, and the next commit
 * writes over them.
 */
export class HistoryTable {
  readonly #table: TableClient;
  readonly #payloads: Payloads;
  /** When the last message arrived, in microseconds. No two arrive at the same time, so that their order is known. */
  #arrived = 0;
  /** The blobs of waiting messages that have some, by key and message: they go when the message goes. */
  readonly #messageBlobs = new Map<string, Map<string, readonly string[]>>();

  constructor(table: TableClient, payloads: Payloads) {
    this.#table = table;
    this.#payloads = payloads;
  }

  async create(): Promise<void> {
    await this.#table.createTable();
  }

  /** What {@link load} says of an instance that is not there. */
  fresh(): Omit<LoadedInstance, 'stale'> {
    return { record: undefined, history: [], inbox: [], memo: null, token: NOTHING };
  }

  async load(instanceId: string): Promise<Omit<LoadedInstance, 'stale'>> {
    const key = escapeKey(instanceId);
    return readWhole(async () => {
      const rows = await this.#rows(key);
      const sentinel = rows.at(-1)?.['rowKey'] === SENTINEL ? rows.pop() : undefined;
      const inbox = await this.#inbox(key, rows);
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

  async post(instanceId: string, { id, event, executionId, sender }: Message): Promise<void> {
    const arrived = (this.#arrived = Math.max(this.#arrived + 1, Date.now() * 1000));
    const key = escapeKey(instanceId);
    const columns: Columns = {
      Event: JSON.stringify(event),
      ForExecutionId: executionId,
      Sender: sender,
      Arrived: { type: 'Int64', value: String(arrived) },
    };
    const blobs = await this.#payloads.store(key, `message-${id}`, columns, 'nothing');
    try {
      await this.#table.createEntity({ partitionKey: key, rowKey: messageKey(id), ...columns });
    } catch (error) {
      if (statusOf(error) !== 409) throw error;
      await this.#payloads.discard(blobs);
      return;
    }
    this.#noteMessage(key, id, blobs);
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
    // A new execution takes its predecessor's place in one transaction, or stands behind it until it counts.
    const first = replace ? (ahead.length === 0 ? 0 : before.first + before.count) : before.first;
    const count = (replace ? 0 : before.count) + rows.length;
    // What is left of the predecessor goes with it, or afterwards when there is too much.
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
      etag = await this.#guarded(key, etag, {
        events: keyed(batch),
        over: false,
        removed: [],
        sentinel: { IsCheckpointComplete: false },
        mode: 'Merge',
      });
    }
    etag = await this.#guarded(key, etag, {
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

    // It counts now. The rest is tidying: rows and blobs that stay are in nobody's way, and go with the instance.
    try {
      while (left.length > 0) {
        etag = await this.#guarded(key, etag, {
          events: [],
          over: false,
          removed: left.splice(0, MAX_OPERATIONS - 1),
          sentinel: {},
          mode: 'Merge',
        });
      }
    } catch {
      // Were the ETag wrong now, the next commit would say so.
    }
    await this.#payloads.discard([
      ...(replace ? before.blobs : []),
      ...before.sentinelBlobs,
      ...this.#takeMessageBlobs(key, consumed),
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
    // The sentinel is the last and goes first: without it nothing counts, so that a purge cut short leaves no half instance.
    keys.reverse();
    for (let start = 0; start < keys.length; start += MAX_OPERATIONS) {
      await this.#table.submitTransaction(
        keys.slice(start, start + MAX_OPERATIONS).map((rowKey) => ['delete', { partitionKey: key, rowKey }]),
      );
    }
    this.#messageBlobs.delete(key);
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

  async #inbox(key: string, rows: readonly Row[]): Promise<Message[]> {
    const waiting = rows
      .filter(({ rowKey }) => messageId(rowKey!) !== undefined)
      .map((row) => ({ row, arrived: Number(row['Arrived']) }))
      .toSorted((a, b) => a.arrived - b.arrived);
    // A clock that was set back must not let later messages overtake.
    this.#arrived = Math.max(this.#arrived, waiting.at(-1)?.arrived ?? 0);
    const whole = await this.#payloads.restoreAll(waiting.map(({ row }) => row));
    return whole.map((row) => {
      const id = messageId(row['rowKey']!)!;
      this.#noteMessage(key, id, blobNames(row));
      const event = JSON.parse(row['Event']!) as InboundEvent;
      const { ForExecutionId: executionId, Sender: sender } = row;
      return {
        id,
        event,
        ...(executionId !== undefined && { executionId }),
        ...(sender !== undefined && { sender }),
      };
    });
  }

  /**
   * One transaction that goes through only if nobody wrote the sentinel since `etag`.
   * @returns the sentinel's new ETag
   * @throws CommitConflictError
   */
  async #guarded(
    key: string,
    etag: string | undefined,
    { events, over, removed, sentinel, mode }: Write,
  ): Promise<string> {
    const entity = { partitionKey: key, rowKey: SENTINEL, ...sentinel };
    const submit = async (put: 'create' | 'upsert'): Promise<string> => {
      const { subResponses } = await this.#table.submitTransaction([
        ...events.map((event): TransactionAction =>
          put === 'create' ? [put, event] : [put, event, 'Replace'],
        ),
        ...removed.map((rowKey): TransactionAction => ['delete', { partitionKey: key, rowKey }]),
        etag === undefined ? ['create', entity] : ['update', entity, mode, { etag }],
      ]);
      return subResponses.at(-1)!.etag!;
    };
    try {
      // Leftovers of a crash are rare, and Azurite takes up to three times as long to write rows in case there are some.
      return over
        ? await submit('upsert')
        : await submit('create').catch((error: unknown) => {
            if (statusOf(error) !== 409 || events.length === 0) throw error;
            return submit('upsert');
          });
    } catch (error) {
      const status = statusOf(error);
      if (
        status === 409 ||
        status === 412 ||
        (status === 404 && (error as { code?: string }).code === 'ResourceNotFound')
      ) {
        throw new CommitConflictError(`Partition '${key}' was changed by somebody else.`, { cause: error });
      }
      throw error;
    }
  }

  #noteMessage(key: string, id: string, blobs: readonly string[]): void {
    if (blobs.length === 0) return;
    const ofInstance = this.#messageBlobs.get(key) ?? new Map<string, readonly string[]>();
    this.#messageBlobs.set(key, ofInstance.set(id, blobs));
  }

  #takeMessageBlobs(key: string, ids: readonly string[]): string[] {
    const ofInstance = this.#messageBlobs.get(key);
    if (ofInstance === undefined) return [];
    const blobs = ids.flatMap((id) => ofInstance.get(id) ?? []);
    for (const id of ids) ofInstance.delete(id);
    if (ofInstance.size === 0) this.#messageBlobs.delete(key);
    return blobs;
  }
}

function blobNames(row: Row): string[] {
  return blobsOf(row).map(([, blob]) => blob);
}

/** Shares rows out: what goes ahead, and what goes with the sentinel and the deletion of `consumed` messages. */
function inTransactions(rows: readonly Columns[], consumed: number): { ahead: Columns[][]; last: Columns[] } {
  const ahead: Columns[][] = [];
  let last: Columns[] = [];
  let bytes = 0;
  for (const row of rows) {
    const size =
      BYTES_PER_OPERATION +
      BYTES_PER_CHARACTER *
        Object.values(row).reduce<number>(
          (sum, cell) => sum + (typeof cell === 'string' ? cell.length : 0),
          0,
        );
    if (last.length === MAX_OPERATIONS - 1 || bytes + size > MAX_BYTES) {
      ahead.push(last);
      last = [];
      bytes = 0;
    }
    last.push(row);
    bytes += size;
  }
  if (last.length + consumed >= MAX_OPERATIONS) ahead.push(last.splice(0));
  return { ahead, last };
}

/** The rows that counted and are not written anew. */
function rowsOutside({ first, count }: Position, newFirst: number, newCount: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index).filter(
    (row) => row < newFirst || row >= newFirst + newCount,
  );
}

/** The columns of a record but for texts that the history has, so that a long input is not written again each time. */
function sentinelColumns(record: InstanceRecord, input: JsonText, append: readonly HistoryEvent[]): Columns {
  const columns = recordColumns(record);
  if (record.input === input) delete columns['Input'];
  if (isFinished(record.runtimeStatus) && record.output === outputOf(append)) delete columns['Output'];
  return columns;
}

function recordOf(sentinel: Row, instanceId: string, history: readonly HistoryEvent[]): InstanceRecord {
  const record = readRecord(sentinel, instanceId);
  record.input ??= inputOf(history) ?? null;
  if (isFinished(record.runtimeStatus)) record.output ??= outputOf(history) ?? null;
  return record;
}

function inputOf(history: readonly HistoryEvent[]): JsonText {
  return history.find((event) => event.EventType === 'ExecutionStarted')?.Input ?? null;
}

function outputOf(history: readonly HistoryEvent[]): string | null | undefined {
  return history.findLast((event) => event.EventType === 'ExecutionCompleted')?.Result;
}
