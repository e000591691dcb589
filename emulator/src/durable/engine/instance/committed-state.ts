import { awaitedAnswer } from '../../entities/entity-messages.js';
import type { EpisodeResult } from '../../episode/episode.js';
import type {
  EventSent,
  ExecutionStarted,
  HistoryEvent,
  InboundEvent,
  SubOrchestrationInstanceCreated,
  TaskScheduled,
  TimerCreated,
} from '../../history.js';
import { isFinished } from '../../history.js';
import type { CommitToken, InstanceRecord, LoadedInstance } from '../../task-hub.js';

/** A task that was scheduled and has not ended. */
export type OpenTask = TaskScheduled | SubOrchestrationInstanceCreated | TimerCreated;

/** The part of an episode's result that an instance keeps. */
export type CommittedResult = Pick<EpisodeResult, 'append' | 'idTaking' | 'awaiting' | 'cancelledTimers'>;

/** The committed state of an instance, as the hub has it, with an index of what is open in its history. */
export class CommittedState {
  #isLoaded = false;
  #record: InstanceRecord | undefined;
  #history: HistoryEvent[] = [];
  #token: CommitToken;
  #idTaking: ReadonlySet<number> | undefined;
  #awaiting: readonly string[] = [];
  readonly #openTasks = new Map<number, OpenTask>();
  readonly #calls = new Map<string, EventSent>();

  /** False before the first load, and after a failure that may have left the hub in another state. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  /** Undefined for an instance of which nothing was committed yet. */
  get record(): InstanceRecord | undefined {
    return this.#record;
  }

  get history(): HistoryEvent[] {
    return this.#history;
  }

  get token(): CommitToken {
    return this.#token;
  }

  /** By the id that the history gave to the task. */
  get openTasks(): ReadonlyMap<number, OpenTask> {
    return this.#openTasks;
  }

  /**
   * Calls of entities and lock requests that are not answered, by the name of the event that will answer
   * them.
   */
  get calls(): ReadonlyMap<string, EventSent> {
    return this.#calls;
  }

  /** See `mayTakeIds`; unknown after a load. */
  get idTaking(): ReadonlySet<number> | undefined {
    return this.#idTaking;
  }

  /** Names of the events that the orchestrator waits for; unknown after a load. */
  get awaiting(): readonly string[] {
    return this.#awaiting;
  }

  /** The start of the current execution. */
  get execution(): ExecutionStarted | undefined {
    return this.#history.find((event): event is ExecutionStarted => event.EventType === 'ExecutionStarted');
  }

  /** Whether the instance was never started, or has ended. */
  get isFinished(): boolean {
    return this.#record === undefined || isFinished(this.#record.runtimeStatus);
  }

  load({ record, history, token }: LoadedInstance): void {
    this.#isLoaded = true;
    this.#record = record;
    this.#history = history;
    this.#token = token;
    this.#idTaking = undefined;
    this.#openTasks.clear();
    this.#calls.clear();
    for (const event of history) this.#index(event);
  }

  unload(): void {
    this.#isLoaded = false;
  }

  /** Takes over a commit. `replaced`: it began a new history. */
  committed(token: CommitToken, replaced: boolean, result: CommittedResult, record: InstanceRecord): void {
    this.#token = token;
    this.#record = record;
    this.#idTaking = result.idTaking;
    this.#awaiting = result.awaiting;
    if (replaced) {
      this.#history = [];
      this.#openTasks.clear();
      this.#calls.clear();
    }
    for (const event of result.append) {
      this.#history.push(event);
      this.#index(event);
    }
    for (const id of result.cancelledTimers) this.#openTasks.delete(id);
  }

  /** Takes over a commit that changed neither history nor record. */
  renewToken(token: CommitToken): void {
    this.#token = token;
  }

  /** Removes the task or call that an event ends: a second event of the kind is not wanted any more. */
  close(event: HistoryEvent): void {
    switch (event.EventType) {
      case 'TaskCompleted':
      case 'TaskFailed':
      case 'SubOrchestrationInstanceCompleted':
      case 'SubOrchestrationInstanceFailed':
        this.#openTasks.delete(event.TaskScheduledId);
        break;
      case 'TimerFired':
        this.#openTasks.delete(event.TimerId);
        break;
      case 'EventRaised':
        this.#calls.delete(event.Name);
        break;
      default:
        break;
    }
  }

  /**
   * Whether an event means something to an orchestration in this state. `executionId`: the execution that it
   * is for.
   */
  wants(event: InboundEvent, executionId: string | undefined): boolean {
    const record = this.#record;
    if (event.EventType === 'GenericEvent' && event.Rewind !== undefined) {
      const { id } = event.Rewind;
      return (
        record?.runtimeStatus === 'Failed' &&
        !this.#history.some((past) => past.EventType === 'GenericEvent' && past.Rewind?.id === id)
      );
    }
    if (event.EventType === 'ExecutionStarted') return this.isFinished && !this.beganWith(event);
    if (this.isFinished || (executionId !== undefined && executionId !== record!.executionId)) return false;
    switch (event.EventType) {
      case 'TaskCompleted':
      case 'TaskFailed':
        return this.#openTasks.get(event.TaskScheduledId)?.EventType === 'TaskScheduled';
      case 'SubOrchestrationInstanceCompleted':
      case 'SubOrchestrationInstanceFailed':
        return this.#openTasks.get(event.TaskScheduledId)?.EventType === 'SubOrchestrationInstanceCreated';
      case 'TimerFired':
        return this.#openTasks.get(event.TimerId)?.EventType === 'TimerCreated';
      // An entity's answer is for one execution. An event that a client raised is for whichever execution is
      // current.
      case 'EventRaised':
        return executionId === undefined || this.#calls.has(event.Name);
      default:
        return true;
    }
  }

  /**
   * Whether the instance began with this start, perhaps some executions ago. A parent repeats the start of
   * its sub-orchestration when it is loaded after a crash.
   */
  beganWith({ OrchestrationInstance: { ExecutionId }, ParentInstance: by }: ExecutionStarted): boolean {
    const record = this.#record;
    if (record === undefined || record.executionId === ExecutionId) return record !== undefined;
    return (
      by !== null &&
      record.parent?.TaskScheduleId === by.TaskScheduleId &&
      record.parent.OrchestrationInstance.ExecutionId === by.OrchestrationInstance.ExecutionId
    );
  }

  /** Whether the app chose the id of a sub-orchestration. Then an instance of that id may exist already. */
  isGivenId(child: SubOrchestrationInstanceCreated): boolean {
    return child.InstanceId !== `${this.#record!.executionId}:${child.EventId}`;
  }

  #index(event: HistoryEvent): void {
    if (
      event.EventType === 'TaskScheduled' ||
      event.EventType === 'SubOrchestrationInstanceCreated' ||
      event.EventType === 'TimerCreated'
    ) {
      this.#openTasks.set(event.EventId, event);
    } else if (event.EventType === 'EventSent') {
      const answer = awaitedAnswer(event);
      if (answer !== undefined) this.#calls.set(answer, event);
    } else {
      this.close(event);
    }
  }
}
