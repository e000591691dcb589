import type { ExecutionStarted, InboundEvent } from '../../history.js';
import type { Message } from '../../task-hub.js';

/** An event that waits for its episode. */
export interface QueuedEvent {
  event: InboundEvent;
  /**
   * Set when the hub holds the event. Results of activities and timers are only here; the history can
   * reproduce them.
   */
  messageId?: string;
  /** The execution that the event is for, where it is for one only. */
  executionId?: string;
  /** As in `Message.sender`. */
  sender?: string;
}

/**
 * The events that wait for an instance, in the order in which they came, and the messages that are being
 * written for it.
 */
export class Inbox {
  #queue: QueuedEvent[] = [];
  /** The events of the episode under way. */
  #taken: QueuedEvent[] = [];
  /**
   * Ids of the messages that are being written. One id may be in it twice, when its sender was loaded again
   * meanwhile.
   */
  readonly #posting: string[] = [];
  /** Messages that a commit has consumed while they were being written a second time. */
  readonly #consumedWhilePosting = new Set<string>();
  /** Messages that an entity has consumed and that may come again after a crash, with their senders. */
  readonly #received = new Map<string, string>();
  #mayHaveUnread = false;

  /** True when the hub may hold a message that is not in this queue: only a load shows it. */
  get mayHaveUnread(): boolean {
    return this.#mayHaveUnread;
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0 && !this.#mayHaveUnread;
  }

  get isQueueEmpty(): boolean {
    return this.#queue.length === 0;
  }

  get isPosting(): boolean {
    return this.#posting.length > 0;
  }

  /** Whether events wait, or are in the episode under way. */
  get hasEvents(): boolean {
    return this.#queue.length > 0 || this.#taken.length > 0;
  }

  /** The start that waits, or is in the episode under way. */
  get start(): ExecutionStarted | undefined {
    return this.#find((event): event is ExecutionStarted => event.EventType === 'ExecutionStarted');
  }

  /** Whether a request to rewind waits, or is in the episode under way. */
  get isRewinding(): boolean {
    return (
      this.#find((event) => event.EventType === 'GenericEvent' && event.Rewind !== undefined) !== undefined
    );
  }

  /**
   * Called before a load: messages that become uncertain from here on may not be among those that the load
   * reads.
   */
  beforeLoad(): void {
    this.#mayHaveUnread = false;
  }

  /** Takes over the messages that the hub has. Events that it does not have stay in the queue. */
  load(messages: readonly Message[], received: readonly [messageId: string, sender: string][]): void {
    this.#received.clear();
    for (const [messageId, sender] of received) this.#received.set(messageId, sender);
    // A message that was written while the hub was read may be missing from what was read: the queue keeps
    // it. One that is still being written joins the queue later. If it were taken now and its commit removed
    // it from the hub, the write that is still under way could put it there once more.
    const read = new Set(messages.map(({ id }) => id));
    const known = new Set(this.#queue.map(({ messageId }) => messageId));
    this.#queue = [
      ...messages
        .filter(({ id }) => known.has(id) || !this.#posting.includes(id))
        .map(({ id, ...message }) => ({ ...message, messageId: id })),
      ...this.#queue.filter(({ messageId }) => messageId === undefined || !read.has(messageId)),
    ];
  }

  /** After a failed episode: events that the hub does not hold go back into the queue. */
  unload(): void {
    this.#queue.unshift(...this.#taken.filter(({ messageId }) => messageId === undefined));
    this.#taken = [];
  }

  add(queued: QueuedEvent): void {
    const { messageId } = queued;
    if (messageId !== undefined) {
      const isSame = (other: QueuedEvent): boolean => other.messageId === messageId;
      if (this.#queue.some(isSame)) return;
      // An episode has taken the message before. Only the hub knows whether it was written once more after
      // that.
      if (this.#consumedWhilePosting.has(messageId) || this.#taken.some(isSame)) {
        this.#mayHaveUnread = true;
        return;
      }
    }
    this.#queue.push(queued);
  }

  /** Called before messages are written to the hub. */
  beginPosting(messages: readonly Message[]): void {
    for (const { id } of messages) this.#posting.push(id);
  }

  /** Called when messages were written to the hub, or when that failed. */
  endPosting(messages: readonly Message[], written: boolean): void {
    if (written) for (const { id: messageId, ...queued } of messages) this.add({ ...queued, messageId });
    else this.#mayHaveUnread = true;
    for (const { id } of messages) {
      this.#posting.splice(this.#posting.indexOf(id), 1);
      if (!this.#posting.includes(id)) this.#consumedWhilePosting.delete(id);
    }
  }

  /** The event that comes next. */
  get next(): QueuedEvent | undefined {
    return this.#queue[0];
  }

  /** Moves the next event into the episode under way. */
  takeNext(): void {
    this.#taken.push(this.#queue.shift()!);
  }

  /** Moves a request to terminate into the episode under way, past the events before it. */
  takeTermination(): QueuedEvent | undefined {
    const index = this.#queue.findIndex(({ event }) => event.EventType === 'ExecutionTerminated');
    if (index < 0) return undefined;
    const [termination] = this.#queue.splice(index, 1);
    this.#taken.push(termination!);
    return termination;
  }

  /** The episode under way is over. */
  episodeEnded(): void {
    if (this.#taken.length > 0) this.#taken = [];
  }

  /** A commit has consumed messages. */
  consumed(messageIds: readonly string[]): void {
    for (const id of messageIds) if (this.#posting.includes(id)) this.#consumedWhilePosting.add(id);
  }

  /** Whether the result of an activity waits. */
  hasResultOf(executionId: string, taskId: number): boolean {
    return this.#queue.some(
      ({ event, executionId: of }) =>
        of === executionId &&
        (event.EventType === 'TaskCompleted' || event.EventType === 'TaskFailed') &&
        event.TaskScheduledId === taskId,
    );
  }

  /** Whether an entity has consumed a message before. */
  wasReceived(messageId: string | undefined): boolean {
    return messageId !== undefined && this.#received.has(messageId);
  }

  /** The messages that an entity has consumed and that may come again, as a commit stores them. */
  get received(): [messageId: string, sender: string][] {
    return [...this.#received];
  }

  /** Remembers which messages of the entity's batch may come again, and forgets those that no longer may. */
  rememberTaken(mayComeAgain: (messageId: string, sender: string) => boolean): void {
    for (const { messageId, sender } of this.#taken)
      if (messageId !== undefined && sender !== undefined) this.#received.set(messageId, sender);
    for (const [messageId, sender] of this.#received)
      if (!mayComeAgain(messageId, sender)) this.#received.delete(messageId);
  }

  #find<E extends InboundEvent>(matches: (event: InboundEvent) => event is E): E | undefined;
  #find(matches: (event: InboundEvent) => boolean): InboundEvent | undefined;
  #find(matches: (event: InboundEvent) => boolean): InboundEvent | undefined {
    return (
      this.#queue.find(({ event }) => matches(event))?.event ??
      this.#taken.find(({ event }) => matches(event))?.event
    );
  }
}
