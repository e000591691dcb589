import type { Cancel, Clock } from '../clock.js';
import { awaitedAnswer, isEntity, type Outgoing } from '../entities/entity-messages.js';
import type {
  EventSent,
  ExecutionStarted,
  HistoryEvent,
  InboundEvent,
  SubOrchestrationInstanceCreated,
  TaskScheduled,
  TimerCreated,
} from '../history.js';
import { isFinished } from '../history.js';
import type { EpisodeOutcome } from '../episode/episode.js';
import type { CommitToken, InstanceRecord, LoadedInstance, TaskHub } from '../task-hub.js';

/** An event that waits for its episode. */
export interface Pending {
  event: InboundEvent;
  /** Set when the hub holds it; results of activities and timers are only here, the history tells of them. */
  messageId?: string;
  /** The execution it belongs to, where it is for one only. */
  executionId?: string;
  /** As in `Message.sender`. */
  sender?: string;
}

/** What the engine keeps in a commit's memo. */
export interface Memo {
  outbox: readonly Outgoing[];
  received: [messageId: string, sender: string][];
}

/** What was scheduled and has not ended. */
export type OpenTask = TaskScheduled | SubOrchestrationInstanceCreated | TimerCreated;

/** What of an episode's outcome an instance keeps. */
export type CommittedOutcome = Pick<EpisodeOutcome, 'append' | 'idTaking' | 'awaiting' | 'cancelledTimers'>;

/** An instance in memory: what the hub has of it, and what goes on around it. */
export class Instance {
  loaded = false;
  record: InstanceRecord | undefined;
  history: HistoryEvent[] = [];
  token: CommitToken;
  open = new Map<number, OpenTask>();
  /** Calls of entities and lock requests that are not answered, by the id under which the answer comes. */
  readonly calls = new Map<string, EventSent>();
  /** See `mayTakeIds`; unknown after a load. */
  idTaking: ReadonlySet<number> | undefined;

  /** Events that the orchestrator waits for; unknown after a load. */
  awaiting: readonly string[] = [];

  queue: Pending[] = [];
  /** What the episode under way took from the queue. */
  taken: Pending[] = [];
  /** Ids of the messages that are being made durable. One may be sent twice at a time, by a sender that was read anew. */
  readonly posting: string[] = [];
  /** True when a message may have become durable although the hub did not say so: the hub knows. */
  doubtful = false;
  /** How many messages to others are on their way. */
  deliveries = 0;
  /**
   * What the last commit sends: after a crash it is sent again, if it has not been followed by another commit, or by
   * rest. No commit is made before all of it has arrived.
   */
  outbox: readonly Outgoing[] = [];
  /** False when the engine stopped before that. */
  delivered: Promise<boolean> = Promise.resolve(true);
  /** Messages that an entity has consumed and that may come again, with their senders. */
  readonly received = new Map<string, string>();

  /** Due time of the hint that the hub holds. */
  hint: number | undefined;
  /** A change of the hint that the hub has not said to be made: it may hold the one before, or the one after. */
  hintChange: Parameters<TaskHub['hint']>[0] | undefined;
  /** True when the engine that last had the instance may have died: what it sent may not have arrived. */
  recover = false;
  /** True when the projection is behind the record. */
  dirty = false;
  projection: NodeJS.Timeout | undefined;
  running: Promise<void> | undefined;

  /** Messages that a commit has ended while they were being made durable once more. */
  readonly #ended = new Set<string>();
  readonly #activities = new Set<string>();
  readonly #timers = new Map<number, { at: number; cancel: Cancel }>();
  #lock: Promise<unknown> = Promise.resolve();
  #waiting: (() => void)[] = [];

  constructor(readonly id: string) {}

  /** The record, or what is known of an instance whose start is still waiting. */
  get currentRecord(): InstanceRecord | undefined {
    const start =
      (this.queue.find(({ event }) => event.EventType === 'ExecutionStarted')?.event as
        | ExecutionStarted
        | undefined) ??
      (this.taken.find(({ event }) => event.EventType === 'ExecutionStarted')?.event as
        | ExecutionStarted
        | undefined);
    if (this.record?.runtimeStatus === 'Failed' && this.isRewinding)
      return { ...this.record, runtimeStatus: 'Pending' };
    if (start === undefined || (this.record !== undefined && !isFinished(this.record.runtimeStatus)))
      return this.record;
    return {
      instanceId: this.id,
      executionId: start.OrchestrationInstance.ExecutionId,
      name: start.Name,
      version: start.Version,
      runtimeStatus: 'Pending',
      input: start.Input,
      output: null,
      customStatus: null,
      createdTime: start.Timestamp,
      lastUpdatedTime: start.Timestamp,
      completedTime: null,
      parent: start.ParentInstance,
      ...(start.Generation !== null && { generation: start.Generation }),
    };
  }

  /** Whether a request to rewind it waits, or is being followed. */
  get isRewinding(): boolean {
    return [...this.queue, ...this.taken].some(
      ({ event }) => event.EventType === 'GenericEvent' && event.Rewind !== undefined,
    );
  }

  get execution(): ExecutionStarted | undefined {
    return this.history.find((event): event is ExecutionStarted => event.EventType === 'ExecutionStarted');
  }

  /** Takes over what the hub has. Events that it does not have stay in the queue. */
  take(from: LoadedInstance): void {
    this.loaded = true;
    this.record = from.record;
    this.history = from.history;
    this.token = from.token;
    this.dirty ||= from.stale;
    this.idTaking = undefined;
    this.open.clear();
    this.calls.clear();
    for (const event of from.history) this.#index(event);
    const memo: Partial<Memo> = from.memo === null ? {} : (JSON.parse(from.memo) as Memo);
    // Whoever rested had sent everything; whoever was here all the time knows what it is sending.
    if (this.recover) this.outbox = memo.outbox ?? [];
    this.received.clear();
    for (const [messageId, sender] of memo.received ?? []) this.received.set(messageId, sender);
    // A message that was posted while the hub was being read is not among what was read. One that is still being posted comes
    // when that is over: were it taken now, and gone from the hub after its commit, the hub might write it once more.
    const read = new Set(from.inbox.map(({ id }) => id));
    const known = new Set(this.queue.map(({ messageId }) => messageId));
    this.queue = [
      ...from.inbox
        .filter(({ id }) => known.has(id) || !this.posting.includes(id))
        .map(({ id, ...message }) => ({ ...message, messageId: id })),
      ...this.queue.filter(({ messageId }) => messageId === undefined || !read.has(messageId)),
    ];
  }

  /** Forgets what may differ from the hub, after a failure: the next pump loads it again. */
  unload(): void {
    this.loaded = false;
    this.recover = true;
    this.queue.unshift(...this.taken.filter(({ messageId }) => messageId === undefined));
    this.taken = [];
    this.cancelTimers();
  }

  enqueue(pending: Pending): void {
    const { messageId } = pending;
    if (messageId !== undefined) {
      const isIt = (other: Pending): boolean => other.messageId === messageId;
      if (this.queue.some(isIt)) return;
      // It was there before, and has been taken meanwhile. Whether it was written once more after that, the hub knows.
      if (this.#ended.has(messageId) || this.taken.some(isIt)) {
        this.doubtful = true;
        return;
      }
    }
    this.queue.push(pending);
  }

  /** Notes that a message has become durable, or not. */
  posted(messageId: string): void {
    this.posting.splice(this.posting.indexOf(messageId), 1);
    if (!this.posting.includes(messageId)) this.#ended.delete(messageId);
  }

  /** Notes that a commit has consumed messages. */
  ended(messageIds: readonly string[]): void {
    for (const id of messageIds) if (this.posting.includes(id)) this.#ended.add(id);
  }

  /** Whether an event means something to the instance as it is now. */
  wants({ event, executionId, messageId }: Pending): boolean {
    const { record } = this;
    if (isEntity(this.id))
      return event.EventType === 'EventRaised' && !(messageId !== undefined && this.received.has(messageId));
    const finished = record === undefined || isFinished(record.runtimeStatus);
    if (event.EventType === 'GenericEvent' && event.Rewind !== undefined) {
      const { id } = event.Rewind;
      return (
        record?.runtimeStatus === 'Failed' &&
        !this.history.some((past) => past.EventType === 'GenericEvent' && past.Rewind?.id === id)
      );
    }
    if (event.EventType === 'ExecutionStarted') return finished && !this.began(event);
    if (finished || (executionId !== undefined && executionId !== record.executionId)) return false;
    switch (event.EventType) {
      case 'TaskCompleted':
      case 'TaskFailed':
        return this.open.get(event.TaskScheduledId)?.EventType === 'TaskScheduled';
      case 'SubOrchestrationInstanceCompleted':
      case 'SubOrchestrationInstanceFailed':
        return this.open.get(event.TaskScheduledId)?.EventType === 'SubOrchestrationInstanceCreated';
      case 'TimerFired':
        return this.open.get(event.TimerId)?.EventType === 'TimerCreated';
      // What belongs to an execution is an entity's answer; what people raise reaches whichever is current.
      case 'EventRaised':
        return executionId === undefined || this.calls.has(event.Name);
      default:
        return true;
    }
  }

  /** Whether a start is the one that the instance began with, perhaps some executions ago. A parent that was read anew repeats it. */
  began({ OrchestrationInstance: { ExecutionId }, ParentInstance: by }: ExecutionStarted): boolean {
    const { record } = this;
    if (record === undefined || record.executionId === ExecutionId) return record !== undefined;
    return (
      by !== null &&
      record.parent?.TaskScheduleId === by.TaskScheduleId &&
      record.parent.OrchestrationInstance.ExecutionId === by.OrchestrationInstance.ExecutionId
    );
  }

  /** Notes that an event is part of the episode under way, so that a second one like it is not wanted. */
  claim(event: InboundEvent): void {
    this.#close(event);
  }

  /** Notes of what an entity has taken what may come again, and forgets what cannot any more. */
  remember(taken: readonly Pending[], mayComeAgain: (messageId: string, sender: string) => boolean): void {
    for (const { messageId, sender } of taken)
      if (messageId !== undefined && sender !== undefined) this.received.set(messageId, sender);
    for (const [messageId, sender] of this.received)
      if (!mayComeAgain(messageId, sender)) this.received.delete(messageId);
  }

  /** What a commit that sends `outbox` has to remember. */
  memo(outbox: readonly Outgoing[]): string | null {
    return outbox.length === 0 && this.received.size === 0
      ? null
      : JSON.stringify({ outbox, received: [...this.received] } satisfies Memo);
  }

  committed(
    token: CommitToken,
    replaced: boolean,
    outcome: CommittedOutcome,
    record: InstanceRecord,
    outbox: readonly Outgoing[],
  ): void {
    this.outbox = outbox;
    this.token = token;
    this.record = record;
    this.dirty = true;
    this.taken = [];
    this.idTaking = outcome.idTaking;
    this.awaiting = outcome.awaiting;
    if (replaced) {
      this.history = [];
      this.open.clear();
      this.calls.clear();
      this.cancelTimers();
    }
    for (const event of outcome.append) {
      this.history.push(event);
      this.#index(event);
    }
    for (const id of outcome.cancelledTimers) this.open.delete(id);
  }

  /** Whether the app chose the child's id, in which case an instance of that id may exist. */
  isGivenId(child: SubOrchestrationInstanceCreated): boolean {
    return child.InstanceId !== `${this.record!.executionId}:${child.EventId}`;
  }

  // ---- activities and timers --------------------------------------------------------------------------------------

  /** @returns false when that activity runs already, or its result waits. */
  beginActivity(executionId: string, taskId: number): boolean {
    const key = `${executionId}/${taskId}`;
    const ended = this.queue.some(
      ({ event, executionId: of }) =>
        of === executionId &&
        (event.EventType === 'TaskCompleted' || event.EventType === 'TaskFailed') &&
        event.TaskScheduledId === taskId,
    );
    if (ended || this.#activities.has(key)) return false;
    this.#activities.add(key);
    return true;
  }

  endActivity(executionId: string, taskId: number): void {
    this.#activities.delete(`${executionId}/${taskId}`);
  }

  armTimer(timer: TimerCreated, clock: Clock, fire: () => void): void {
    this.cancelTimer(timer.EventId);
    const at = Date.parse(timer.FireAt);
    const cancel = clock.schedule(at, () => {
      this.#timers.delete(timer.EventId);
      fire();
    });
    this.#timers.set(timer.EventId, { at, cancel });
  }

  cancelTimer(id: number): void {
    this.#timers.get(id)?.cancel();
    this.#timers.delete(id);
  }

  cancelTimers(): void {
    for (const id of this.#timers.keys()) this.cancelTimer(id);
  }

  get nextTimer(): number | undefined {
    let next: number | undefined;
    for (const { at } of this.#timers.values()) if (next === undefined || at < next) next = at;
    return next;
  }

  /** Whether something goes on that will come back on its own: also an entity's answer, which is not worth a rest before it. */
  get isWaitingForWork(): boolean {
    return (
      this.#activities.size > 0 ||
      this.deliveries > 0 ||
      (this.calls.size > 0 && !isFinished(this.record!.runtimeStatus))
    );
  }

  /** Whether events wait, or may: those of which only the hub knows. */
  get hasMore(): boolean {
    return this.queue.length > 0 || this.doubtful;
  }

  /** Whether anything is under way for it, so that it has to stay in memory. */
  get isInUse(): boolean {
    return this.running !== undefined || this.posting.length > 0 || this.hasMore || this.isWaitingForWork;
  }

  // ---- order ------------------------------------------------------------------------------------------------------

  /** One at a time: what changes the hint or the projection. */
  async exclusively(task: () => Promise<void>): Promise<void> {
    const turn = this.#lock.then(task);
    this.#lock = turn.catch(() => {});
    return turn;
  }

  /** Resolves when no pump runs and nothing goes on that would start one. */
  async whenAtRest(): Promise<void> {
    while (this.running !== undefined)
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
  }

  atRest(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  #index(event: HistoryEvent): void {
    if (
      event.EventType === 'TaskScheduled' ||
      event.EventType === 'SubOrchestrationInstanceCreated' ||
      event.EventType === 'TimerCreated'
    ) {
      this.open.set(event.EventId, event);
    } else if (event.EventType === 'EventSent') {
      const answer = awaitedAnswer(event);
      if (answer !== undefined) this.calls.set(answer, event);
    } else {
      this.#close(event);
    }
  }

  #close(event: HistoryEvent): void {
    switch (event.EventType) {
      case 'TaskCompleted':
      case 'TaskFailed':
      case 'SubOrchestrationInstanceCompleted':
      case 'SubOrchestrationInstanceFailed':
        this.open.delete(event.TaskScheduledId);
        break;
      case 'TimerFired':
        this.open.delete(event.TimerId);
        break;
      case 'EventRaised':
        this.calls.delete(event.Name);
        break;
      default:
        break;
    }
  }
}
