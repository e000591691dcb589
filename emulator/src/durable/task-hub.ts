import type {
  HistoryEvent,
  InboundEvent,
  JsonText,
  ParentInstance,
  RuntimeStatus,
  Timestamp,
} from './history.js';

/**
 * What is known of an instance at a glance: a row of the provider's Instances table. It is a projection of the history;
 * a hub may write it late, and rebuilds it on {@link TaskHub.load}.
 */
export interface InstanceRecord {
  instanceId: string;
  executionId: string;
  name: string;
  version: string | null;
  runtimeStatus: RuntimeStatus;
  input: JsonText;
  /** JSON text when Completed, plain text when Failed or Terminated, the reason while Suspended. */
  output: string | null;
  customStatus: JsonText;
  createdTime: Timestamp;
  lastUpdatedTime: Timestamp;
  completedTime: Timestamp | null;
  parent: ParentInstance | null;
  /** How often a client had started this id before; absent for what only an orchestration has started. */
  generation?: number;
}

/** An event on its way to an instance, durable from the moment {@link TaskHub.post} resolves until a commit consumes it. */
export interface Message {
  /**
   * Identifies the message among those waiting for its target: posting one id twice leaves one message.
   * Derived from sender and step where the sender may repeat itself after a crash, else random. Letters, digits, `-`, `_`.
   */
  id: string;
  event: InboundEvent;
  /** For results of a sub-orchestration, and answers of entities: the execution they belong to. A later one drops them. */
  executionId?: string;
  /** For what may come again after a crash, long after it was consumed: the instance that may send it again. */
  sender?: string;
}

/** Whatever the hub needs to see that nobody else wrote since: an ETag and a row count, or nothing. Opaque to the engine. */
export type CommitToken = unknown;

export interface LoadedInstance {
  /** Undefined when nothing of the instance was ever committed (its start may be waiting in the inbox). */
  record: InstanceRecord | undefined;
  /** The current execution's history, oldest first, exactly as committed. */
  history: HistoryEvent[];
  /** What waits, in order of arrival. */
  inbox: Message[];
  /** As last committed, see {@link Commit.memo}. */
  memo: string | null;
  token: CommitToken;
  /** Whether {@link TaskHub.project} has to write the record: what the Instances row says is older than the history. */
  stale: boolean;
}

/** One episode's outcome. Either all of it becomes visible, or nothing. */
export interface Commit {
  instanceId: string;
  token: CommitToken;
  /** True when `append` is the start of a new execution: what was there before goes (continue-as-new, an id used again). */
  replace: boolean;
  append: readonly HistoryEvent[];
  /** Ids of the messages this episode consumed. At most {@link MAX_CONSUMED}. */
  consumed: readonly string[];
  /** The record after this episode, so that a load needs nothing else. */
  record: InstanceRecord;
  /** What the engine has to remember beside the history, in the place of what it remembered before. Nothing to the hub. */
  memo: string | null;
}

/** A commit consumes no more messages than this, so that they fit in the transaction that makes it count. */
export const MAX_CONSUMED = 40;

/** A reminder to look at an instance at or after a time: what a restarted host reads instead of every instance. */
export interface Hint {
  instanceId: string;
  /** Milliseconds since the epoch. */
  due: number;
}

export interface InstanceQuery {
  instanceIdPrefix?: string;
  /** Inclusive, milliseconds since the epoch. */
  createdTimeFrom?: number;
  createdTimeTo?: number;
  /** Any of these; empty or absent means all. */
  runtimeStatus?: readonly RuntimeStatus[];
  /** Page size, at least 1. */
  top: number;
  /** From an earlier page; the id of the first instance to return (inclusive), since pages are ordered by id. */
  from?: string;
}

export interface InstancePage {
  /** Ordered by instance id, ordinally. */
  records: InstanceRecord[];
  /** The id with which the next page begins; absent on the last. */
  next?: string;
}

/**
 * A store of instances. The engine is its only writer while it is open (see {@link TaskHub.open}), but may die between
 * any two calls, and inside any of them.
 *
 * Every method may reject with a {@link StorageFailure}; the engine then loads the instance again and retries.
 */
export interface TaskHub {
  readonly name: string;

  /**
   * Takes the hub, waiting for or refusing another owner.
   * @param lost called when ownership is lost later; the engine must stop at once.
   * @throws HubUnavailableError with one line for a person, when the hub is not ours to take.
   */
  open(lost: (reason: Error) => void): Promise<void>;
  /** Gives the hub back. No call may follow. */
  close(): Promise<void>;

  /** What {@link TaskHub.load} would say of an instance that nobody has written yet, without asking. */
  fresh(): LoadedInstance;
  /** Everything of one instance. */
  load(instanceId: string): Promise<LoadedInstance>;

  /** Adds a message to a target's inbox. Durable when it resolves. The caller has placed a hint before. */
  post(instanceId: string, message: Message): Promise<void>;

  /**
   * Makes an episode count: appends, consumes and updates, atomically, provided that nobody committed since `token`.
   * @returns the token for the next commit.
   * @throws CommitConflictError when somebody did, or a message that it consumes is not there (any more).
   */
  commit(commit: Commit): Promise<CommitToken>;

  /** Writes the projection. The engine calls it when it matters to onlookers, one call at a time per instance. */
  project(record: InstanceRecord): Promise<void>;

  /** The projection as last written. */
  getRecord(instanceId: string): Promise<InstanceRecord | undefined>;
  query(query: InstanceQuery): Promise<InstancePage>;

  /** Removes history, inbox, record and payloads of an instance. Hints go by {@link hint}. */
  purge(instanceId: string): Promise<void>;

  /**
   * Replaces hints in one step: `remove` goes and `add` is there when it resolves. Adding a hint that exists, or
   * removing one that does not, is no error. Both belong to one instance.
   */
  hint(change: { add?: Hint; remove?: Hint }): Promise<void>;
  /** All hints, the earliest first, in pages. */
  hints(): AsyncIterable<Hint[]>;
}

/** The hub is not ours: another owner holds it, or another kind of host made it. The message is one line for a person. */
export class HubUnavailableError extends Error {
  override name = 'HubUnavailableError';
}

/**
 * Storage failed, or did not answer. The engine loads the instance again and retries. It does so for this error only: any
 * other error is a mistake of the emulator and ends the instance as Failed.
 */
export class StorageFailure extends Error {
  override name = 'StorageFailure';
}

/** Somebody else committed to the instance since it was loaded. */
export class CommitConflictError extends StorageFailure {
  override name = 'CommitConflictError';
}

/** Whether a record matches a query. Paging is the caller's. */
export function matches(record: InstanceRecord, query: Omit<InstanceQuery, 'top' | 'from'>): boolean {
  const created = Date.parse(record.createdTime);
  return (
    (query.instanceIdPrefix === undefined || record.instanceId.startsWith(query.instanceIdPrefix)) &&
    (query.createdTimeFrom === undefined || created >= query.createdTimeFrom) &&
    (query.createdTimeTo === undefined || created <= query.createdTimeTo) &&
    (query.runtimeStatus === undefined ||
      query.runtimeStatus.length === 0 ||
      query.runtimeStatus.includes(record.runtimeStatus))
  );
}
