import type { BlobReceipts } from '../../triggers/blob-receipts.js';
import { receiptPath } from '../../triggers/blob-receipts.js';
import type { ScheduleStatus, ScheduleStatuses } from '../../triggers/schedule-statuses.js';
import type { HistoryEvent } from '../history.js';
import {
  checkHubName,
  CommitConflictError,
  type Commit,
  type Hint,
  type InstancePage,
  type InstanceQuery,
  type InstanceRecord,
  type LoadedInstance,
  type Message,
  type TaskHub,
} from '../task-hub.js';
import type { TimeStore } from '../time-store.js';
import { HubFile, type SqlRow } from './hub-file.js';

/** How many hints a page has. */
const PAGE = 1000;

/**
 * A hub in a file of SQLite, for an emulator that needs nothing installed. A file can have several hubs, each with
 * tables of its own. A commit writes the record that queries read, so the projection is never late.
 *
 * - `<hub>Instances`: a row for each instance, with its record, its memo and the number of its last commit.
 * - `<hub>History`: a row for each commit of the current execution, with the events that it appended.
 * - `<hub>Messages`: a row for each message that waits, in the order of their arrival.
 * - `<hub>Hints`: see {@link Hint}.
 * - `<hub>Values`: what else the emulator records, as JSON.
 */
export class SqliteHub implements TaskHub {
  readonly name: string;
  /** How far the hub's time is ahead. */
  readonly time: TimeStore;
  readonly schedules: ScheduleStatuses;
  readonly receipts: BlobReceipts;
  readonly #file: HubFile;
  /** SQL with the names of this hub's tables, by the text with `$`. */
  readonly #texts = new Map<string, string>();

  /** @param name 3 to 45 letters and digits: it is part of the names of tables */
  constructor({ file, name }: { file: string; name: string }) {
    this.name = name;
    this.#file = new HubFile(file);
    this.time = {
      read: async () => (await this.#value<number>('ahead')) ?? 0,
      write: (ahead) => this.#setValue('ahead', ahead),
    };
    this.schedules = {
      read: (functionName) => this.#value<ScheduleStatus>(`schedule ${functionName}`),
      write: (functionName, status) => this.#setValue(`schedule ${functionName}`, status),
    };
    this.receipts = {
      has: async (receipt) => (await this.#value(`receipt ${receiptPath(receipt)}`)) !== undefined,
      add: (receipt) => this.#setValue(`receipt ${receiptPath(receipt)}`, true),
    };
  }

  /** The file's absolute path. */
  get path(): string {
    return this.#file.path;
  }

  /** @throws HubUnavailableError */
  async open(lost: (reason: Error) => void): Promise<void> {
    checkHubName(this.name);
    const tables = this.#sql(`
      CREATE TABLE IF NOT EXISTS "$Instances" (
        id TEXT PRIMARY KEY, version INTEGER NOT NULL, created INTEGER NOT NULL, status TEXT NOT NULL,
        memo TEXT, record TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS "$History" (
        instance TEXT NOT NULL, version INTEGER NOT NULL, events TEXT NOT NULL, PRIMARY KEY (instance, version));
      CREATE TABLE IF NOT EXISTS "$Messages" (
        arrived INTEGER PRIMARY KEY, instance TEXT NOT NULL, id TEXT NOT NULL, message TEXT NOT NULL,
        UNIQUE (instance, id));
      CREATE TABLE IF NOT EXISTS "$Hints" (
        due INTEGER NOT NULL, instance TEXT NOT NULL, PRIMARY KEY (due, instance)) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS "$Values" (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;`);
    this.#file.open(tables, lost);
  }

  async close(): Promise<void> {
    this.#file.close();
  }

  fresh(): LoadedInstance {
    return { record: undefined, history: [], inbox: [], memo: null, token: 0, stale: false };
  }

  load(instanceId: string): Promise<LoadedInstance> {
    return this.#file.read(() => {
      const row = this.#file.get(
        this.#sql(`SELECT version, memo, record FROM "$Instances" WHERE id = ?`),
        instanceId,
      );
      const commits = this.#file.all(
        this.#sql(`SELECT events FROM "$History" WHERE instance = ? ORDER BY version`),
        instanceId,
      );
      const messages = this.#file.all(
        this.#sql(`SELECT message FROM "$Messages" WHERE instance = ? ORDER BY arrived`),
        instanceId,
      );
      return {
        record: row && recordOf(row),
        history: commits.flatMap(({ events }) => JSON.parse(events as string) as HistoryEvent[]),
        inbox: messages.map(({ message }) => JSON.parse(message as string) as Message),
        memo: (row?.['memo'] as string | null | undefined) ?? null,
        token: row?.['version'] ?? 0,
        stale: false,
      };
    });
  }

  post(instanceId: string, message: Message): Promise<void> {
    return this.#file.write(() => {
      this.#file.run(
        this.#sql(`INSERT INTO "$Messages" (instance, id, message) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`),
        instanceId,
        message.id,
        JSON.stringify(message),
      );
    });
  }

  commit({ instanceId, token, replace, append, consumed, record, memo }: Commit): Promise<number> {
    return this.#file.write(() => {
      const file = this.#file;
      const before = file.get(this.#sql(`SELECT version FROM "$Instances" WHERE id = ?`), instanceId);
      const ids = JSON.stringify(consumed);
      const waiting =
        consumed.length === 0
          ? 0
          : file.get(
              this.#sql(`SELECT count(*) AS count FROM "$Messages"
                WHERE instance = ? AND id IN (SELECT value FROM json_each(?))`),
              instanceId,
              ids,
            )!['count'];
      if ((before?.['version'] ?? 0) !== token || waiting !== consumed.length)
        throw new CommitConflictError(`Instance '${instanceId}' was changed by another writer.`);

      const version = (token as number) + 1;
      if (replace) file.run(this.#sql(`DELETE FROM "$History" WHERE instance = ?`), instanceId);
      if (append.length > 0)
        file.run(
          this.#sql(`INSERT INTO "$History" (instance, version, events) VALUES (?, ?, ?)`),
          instanceId,
          version,
          JSON.stringify(append),
        );
      if (consumed.length > 0)
        file.run(
          this.#sql(`DELETE FROM "$Messages" WHERE instance = ? AND id IN (SELECT value FROM json_each(?))`),
          instanceId,
          ids,
        );
      file.run(
        this.#sql(`INSERT INTO "$Instances" (id, version, created, status, memo, record) VALUES (?, ?, ?, ?, ?, ?)
          ON CONFLICT (id) DO UPDATE SET version = excluded.version, created = excluded.created,
            status = excluded.status, memo = excluded.memo, record = excluded.record`),
        instanceId,
        version,
        Date.parse(record.createdTime),
        record.runtimeStatus,
        memo,
        JSON.stringify(record),
      );
      return version;
    });
  }

  /** Does nothing: the record is part of the commit. */
  async project(): Promise<void> {}

  getRecord(instanceId: string): Promise<InstanceRecord | undefined> {
    return this.#file.read(() => {
      const row = this.#file.get(this.#sql(`SELECT record FROM "$Instances" WHERE id = ?`), instanceId);
      return row && recordOf(row);
    });
  }

  /** A page of records in the order of their ids' code points. */
  query({
    instanceIdPrefix = '',
    createdTimeFrom,
    createdTimeTo,
    runtimeStatus = [],
    top,
    from = '',
  }: InstanceQuery): Promise<InstancePage> {
    return this.#file.read(() => {
      const rows = this.#file.all(
        this.#sql(`SELECT id, record FROM "$Instances"
          WHERE id >= ?1 AND id >= ?2 AND substr(id, 1, length(?2)) = ?2 AND created BETWEEN ?3 AND ?4
            AND (?5 = '[]' OR status IN (SELECT value FROM json_each(?5)))
          ORDER BY id LIMIT ?6`),
        from,
        instanceIdPrefix,
        createdTimeFrom ?? -Infinity,
        createdTimeTo ?? Infinity,
        JSON.stringify(runtimeStatus),
        top + 1,
      );
      const records = rows.slice(0, top).map((row) => recordOf(row));
      const next = rows[top];
      return next === undefined ? { records } : { records, next: next['id'] as string };
    });
  }

  purge(instanceId: string): Promise<void> {
    return this.#file.write(() => {
      this.#file.run(this.#sql(`DELETE FROM "$Instances" WHERE id = ?`), instanceId);
      this.#file.run(this.#sql(`DELETE FROM "$History" WHERE instance = ?`), instanceId);
      this.#file.run(this.#sql(`DELETE FROM "$Messages" WHERE instance = ?`), instanceId);
    });
  }

  hint({ add, remove }: { add?: Hint; remove?: Hint }): Promise<void> {
    return this.#file.write(() => {
      if (remove !== undefined)
        this.#file.run(
          this.#sql(`DELETE FROM "$Hints" WHERE due = ? AND instance = ?`),
          remove.due,
          remove.instanceId,
        );
      if (add !== undefined)
        this.#file.run(
          this.#sql(`INSERT INTO "$Hints" (due, instance) VALUES (?, ?) ON CONFLICT DO NOTHING`),
          add.due,
          add.instanceId,
        );
    });
  }

  async *hints(): AsyncIterable<Hint[]> {
    let last: Hint = { due: -Infinity, instanceId: '' };
    for (;;) {
      const page = await this.#hintsAfter(last);
      if (page.length > 0) yield page;
      if (page.length < PAGE) return;
      last = page.at(-1)!;
    }
  }

  #hintsAfter({ due, instanceId }: Hint): Promise<Hint[]> {
    return this.#file.read(() =>
      this.#file
        .all(
          this.#sql(`SELECT due, instance FROM "$Hints" WHERE (due, instance) > (?, ?)
            ORDER BY due, instance LIMIT ?`),
          due,
          instanceId,
          PAGE,
        )
        .map((row) => ({ due: row['due'] as number, instanceId: row['instance'] as string })),
    );
  }

  /** @param text SQL with `$` for the hub's name */
  #sql(text: string): string {
    let sql = this.#texts.get(text);
    if (sql === undefined) this.#texts.set(text, (sql = text.replaceAll('$', this.name)));
    return sql;
  }

  #value<T>(key: string): Promise<T | undefined> {
    return this.#file.read(() => {
      const row = this.#file.get(this.#sql(`SELECT value FROM "$Values" WHERE key = ?`), key);
      return row && (JSON.parse(row['value'] as string) as T);
    });
  }

  #setValue(key: string, value: unknown): Promise<void> {
    return this.#file.write(() => {
      this.#file.run(
        this.#sql(`INSERT INTO "$Values" (key, value) VALUES (?, ?)
          ON CONFLICT (key) DO UPDATE SET value = excluded.value`),
        key,
        JSON.stringify(value),
      );
    });
  }
}

function recordOf({ record }: SqlRow): InstanceRecord {
  return JSON.parse(record as string) as InstanceRecord;
}
