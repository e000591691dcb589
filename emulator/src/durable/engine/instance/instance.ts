import { isEntity, type Outgoing } from '../../entities/entity-messages.js';
import { isFinished } from '../../history.js';
import type { InstanceRecord, LoadedInstance, TaskHub } from '../../task-hub.js';
import { CommittedState } from './committed-state.js';
import { Inbox, type QueuedEvent } from './inbox.js';
import { InstanceHint } from './instance-hint.js';
import { Outbox } from './outbox.js';
import { RunningWork } from './running-work.js';

/** The memo that the engine keeps with each commit, see `Commit.memo`. */
interface Memo {
  outbox: readonly Outgoing[];
  received: [messageId: string, sender: string][];
}

/** How an instance comes into memory. */
export interface InstanceOptions {
  hub: TaskHub;
  /** The time of the hint that the hub holds for it. */
  hint: number | undefined;
  /** Whether the engine that last had it may have died: messages that it sent may not have arrived. */
  isRecovering: boolean;
  /** Works on the instance until there is nothing to do now. Never rejects. */
  run: (instance: Instance) => Promise<void>;
}

/** An instance in memory, put together from the parts that own its state. */
export class Instance {
  readonly state = new CommittedState();
  readonly inbox = new Inbox();
  readonly outbox = new Outbox();
  readonly work = new RunningWork();
  readonly hint: InstanceHint;
  readonly #run: (instance: Instance) => Promise<void>;
  #isRecovering: boolean;
  /** Whether the record is newer than what {@link TaskHub.project} has written. */
  #isProjectionStale = false;
  /** Whether that is not known: a dead engine may have left it so. */
  #isProjectionUnknown = false;
  #error: unknown;
  #isPumping = false;
  #running: Promise<void> | undefined;
  #waitingForRest: (() => void)[] = [];
  #isSpinning = false;
  #waitingForSpin: (() => void)[] = [];
  #lock: Promise<unknown> = Promise.resolve();

  constructor(
    readonly id: string,
    { hub, hint, isRecovering, run }: InstanceOptions,
  ) {
    this.hint = new InstanceHint(id, hub, hint);
    this.#isRecovering = isRecovering;
    this.#run = run;
  }

  get isEntity(): boolean {
    return isEntity(this.id);
  }

  get isRecovering(): boolean {
    return this.#isRecovering;
  }

  /** Everything that a dead engine may have left undone is under way again. */
  recovered(): void {
    this.#isRecovering = false;
  }

  get isProjectionStale(): boolean | undefined {
    return this.#isProjectionStale || (this.#isProjectionUnknown ? undefined : false);
  }

  /** `record` was projected. */
  projected(record: InstanceRecord): void {
    if (this.state.record === record) this.#isProjectionStale = this.#isProjectionUnknown = false;
  }

  /** The committed record, or a Pending one for an instance whose start waits. */
  get currentRecord(): InstanceRecord | undefined {
    const { record } = this.state;
    if (record?.runtimeStatus === 'Failed' && this.inbox.isRewinding)
      return { ...record, runtimeStatus: 'Pending' };
    if (record !== undefined && !isFinished(record.runtimeStatus)) return record;
    const { start } = this.inbox;
    if (start === undefined) return record;
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

  /** Takes over the state that the hub has. */
  load(from: LoadedInstance): void {
    const memo: Partial<Memo> = from.memo === null ? {} : (JSON.parse(from.memo) as Memo);
    this.state.load(from);
    if (from.stale === true) this.#isProjectionStale = true;
    // An instance that came to rest here was projected before.
    if (from.stale === undefined && this.#isRecovering) this.#isProjectionUnknown = true;
    // An instance that came to rest had sent everything. One that was in memory all the time knows what it is
    // sending.
    if (this.#isRecovering) this.outbox.set(memo.outbox ?? []);
    this.inbox.load(from.inbox, memo.received ?? []);
  }

  /** Forgets what may differ from the hub, after a failure: the next pump loads it again. */
  unload(): void {
    this.state.unload();
    this.#isRecovering = true;
    this.inbox.unload();
    this.work.cancelTimers();
  }

  /**
   * Takes over a commit. Its parameters are those of {@link CommittedState.committed}; `outgoing`: the
   * messages that it sends.
   */
  committed(outgoing: readonly Outgoing[], ...commit: Parameters<CommittedState['committed']>): void {
    const [, replaced] = commit;
    this.outbox.set(outgoing);
    this.inbox.episodeEnded();
    if (replaced) this.work.cancelTimers();
    this.state.committed(...commit);
    this.#isProjectionStale = true;
  }

  /** Whether an event means something to the instance as it is now. */
  wants({ event, executionId, messageId }: QueuedEvent): boolean {
    return this.isEntity
      ? event.EventType === 'EventRaised' && !this.inbox.wasReceived(messageId)
      : this.state.wants(event, executionId);
  }

  /** The memo of a commit that sends `outgoing`. */
  memo(outgoing: readonly Outgoing[]): string | null {
    const { received } = this.inbox;
    return outgoing.length === 0 && received.length === 0
      ? null
      : JSON.stringify({ outbox: outgoing, received } satisfies Memo);
  }

  /**
   * Whether something runs that will wake the instance. A call of an entity counts: its answer comes too soon
   * to unload the instance before it.
   */
  get isWaitingForWork(): boolean {
    return (
      this.work.hasActivities ||
      this.outbox.isDelivering ||
      (this.state.calls.size > 0 && !this.state.isFinished)
    );
  }

  /** Whether anything is under way for it, so that it has to stay in memory. */
  get isInUse(): boolean {
    return (
      this.#isPumping ||
      this.inbox.isPosting ||
      !this.inbox.isEmpty ||
      this.isWaitingForWork ||
      this.#error !== undefined
    );
  }

  // ---- mistakes of the emulator --------------------------------------------------------------------------

  /** The error that the instance has to be failed with; undefined when there is none. */
  get error(): unknown {
    return this.#error;
  }

  /** Has the next pump end the instance as Failed, because of an error that is no failure of storage. */
  fail(error: unknown): void {
    this.#error ??= error;
  }

  /** The instance is Failed, or cannot be. */
  failed(): void {
    this.#error = undefined;
  }

  // ---- one pump at a time --------------------------------------------------------------------------------

  /** Works on the instance until there is nothing to do now; joins the pump that runs. Never rejects. */
  async pump(): Promise<void> {
    if (this.#isPumping) return this.#running;
    this.#isPumping = true;
    const running = this.#run(this);
    // When the engine has stopped, the pump has ended already.
    if (this.#isPumping) this.#running = running;
    return running;
  }

  /** Called by the pump at its end. */
  pumpEnded(): void {
    this.#isPumping = false;
    this.#running = undefined;
    this.#isSpinning = false;
    for (const resolve of this.#waitingForRest.splice(0)) resolve();
    for (const resolve of this.#waitingForSpin.splice(0)) resolve();
  }

  /** Resolves when no pump runs. */
  async whenAtRest(): Promise<void> {
    while (this.#isPumping)
      await new Promise<void>((resolve) => {
        this.#waitingForRest.push(resolve);
      });
  }

  /**
   * Called by an episode that may never end: its orchestrator continues as new without waiting for anything.
   */
  spins(): void {
    this.#isSpinning = true;
    for (const resolve of this.#waitingForSpin.splice(0)) resolve();
  }

  /** Starts the pump, and resolves when it ends, or when its episode may never end. */
  async pumpUnlessSpinning(): Promise<void> {
    void this.pump();
    if (this.#isPumping && !this.#isSpinning)
      await new Promise<void>((resolve) => {
        this.#waitingForSpin.push(resolve);
      });
  }

  /** Runs tasks one after the other: those that change the hint or the projection. */
  async exclusively(task: () => Promise<void>): Promise<void> {
    const turn = this.#lock.then(task);
    this.#lock = turn.catch(() => {});
    return turn;
  }
}
