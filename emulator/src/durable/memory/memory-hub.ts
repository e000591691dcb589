import type { HistoryEvent } from '../history.js';
import { isFinished } from '../history.js';
import type {
  Commit,
  Hint,
  InstancePage,
  InstanceQuery,
  InstanceRecord,
  LoadedInstance,
  Message,
  TaskHub,
} from '../task-hub.js';
import { CommitConflictError, matches } from '../task-hub.js';

/** An instance in a {@link MemoryHub}. Plain data, which can be sent to another process. */
export interface StoredInstance {
  record: InstanceRecord | undefined;
  history: HistoryEvent[];
  /** Undefined when it is empty: most instances wait, and an empty map takes 190 bytes. */
  inbox: Map<string, Message> | undefined;
  memo: string | null;
  version: number;
}

/**
 * A hub in memory, for tests and for an emulator without storage. Its instances live as long as the map that
 * holds them.
 */
export class MemoryHub implements TaskHub {
  readonly name: string;
  readonly #instances: Map<string, StoredInstance>;

  constructor({ name, instances = new Map() }: { name: string; instances?: Map<string, StoredInstance> }) {
    this.name = name;
    this.#instances = instances;
  }

  async open(): Promise<void> {}
  async close(): Promise<void> {}

  fresh(): LoadedInstance {
    return { record: undefined, history: [], inbox: [], memo: null, token: 0, stale: false };
  }

  async load(instanceId: string): Promise<LoadedInstance> {
    const stored = this.#instances.get(instanceId);
    return {
      record: stored?.record,
      history: stored?.history.slice() ?? [],
      inbox: [...(stored?.inbox?.values() ?? [])],
      memo: stored?.memo ?? null,
      token: stored?.version ?? 0,
      stale: false,
    };
  }

  async post(instanceId: string, message: Message): Promise<void> {
    const inbox = (this.#stored(instanceId).inbox ??= new Map());
    if (!inbox.has(message.id)) inbox.set(message.id, message);
  }

  async commit(commit: Commit): Promise<number> {
    const stored = this.#stored(commit.instanceId);
    if (stored.version !== commit.token || !commit.consumed.every((id) => stored.inbox?.has(id) === true)) {
      throw new CommitConflictError(`Instance '${commit.instanceId}' was changed by another writer.`);
    }
    if (commit.replace) stored.history = [];
    for (const event of commit.append) stored.history.push(event);
    for (const id of commit.consumed) stored.inbox?.delete(id);
    if (stored.inbox?.size === 0) stored.inbox = undefined;
    stored.record = commit.record;
    stored.memo = commit.memo;
    return ++stored.version;
  }

  /** Does nothing: the record is part of the commit. */
  async project(): Promise<void> {}

  async getRecord(instanceId: string): Promise<InstanceRecord | undefined> {
    return this.#instances.get(instanceId)?.record;
  }

  async query(query: InstanceQuery): Promise<InstancePage> {
    const records: InstanceRecord[] = [];
    for (const id of [...this.#instances.keys()].toSorted(ordinal)) {
      const record = this.#instances.get(id)!.record;
      if (
        record === undefined ||
        (query.from !== undefined && ordinal(id, query.from) < 0) ||
        !matches(record, query)
      )
        continue;
      if (records.length === query.top) return { records, next: id };
      records.push(record);
    }
    return { records };
  }

  async purge(instanceId: string): Promise<void> {
    this.#instances.delete(instanceId);
  }

  async hint(_change: { add?: Hint; remove?: Hint }): Promise<void> {}

  /**
   * All instances that may have work to do or messages to send. Their due time is not known, so all are due
   * at once.
   */
  async *hints(): AsyncIterable<Hint[]> {
    const live = [...this.#instances].filter(
      ([, { record, inbox, memo }]) =>
        inbox !== undefined ||
        memo !== null ||
        (record !== undefined && (!isFinished(record.runtimeStatus) || record.parent !== null)),
    );
    yield live.map(([instanceId]) => ({ instanceId, due: 0 }));
  }

  #stored(instanceId: string): StoredInstance {
    let stored = this.#instances.get(instanceId);
    if (stored === undefined) {
      stored = { record: undefined, history: [], inbox: undefined, memo: null, version: 0 };
      this.#instances.set(instanceId, stored);
    }
    return stored;
  }
}

function ordinal(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
