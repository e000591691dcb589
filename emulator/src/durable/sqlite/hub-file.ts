import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { CommitConflictError, HubUnavailableError, StorageFailure } from '../task-hub.js';

/** "DFem" in ASCII: SQLite's place for the program that made a file. */
const APPLICATION = 0x44_46_65_6d;

/** The layout of the tables. A file with a higher number was made by a later version of the emulator. */
const LAYOUT = 1;

/** SQLite's result codes. */
const BUSY = 5;
const CORRUPT = 11;
const NOT_A_DATABASE = 26;

/** A row as SQLite gives it. */
export type SqlRow = Record<string, string | number | null>;

/**
 * A file of SQLite, in which all that is written in one turn of the event loop is one transaction: one
 * synchronisation with the disk for all. A promise resolves after the commit of all that its caller wrote and
 * read. The connection holds a lock on the file, which the system removes when the process ends.
 */
export class HubFile {
  readonly path: string;
  readonly #statements = new Map<string, StatementSync>();
  #database: DatabaseSync | undefined;
  #lost: (reason: Error) => void = () => {};
  /** Resolves with the commit of the open transaction. */
  #turn: PromiseWithResolvers<void> | undefined;

  constructor(file: string) {
    this.path = path.resolve(file);
  }

  /**
   * Opens the file, and makes it and its folder when they do not exist.
   * @param tables SQL that makes the tables that do not exist
   * @param lost called when the file turns out to be damaged
   * @throws HubUnavailableError when another process has the file open, or it is not a file of this version
   */
  open(tables: string, lost: (reason: Error) => void): void {
    this.#lost = lost;
    try {
      mkdirSync(path.dirname(this.path), { recursive: true, mode: 0o700 });
      const database = (this.#database = new DatabaseSync(this.path));
      // The lock comes with the first read. Whose file it is has to be known before the first write.
      database.exec('PRAGMA locking_mode = EXCLUSIVE');
      this.#checkMaker();
      // FULL: what is committed survives the loss of power, not only the end of the process.
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
      database.exec(
        `BEGIN IMMEDIATE; PRAGMA application_id = ${APPLICATION}; PRAGMA user_version = ${LAYOUT}; ${tables} COMMIT`,
      );
    } catch (error) {
      this.#end();
      throw error instanceof HubUnavailableError ? error : this.#unavailable(error);
    }
  }

  /** Commits what is written, and closes the file. */
  close(): void {
    this.#commit();
    this.#end();
  }

  /** Runs a statement that returns no rows. @returns the number of changed rows */
  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepared(sql).run(...values).changes);
  }

  get(sql: string, ...values: SQLInputValue[]): SqlRow | undefined {
    return this.#prepared(sql).get(...values) as SqlRow | undefined;
  }

  all(sql: string, ...values: SQLInputValue[]): SqlRow[] {
    return this.#prepared(sql).all(...values) as SqlRow[];
  }

  /**
   * Does work that writes, as a part of this turn's transaction.
   * @param work throws a {@link CommitConflictError} before its first write, or none
   * @throws CommitConflictError
   * @throws StorageFailure when the work failed, or the transaction of which it was a part
   */
  async write<T>(work: () => T): Promise<T> {
    if (this.#turn === undefined) {
      this.#attempt(() => {
        this.#open.exec('BEGIN');
      });
      this.#turn = Promise.withResolvers();
      // Those who wait handle a failure.
      this.#turn.promise.catch(() => {});
      setImmediate(() => {
        this.#commit();
      });
    }
    return this.read(work);
  }

  /**
   * Does work that reads. It sees what this turn has written, so its result waits for the commit, too.
   * @throws StorageFailure
   */
  async read<T>(work: () => T): Promise<T> {
    const result = this.#attempt(work);
    await this.#turn?.promise;
    return result;
  }

  get #open(): DatabaseSync {
    if (this.#database === undefined) throw new StorageFailure(`${this.path} is closed.`);
    return this.#database;
  }

  #prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = this.#open.prepare(sql)));
    return statement;
  }

  #attempt<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof CommitConflictError) throw error;
      throw this.#rollBack(error);
    }
  }

  #commit(): void {
    const turn = this.#turn;
    if (turn === undefined) return;
    try {
      this.#open.exec('COMMIT');
      this.#turn = undefined;
      turn.resolve();
    } catch (error) {
      this.#rollBack(error);
    }
  }

  /** Undoes all that this turn has written. @returns the error for the caller */
  #rollBack(cause: unknown): unknown {
    if (this.#database?.isTransaction === true) this.#database.exec('ROLLBACK');
    const code = codeOf(cause);
    const error =
      code === undefined ? cause : new StorageFailure(`${this.path}: ${(cause as Error).message}`, { cause });
    this.#turn?.reject(new StorageFailure(`A write to ${this.path} failed.`, { cause }));
    this.#turn = undefined;
    if (code === CORRUPT || code === NOT_A_DATABASE) this.#lost(this.#unavailable(cause));
    return error;
  }

  #checkMaker(): void {
    const pragma = (name: string): number => Object.values(this.get(`PRAGMA ${name}`)!)[0] as number;
    const maker = pragma('application_id');
    const isNew = maker === 0 && this.get('SELECT name FROM sqlite_schema') === undefined;
    if (maker !== APPLICATION && !isNew)
      throw new HubUnavailableError(
        `${this.path} is a database of another program. Name another file with --storage.`,
      );
    if (pragma('user_version') > LAYOUT)
      throw new HubUnavailableError(
        `${this.path} was made by a later version of the emulator. Use that version, or name another file with --storage.`,
      );
  }

  #end(): void {
    this.#statements.clear();
    this.#database?.close();
    this.#database = undefined;
  }

  #unavailable(cause: unknown): HubUnavailableError {
    const code = codeOf(cause);
    const text =
      code === BUSY
        ? 'is in use by another emulator. Stop that one, or name another file with --storage.'
        : code === CORRUPT || code === NOT_A_DATABASE
          ? 'is damaged, or is not a database. Delete it, or name another file with --storage.'
          : `cannot be opened: ${cause instanceof Error ? cause.message : String(cause)}`;
    return new HubUnavailableError(`${this.path} ${text}`, { cause });
  }
}

/** SQLite's result code of an error, without its extension; undefined for other errors. */
function codeOf(error: unknown): number | undefined {
  const { errcode } = error as { errcode?: number };
  return errcode === undefined ? undefined : errcode & 0xff;
}
