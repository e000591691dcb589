import type {
  HistoryEvent,
  InboundEvent,
  JsonText,
  ParentInstance,
  RuntimeStatus,
  Timestamp,
} from './history.js';

/**
 * The status of an instance: a row of the provider's Instances table. It is a projection of the history: a
 * hub may write it late, and rebuilds it in {@link TaskHub.load}.
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
  /** How often a client had started this id before; absent if only orchestrations have started it. */
  generation?: number;
}

/**
 * An event on its way to an instance, durable from the moment {@link TaskHub.post} resolves until a commit
 * consumes it.
 */
export interface Message {
  /**
   * Identifies the message among those that wait for its target: posting one id twice leaves one message. It
   * is derived from sender and step where the sender may repeat it after a crash, and random otherwise.
   * Letters, digits, `-`, `_`.
   */
  id: string;
  event: InboundEvent;
  /**
   * For results of sub-orchestrations and entities: the execution that waits for them. A later execution
   * drops them.
   */
  executionId?: string;
  /**
   * For messages that may be sent again after a crash, long after they were consumed: the sending instance.
   */
  sender?: string;
}

/** The hub's data to detect other writers, such as an ETag and a row count. Opaque to the engine. */
export type CommitToken = unknown;

export interface LoadedInstance {
  /** Undefined when nothing of the instance was ever committed (its start may be waiting in the inbox). */
  record: InstanceRecord | undefined;
  /** The current execution's history, oldest first, exactly as committed. */
  history: HistoryEvent[];
  /** The messages that wait, in order of arrival. */
  inbox: Message[];
  /** As last committed, see {@link Commit.memo}. */
  memo: string | null;
  token: CommitToken;
  /**
   * Whether {@link TaskHub.project} has to write the record, because the Instances row is older than the
   * history. Undefined where {@link TaskHub.load} was not asked to look.
   */
  stale: boolean | undefined;
}

/** One episode's outcome. Either all of it becomes visible, or nothing. */
export interface Commit {
  instanceId: string;
  token: CommitToken;
  /**
   * True when `append` starts a new execution that replaces the old one (continue-as-new, an id that is used
   * again).
   */
  replace: boolean;
  append: readonly HistoryEvent[];
  /** Ids of the messages this episode consumed. At most {@link MAX_CONSUMED}. */
  consumed: readonly string[];
  /** The record after this episode, so that a load needs nothing else. */
  record: InstanceRecord;
  /** The engine's data besides the history. It replaces the previous memo. The hub only stores it. */
  memo: string | null;
}

/** A commit consumes at most this many messages, so that they fit in its last transaction. */
export const MAX_CONSUMED = 40;

/**
 * A reminder to load an instance at or after a time. A restarted host reads the hints instead of all
 * instances.
 */
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
  /**
   * From an earlier page; the id of the first instance to return (inclusive), since pages are ordered by id.
   */
  from?: string;
}

export interface InstancePage {
  /** Ordered by instance id, ordinally. */
  records: InstanceRecord[];
  /** The id with which the next page begins; absent on the last. */
  next?: string;
}

/**
 * A store of instances. The engine is its only writer while it is open (see {@link TaskHub.open}). The
 * process may be killed between any two calls, and during each of them.
 *
 * Every method may reject with a {@link StorageFailure}; the engine then loads the instance again and
 * retries.
 */
export interface TaskHub {
  readonly name: string;

  /**
   * Takes the hub. If it has another owner, waits or fails.
   *
   * @param lost called when ownership is lost later; the engine must stop at once
   * @throws HubUnavailableError with a message of one line, when the hub belongs to another owner or another
   * kind of host
   */
  open(lost: (reason: Error) => void): Promise<void>;
  /** Gives the hub back. No call may follow. */
  close(): Promise<void>;

  /** The result of {@link TaskHub.load} for an instance that was never written, without a request. */
  fresh(): LoadedInstance;
  /**
   * Everything of one instance.
   * @param unchecked leaves `stale` open where that saves a request
   */
  load(instanceId: string, unchecked?: boolean): Promise<LoadedInstance>;

  /** Adds a message to a target's inbox. Durable when it resolves. The caller writes a hint before it, or at the same time. */
  post(instanceId: string, message: Message): Promise<void>;

  /**
   * Commits an episode: appends, consumes and updates, atomically, if there was no other commit since
   * `token`.
   *
   * @returns the token for the next commit
   * @throws CommitConflictError after another commit, or when a message that it consumes does not exist
   */
  commit(commit: Commit): Promise<CommitToken>;

  /**
   * Writes the projection. The engine makes one call at a time per instance, when clients should see the
   * change.
   * @param unchecked the projection may be current, because {@link TaskHub.load} did not look
   */
  project(record: InstanceRecord, unchecked?: boolean): Promise<void>;

  /** The last written projection. */
  getRecord(instanceId: string): Promise<InstanceRecord | undefined>;
  query(query: InstanceQuery): Promise<InstancePage>;

  /** Removes history, inbox, record and payloads of an instance. {@link hint} removes its hints. */
  purge(instanceId: string): Promise<void>;

  /**
   * Replaces hints of one instance in one step: removes `remove` and adds `add`. Adding a hint that exists,
   * or removing one that does not, is no error.
   */
  hint(change: { add?: Hint; remove?: Hint }): Promise<void>;
  /** All hints, the earliest first, in pages. */
  hints(): AsyncIterable<Hint[]>;
}

/**
 * The hub belongs to another owner, or another kind of host made it. The message is one line for the user.
 */
export class HubUnavailableError extends Error {
  override name = 'HubUnavailableError';
}

/** Whether a name can be a part of the names of tables and containers. @throws HubUnavailableError */
export function checkHubName(name: string): void {
  if (!/^[a-z][a-z0-9]{2,44}$/i.test(name))
    throw new HubUnavailableError(
      `'${name}' cannot name a task hub: 3 to 45 letters and digits, the first a letter.`,
    );
}

/**
 * Storage failed, or did not answer. The engine loads the instance again and retries. It does so for this
 * error only: any other error is a mistake of the emulator and ends the instance as Failed.
 */
export class StorageFailure extends Error {
  override name = 'StorageFailure';
}

/** There was another commit to the instance since it was loaded. */
export class CommitConflictError extends StorageFailure {
  override name = 'CommitConflictError';
}

/** Whether a record matches a query. The caller does the paging. */
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
