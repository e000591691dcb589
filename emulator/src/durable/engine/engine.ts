import { randomUUID } from 'node:crypto';
import type { Log } from '../../log.js';
import { RunningTasks } from '../../running-tasks.js';
import type { Answer } from '../episode/actions.js';
import { BackOff } from './back-off.js';
import type { DurableClient, Outcome, StartRequest } from '../client.js';
import { InstanceExistsError, InvalidStateError, UnknownFunctionError } from '../client.js';
import type { Cancel, Clock } from '../clock.js';
import type { EntityId, Outgoing } from '../entities/entity-messages.js';
import {
  entityInstanceId,
  isEntity,
  NEVER,
  releaseLocks,
  requestMessage,
} from '../entities/entity-messages.js';
import { runEntityBatch } from '../entities/entity.js';
import type { EpisodeOutcome } from '../episode/episode.js';
import type {
  ExecutionStarted,
  HistoryEvent,
  InboundEvent,
  JsonText,
  RuntimeStatus,
  SubOrchestrationInstanceCreated,
  TaskScheduled,
  TimerCreated,
} from '../history.js';
import { isFinished, timestamp } from '../history.js';
import { HTTP_ACTIVITY, type HttpAnswer, type HttpCall } from '../http/http-call.js';
import { runHttpActivity, sendHttp } from '../http/http-client.js';
import { Instance } from './instance.js';
import type { CommittedOutcome, Pending } from './instance.js';
import { endOf, failureOf, rewindRequest, startOf } from './messages.js';
import {
  continuedExecution,
  derivedGuid,
  mayTakeIds,
  nothingToDo,
  orchestratorStarted,
} from '../episode/orchestration.js';
import { CATEGORY, Orchestrators } from './orchestrators.js';
import { reasonOf, recordAfter } from './records.js';
import { rewindOfChild, rewoundHistory } from './rewind.js';
import type { ActivityResult, DurableFunctions } from '../protocol/functions.js';
import { Semaphore } from './semaphore.js';
import type { DurableSettings } from '../settings.js';
import { DEFAULT_SETTINGS } from '../settings.js';
import type { OrchestrationSpans } from './spans.js';
import type { Commit, InstancePage, InstanceQuery, InstanceRecord, Message, TaskHub } from '../task-hub.js';
import { MAX_CONSUMED } from '../task-hub.js';

export interface EngineOptions {
  hub: TaskHub;
  clock: Clock;
  sdk: DurableFunctions;
  log: Log;
  /** Ends an instance as Failed where production would leave it hanging. */
  strict?: boolean;
  /** Tells of what orchestrations do, and hands their functions the trace that they are in. */
  spans?: OrchestrationSpans | undefined;
  /** Wraps the run of an orchestrator function: the test environment runs it twice and compares. */
  replay?: (instanceId: string, run: () => Promise<Answer>) => Promise<Answer>;
  /** Delivers events one an episode, so that every state of a history is replayed once. */
  oneEventAnEpisode?: boolean;
  /** How many idle instances stay in memory. */
  maxIdle?: number;
  settings?: Partial<DurableSettings>;
  /** Makes the requests of `callHttp`. Default: over the network. */
  sendHttp?: (call: HttpCall, instanceId: string) => Promise<HttpAnswer>;
}

interface Batch {
  inbound: InboundEvent[];
  /** Ids of the messages that end with this batch, dropped ones included. */
  consumed: string[];
  taken: Pending[];
}

/** An instance that is not in memory but will have to be looked at. */
interface Parked {
  due: number;
  cancel: Cancel;
  recover: boolean;
}

/** Of how many instances outside memory the record is kept: at half a kilobyte each, some ten megabytes. */
const MAX_RECORDS = 20_000;
/** How many instances are loaded at once, e.g. after a restart. */
const MAX_LOADING = 32;

/**
 * The Durable extension: takes messages, runs episodes, commits them, and does what they ask for.
 *
 * Each instance has one pump at a time. What came in and was acknowledged is in the hub; what an episode leads to counts
 * from its commit on; what follows from a commit (activities, timers, messages to others) can be told from the history
 * and is taken up again when an instance is loaded. A hint in the hub makes a restarted engine look at an instance.
 */
export class Engine implements DurableClient {
  readonly #options: EngineOptions;
  readonly #hub: TaskHub;
  readonly #clock: Clock;
  readonly #instances = new Map<string, Instance>();
  readonly #idle = new Map<string, Instance>();
  readonly #parked = new Map<string, Parked>();
  /** What is being started under an id that somebody chose. */
  readonly #starting = new Map<string, Promise<string>>();
  /** Records of instances that rest outside memory. We are the hub's only writer, so they hold until the instance is loaded. */
  readonly #records = new Map<string, InstanceRecord>();
  readonly #listeners = new Set<(record: InstanceRecord) => void>();
  readonly #settings: DurableSettings;
  readonly #activities: Semaphore;
  readonly #episodes: Semaphore;
  readonly #entities: Semaphore;
  readonly #loads = new Semaphore(MAX_LOADING);
  readonly #orchestrators: Orchestrators;
  readonly #backOff: BackOff;
  readonly #running = new RunningTasks();
  #stopped = false;
  #scanned: Promise<void> = Promise.resolve();
  #hasScanned = false;
  #lastTime = 0;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#hub = options.hub;
    this.#clock = options.clock;
    this.#backOff = new BackOff(options.log, CATEGORY);
    this.#settings = { ...DEFAULT_SETTINGS, ...options.settings };
    this.#activities = new Semaphore(this.#settings.maxConcurrentActivities);
    this.#episodes = new Semaphore(this.#settings.maxConcurrentOrchestrators);
    this.#entities = new Semaphore(this.#settings.maxConcurrentEntities);
    const { sdk, log, strict = false, replay } = options;
    this.#orchestrators = new Orchestrators({
      sdk,
      log,
      strict,
      replay,
      settings: this.#settings,
      now: () => this.#time(),
    });
  }

  get taskHubName(): string {
    return this.#hub.name;
  }

  /** Takes the hub and goes on with what was under way. @throws HubUnavailableError */
  async start(lost: (reason: Error) => void = () => {}): Promise<void> {
    await this.#hub.open((reason) => {
      this.#stopped = true;
      lost(reason);
    });
    this.#scanned = this.#work(() => this.#scan());
  }

  async #scan(): Promise<void> {
    await this.#retrying('reading what was under way', async () => {
      for await (const page of this.#hub.hints()) {
        for (const { instanceId, due } of page) {
          if (this.#instances.has(instanceId) || this.#parked.has(instanceId)) {
            void this.#work(() =>
              this.#retrying(`a second hint to '${instanceId}'`, () => this.#mergeHint(instanceId, due)),
            );
            continue;
          }
          this.#park(instanceId, due, true);
          if (due <= this.#clock.now()) this.#wake(instanceId);
        }
      }
      this.#hasScanned = true;
    });
  }

  /** Stops after the episodes under way; activities that still run are run again by the next start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const { cancel } of this.#parked.values()) cancel();
    for (const instance of this.#instances.values()) instance.cancelTimers();
    await Promise.all([...this.#instances.values()].map((instance) => instance.whenAtRest()));
    await this.#flush().catch(() => {});
    await this.#hub.close();
  }

  /** Resolves when nothing runs and nothing is on its way: only time, or somebody outside, can bring more. */
  async whenQuiet(): Promise<void> {
    await this.#running.finished();
  }

  /** Whether anything runs or is on its way. */
  get isBusy(): boolean {
    return this.#running.any;
  }

  /** Calls `listener` with an instance's record after each change. @returns how to stop that. */
  onChange(listener: (record: InstanceRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  // ---- what can be asked from outside -----------------------------------------------------------------------------

  /**
   * Starts an instance. Of several starts of one id at once, one is made and all are answered alike, as by the provider.
   * @returns its id
   * @throws UnknownFunctionError, InstanceExistsError
   */
  startInstance(request: StartRequest): Promise<string> {
    const { instanceId } = request;
    if (instanceId === undefined) return this.#start(request);
    const starting =
      this.#starting.get(instanceId) ??
      this.#start(request).finally(() => {
        this.#starting.delete(instanceId);
      });
    this.#starting.set(instanceId, starting);
    return starting;
  }

  async #start(request: StartRequest): Promise<string> {
    const missing =
      request.known === true ? this.#options.sdk.missing('orchestration', request.name) : undefined;
    if (missing !== undefined) throw new UnknownFunctionError(missing);
    return this.#work(async () => {
      const existing =
        request.instanceId === undefined ? undefined : await this.getRecord(request.instanceId);
      const instanceId = request.instanceId ?? randomUUID().replaceAll('-', '');
      if (
        existing !== undefined &&
        !isFinished(existing.runtimeStatus) &&
        this.#settings.overridableStates === 'NonRunningStates'
      ) {
        throw new InstanceExistsError(existing.runtimeStatus);
      }
      const event: ExecutionStarted = {
        EventType: 'ExecutionStarted',
        EventId: -1,
        Timestamp: this.#now(),
        Name: request.name,
        Version: request.version ?? this.#settings.defaultVersion,
        Input: request.input,
        OrchestrationInstance: { InstanceId: instanceId, ExecutionId: randomUUID() },
        ParentInstance: null,
        Generation:
          existing === undefined ? 0 : existing.generation === undefined ? null : existing.generation + 1,
      };
      this.#options.spans?.started(event, request.trace);
      await this.#post(
        instanceId,
        { id: `start-${event.OrchestrationInstance.ExecutionId}`, event },
        request.instanceId === undefined,
      );
      return instanceId;
    });
  }

  async getRecord(instanceId: string): Promise<InstanceRecord | undefined> {
    await this.#scanned;
    if (!this.#instances.has(instanceId)) {
      const resting = this.#records.get(instanceId);
      if (resting !== undefined) return resting;
      if (!this.#parked.has(instanceId)) return this.#hub.getRecord(instanceId);
    }
    const instance = this.#instance(instanceId);
    if (!instance.loaded) await this.#pump(instance);
    return instance.currentRecord;
  }

  async getHistory(instanceId: string): Promise<readonly HistoryEvent[] | undefined> {
    if ((await this.getRecord(instanceId)) === undefined) return undefined;
    const instance = this.#instances.get(instanceId);
    return instance?.loaded === true ? instance.history : (await this.#hub.load(instanceId)).history;
  }

  /** What an instance in memory waits for, in words: for whoever wonders why it does not go on. */
  waitsFor(instanceId: string): string[] {
    const instance = this.#instances.get(instanceId);
    if (instance === undefined) return [];
    return [
      ...instance.awaiting.map((name) => `the event '${name}'`),
      ...[...instance.calls.values()].map(({ InstanceId }) => `the entity '${InstanceId}'`),
      ...[...instance.open.values()].map((task) =>
        task.EventType === 'TimerCreated'
          ? `a timer that fires at ${task.FireAt}`
          : task.EventType === 'TaskScheduled'
            ? `the activity '${task.Name}'`
            : `the sub-orchestration '${task.Name}' (${task.InstanceId})`,
      ),
    ];
  }

  async query(query: InstanceQuery): Promise<InstancePage> {
    await this.#scanned;
    // What was just started has no record before its first episode.
    await Promise.all(
      [...this.#instances.values()]
        .filter(({ record, queue, taken }) => record === undefined && queue.length + taken.length > 0)
        .map((instance) => this.#pump(instance)),
    );
    await this.#flush();
    return this.#hub.query(query);
  }

  async raiseEvent(instanceId: string, name: string, input: JsonText): Promise<Outcome> {
    return this.#tell(instanceId, {
      EventType: 'EventRaised',
      EventId: -1,
      Timestamp: this.#now(),
      Name: name,
      Input: input,
    });
  }

  async terminate(instanceId: string, reason: string | null): Promise<Outcome> {
    return this.#tell(instanceId, {
      EventType: 'ExecutionTerminated',
      EventId: -1,
      Timestamp: this.#now(),
      Input: reason,
    });
  }

  async suspend(instanceId: string, reason: string | null): Promise<Outcome> {
    const record = await this.getRecord(instanceId);
    if (record?.runtimeStatus === 'Suspended') {
      throw new InvalidStateError(
        `Cannot suspend the orchestration instance ${instanceId} because instance is in the Suspended state.`,
      );
    }
    return this.#tell(instanceId, {
      EventType: 'ExecutionSuspended',
      EventId: -1,
      Timestamp: this.#now(),
      Reason: reason,
    });
  }

  async resume(instanceId: string, reason: string | null): Promise<Outcome> {
    return this.#tell(instanceId, {
      EventType: 'ExecutionResumed',
      EventId: -1,
      Timestamp: this.#now(),
      Reason: reason,
    });
  }

  async rewind(instanceId: string, reason: string | null): Promise<Outcome> {
    return this.#work(async () => {
      const record = await this.getRecord(instanceId);
      if (record === undefined) return 'notFound';
      if (record.runtimeStatus !== 'Failed') return 'gone';
      await this.#post(instanceId, rewindRequest({ id: randomUUID(), reason }, this.#now()), false);
      return 'accepted';
    });
  }

  async signalEntity(entity: EntityId, operation: string, input: JsonText): Promise<void> {
    const missing = this.#options.sdk.missing('entity', entity.name.toLowerCase());
    if (missing !== undefined) throw new UnknownFunctionError(missing);
    await this.#work(async () => {
      const request = {
        op: operation,
        signal: true as const,
        ...(input !== null && { input }),
        id: randomUUID(),
        Timestamp: NEVER,
        Predecessor: NEVER,
      };
      await this.#post(entityInstanceId(entity), requestMessage(request, this.#now()), false);
    });
  }

  async purge(instanceId: string): Promise<'purged' | 'notFound' | 'live'> {
    return this.#work(async () => {
      const record = await this.getRecord(instanceId);
      if (record === undefined) return 'notFound';
      // An entity always runs.
      if (!isFinished(record.runtimeStatus) && !isEntity(instanceId)) return 'live';
      const instance = this.#instance(instanceId);
      await instance.whenAtRest();
      let outcome: 'purged' | 'live' = 'live';
      await instance.exclusively(async () => {
        // Somebody may be starting it again. Who comes later waits until it is gone.
        if (instance.isInUse) return;
        await this.#hub.purge(instanceId);
        outcome = 'purged';
        if (instance.isInUse) instance.unload();
        else this.#forget(instance);
      });
      return outcome;
    });
  }

  async purgeBy(filter: {
    createdTimeFrom: number;
    createdTimeTo?: number;
    runtimeStatus?: readonly RuntimeStatus[];
  }): Promise<number> {
    // As in production only what is finished can be asked for, and without that everything is.
    const runtimeStatus = (filter.runtimeStatus ?? []).filter(isFinished);
    let purged = 0;
    let spared = 0;
    for (let from: string | undefined; ;) {
      const page = await this.query({
        ...filter,
        runtimeStatus,
        top: 100,
        ...(from !== undefined && { from }),
      });
      for (const record of page.records) {
        if (!isFinished(record.runtimeStatus)) spared++;
        else if ((await this.purge(record.instanceId)) === 'purged') purged++;
      }
      if (page.next === undefined) break;
      from = page.next;
    }
    if (spared > 0) {
      this.#options.log(
        'warning',
        CATEGORY,
        `A purge by time left ${spared} live ${spared === 1 ? 'instance' : 'instances'} alone. Production purges these, too: name the runtimeStatus of what is to go.`,
      );
    }
    return purged;
  }

  async #tell(instanceId: string, event: InboundEvent): Promise<Outcome> {
    return this.#work(async () => {
      const record = await this.getRecord(instanceId);
      if (record === undefined) return 'notFound';
      if (isFinished(record.runtimeStatus)) return 'gone';
      if (isEntity(instanceId)) {
        // Raised by hand, the events by which entities are called could be anything.
        const what = event.EventType === 'EventRaised' ? `event '${event.Name}'` : event.EventType;
        this.#options.log(
          'warning',
          CATEGORY,
          `The ${what} for '${instanceId}' is dropped: an entity hears signals and calls only.`,
        );
      } else {
        await this.#post(instanceId, { id: randomUUID(), event }, false);
      }
      return 'accepted';
    });
  }

  // ---- messages ---------------------------------------------------------------------------------------------------

  /** Makes a message durable and takes it up. `fresh`: the target's id was made just now, so there is nothing to load. */
  async #post(instanceId: string, message: Message, fresh: boolean): Promise<void> {
    return this.#postAll(instanceId, [message], fresh);
  }

  /** As {@link #post}; they are taken up together. */
  async #postAll(instanceId: string, messages: readonly Message[], fresh: boolean): Promise<void> {
    const instance = this.#instance(instanceId);
    if (fresh && !instance.loaded) instance.take(this.#hub.fresh());
    for (const { id } of messages) instance.posting.push(id);
    try {
      await this.#placeHint(instance);
      for (const message of messages) await this.#hub.post(instanceId, message);
      for (const { id: messageId, ...pending } of messages) instance.enqueue({ ...pending, messageId });
    } catch (error) {
      instance.doubtful = true;
      throw error;
    } finally {
      for (const { id } of messages) instance.posted(id);
      void this.#pump(instance);
    }
  }

  /** Sends what an episode of `sender` leads to. Until it has arrived the sender's own hint stays. */
  #send(sender: Instance, instanceId: string, message: Message, fresh: boolean): void {
    sender.deliveries++;
    let first = fresh;
    void this.#work(async () => {
      await this.#retrying(`a message to '${instanceId}'`, async () => {
        const unseen = first;
        first = false;
        await this.#post(instanceId, message, unseen);
      });
      sender.deliveries--;
      await this.#pump(sender);
    });
  }

  /** Sends what entities are sent, or answer: to each target in order, to all of them at once. The sender's next commit waits for it. */
  #deliver(sender: Instance, outgoing: readonly Outgoing[]): void {
    if (outgoing.length === 0) return;
    sender.deliveries++;
    // What was being sent before its sender was read anew may arrive yet.
    const before = sender.delivered;
    sender.delivered = this.#work(async () => {
      const arrived = await Promise.all(
        [...Map.groupBy(outgoing, ({ to }) => to)].map(([to, sent]) => {
          const messages = sent.map(({ message }) =>
            isEntity(to) ? { ...message, sender: sender.id } : message,
          );
          return this.#retrying(`a message to '${to}'`, () => this.#postAll(to, messages, false));
        }),
      );
      sender.deliveries--;
      void this.#pump(sender);
      return !arrived.includes(false) && (await before);
    });
  }

  /** Whether a message that has come may come once more: its sender has not got further, or nobody knows. */
  #mayComeAgain(messageId: string, sender: string): boolean {
    const instance = this.#instances.get(sender);
    if (instance === undefined) return !this.#hasScanned || this.#parked.get(sender)?.recover === true;
    return !instance.loaded || instance.outbox.some(({ message }) => message.id === messageId);
  }

  // ---- instances in memory ----------------------------------------------------------------------------------------

  #instance(instanceId: string): Instance {
    let instance = this.#instances.get(instanceId);
    if (instance === undefined) {
      instance = new Instance(instanceId);
      this.#instances.set(instanceId, instance);
      this.#records.delete(instanceId);
      const parked = this.#parked.get(instanceId);
      // Before all hints are read, any instance may be one that a dead engine has left.
      instance.recover = !this.#hasScanned;
      if (parked !== undefined) {
        parked.cancel();
        this.#parked.delete(instanceId);
        instance.hint = parked.due;
        instance.recover = parked.recover;
      }
    }
    this.#idle.delete(instanceId);
    return instance;
  }

  #park(instanceId: string, due: number, recover: boolean): void {
    this.#parked.set(instanceId, {
      due,
      recover,
      cancel: this.#clock.schedule(due, () => this.#wake(instanceId)),
    });
  }

  #wake(instanceId: string): void {
    if (!this.#stopped) void this.#pump(this.#instance(instanceId));
  }

  #forget(instance: Instance): void {
    instance.cancelTimers();
    this.#instances.delete(instance.id);
    this.#idle.delete(instance.id);
  }

  /** Keeps the most recently used idle instances; the others are read again when something comes for them. */
  #rest(instance: Instance): void {
    this.#idle.set(instance.id, instance);
    if (this.#idle.size <= (this.#options.maxIdle ?? 200)) return;
    const oldest = this.#idle.values().next().value!;
    const due = oldest.nextTimer;
    this.#forget(oldest);
    this.#records.set(oldest.id, oldest.record!);
    if (this.#records.size > MAX_RECORDS) this.#records.delete(this.#records.keys().next().value!);
    if (due !== undefined) this.#park(oldest.id, due, false);
  }

  // ---- the pump ---------------------------------------------------------------------------------------------------

  /** Works on an instance until nothing is left to do now. One at a time per instance; joins the one that runs. */
  async #pump(instance: Instance): Promise<void> {
    if (instance.running === undefined) {
      this.#idle.delete(instance.id);
      instance.running = this.#work(() => this.#pumpUntilIdle(instance));
    }
    return instance.running;
  }

  async #pumpUntilIdle(instance: Instance): Promise<void> {
    const what = `instance '${instance.id}'`;
    while (!this.#stopped) {
      try {
        if (!instance.loaded || instance.doubtful) await this.#load(instance);
        // What comes for an instance that is left alone stays where it is.
        const rejected = this.#isLeftAlone(instance);
        const batch = rejected ? undefined : this.#takeBatch(instance);
        if (batch !== undefined) {
          await (isEntity(instance.id) ? this.#entities : this.#episodes).run(() =>
            this.#episode(instance, batch),
          );
          instance.taken = [];
        } else {
          await this.#settle(instance);
          // No turn of the event loop between this look and the end: what comes later starts a pump of its own.
          if (!instance.hasMore || rejected) break;
        }
        this.#backOff.worked(what);
      } catch (error) {
        instance.unload();
        if (!this.#stopped) await this.#backOff.failed(what, error);
      }
    }
    instance.running = undefined;
    instance.atRest();
    if (this.#stopped) return;
    this.#backOff.worked(what);
    if (instance.record === undefined && !instance.isInUse) this.#forget(instance);
    else if (!instance.isInUse) this.#rest(instance);
  }

  #isLeftAlone({ id, currentRecord: record }: Instance): boolean {
    return (
      record !== undefined &&
      !isEntity(id) &&
      !isFinished(record.runtimeStatus) &&
      this.#orchestrators.rejects(record)
    );
  }

  async #load(instance: Instance): Promise<void> {
    await this.#loads.run(async () => {
      // What raises doubts from here on may not be among what is read.
      instance.doubtful = false;
      instance.take(await this.#hub.load(instance.id));
    });
    if (instance.record === undefined) return;
    if (instance.recover) this.#deliver(instance, instance.outbox);
    if (isFinished(instance.record.runtimeStatus)) {
      if (instance.recover && !instance.isRewinding) this.#tellParent(instance);
    } else {
      this.#takeUp(instance);
    }
    instance.recover = false;
  }

  /** Sets going again what the history says is open. */
  #takeUp(instance: Instance): void {
    const due: TimerCreated[] = [];
    for (const event of instance.open.values()) {
      switch (event.EventType) {
        case 'TaskScheduled':
          this.#runActivity(instance, event);
          break;
        case 'TimerCreated':
          if (Date.parse(event.FireAt) <= this.#clock.now()) due.push(event);
          else this.#armTimer(instance, event);
          break;
        default:
          if (instance.recover) {
            this.#startChild(instance, event, false);
            this.#rewindChild(instance, event);
          }
      }
    }
    // At once: an instance that was loaded for its timer must not be put to rest again before it has fired.
    for (const timer of due.toSorted((a, b) => Date.parse(a.FireAt) - Date.parse(b.FireAt)))
      this.#fireTimer(instance, timer);
  }

  /** The next events that can be processed together, in the order in which they came. */
  #takeBatch(instance: Instance): Batch | undefined {
    const batch: Batch = { inbound: [], consumed: [], taken: [] };
    let alone = false;
    while (instance.queue.length > 0 && batch.consumed.length < MAX_CONSUMED) {
      const next = instance.queue[0]!;
      // What an episode makes of the instance decides whether the next event is wanted.
      if (batch.inbound.length > 0 && !isEntity(instance.id) && (alone || isAlone(next))) break;
      const wanted = instance.wants(next) || this.#takesPlace(instance, next.event);
      if (
        wanted &&
        batch.inbound.length > 0 &&
        !isEntity(instance.id) &&
        (this.#options.oneEventAnEpisode === true || mayTakeIds(next.event, instance.idTaking))
      )
        break;
      instance.queue.shift();
      batch.taken.push(next);
      if (next.messageId !== undefined) batch.consumed.push(next.messageId);
      if (wanted) {
        alone = isAlone(next);
        batch.inbound.push(next.event);
        instance.claim(next.event);
      }
    }
    if (batch.taken.length === 0) return undefined;
    instance.taken = batch.taken;
    return batch;
  }

  /**
   * Whether a start whose id belongs to an instance that runs takes its place, so that its history is written over the other one's
   * and nobody is told, as in the provider. From a client it does only where host.json allows it, from an orchestration always.
   */
  #takesPlace(instance: Instance, start: InboundEvent): boolean {
    if (
      start.EventType !== 'ExecutionStarted' ||
      instance.record === undefined ||
      isFinished(instance.record.runtimeStatus) ||
      instance.began(start)
    )
      return false;
    const caller = start.ParentInstance?.OrchestrationInstance.InstanceId;
    if (caller === undefined) {
      if (this.#settings.overridableStates === 'AnyState') return true;
      this.#options.log(
        'warning',
        CATEGORY,
        `'${instance.id}' was started again while it runs: the second start is dropped, as in production.`,
      );
      return false;
    }
    void this.#work(async () => {
      const parent = this.#instance(caller);
      if (!parent.loaded) await this.#pump(parent);
      if (parent.execution === undefined) return;
      const reason = await this.#orchestrators.complain(
        parent.execution,
        parent.history,
        `The orchestrator calls the sub-orchestrator '${start.Name}' with the id ` +
          `'${instance.id}' while an instance of that id runs. In production the one that runs is lost: the call takes its place. Choose an id that is not in use.`,
      );
      if (reason !== undefined) this.#send(instance, caller, failureOf(start, reason, this.#now()), false);
    });
    return this.#options.strict !== true;
  }

  async #episode(instance: Instance, batch: Batch): Promise<void> {
    const first = batch.inbound[0];
    if (first === undefined) return this.#drop(instance, batch);
    if (isEntity(instance.id)) return this.#entityBatch(instance, batch);
    const starting = first.EventType === 'ExecutionStarted' ? first : undefined;
    let replace = starting !== undefined && instance.history.length > 0;
    let history: HistoryEvent[] = starting === undefined ? instance.history : [];
    const rewind = first.EventType === 'GenericEvent' ? first.Rewind : undefined;
    if (rewind !== undefined) {
      history = rewoundHistory(history, rewind);
      // Only what failed itself goes on now; its parents go on when it has ended.
      if (instance.history.some(({ EventType }) => EventType === 'SubOrchestrationInstanceFailed'))
        return this.#rewindParent(instance, history, batch.consumed);
      batch.inbound[0] = {
        EventType: 'GenericEvent',
        EventId: -1,
        Timestamp: first.Timestamp,
        Data: rewind.reason,
      };
      replace = true;
    }
    let rewound = rewind === undefined ? [] : history;
    let execution = starting ?? instance.execution!;
    let inbound: HistoryEvent[] = [orchestratorStarted(this.#now()), ...batch.inbound];
    const outgoing: Outgoing[] = [];
    let outcome: EpisodeOutcome;
    for (let generation = 1; ; generation++) {
      outcome = await this.#orchestrators.run(execution, history, inbound);
      const late = inbound.filter(
        (event) => event.EventType === 'TimerFired' && outcome.cancelledTimers.has(event.TimerId),
      );
      if (late.length > 0) {
        // The orchestrator cancelled it, in this episode or before a restart: it never fires.
        inbound = inbound.filter((event) => !late.includes(event));
        if (inbound.length === 1 && batch.consumed.length === 0) return;
        continue;
      }
      outgoing.push(...outcome.outgoing, ...this.#releases(instance, execution, history, outcome));
      if (outcome.continueAsNew === undefined || this.#stopped) break;
      if (generation % 100 === 0) {
        if (generation === 100)
          this.#options.log(
            'warning',
            CATEGORY,
            `'${instance.id}' continues as new again and again without waiting for anything.`,
          );
        // Others have their turn, and whoever wants to end it can.
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
        const end = instance.queue.find(({ event }) => event.EventType === 'ExecutionTerminated');
        if (end !== undefined) {
          instance.queue.splice(instance.queue.indexOf(end), 1);
          instance.taken.push(end);
          batch.consumed.push(end.messageId!);
          inbound.push(end.event);
          outcome = await this.#orchestrators.run(execution, history, inbound);
          outgoing.push(...outcome.outgoing);
          break;
        }
      }
      const continued = continuedExecution(
        execution,
        randomUUID().replaceAll('-', ''),
        outcome.continueAsNew.input,
        this.#now(),
      );
      this.#options.spans?.continued(execution, { history, inbound }, continued[1] as ExecutionStarted);
      inbound = continued;
      execution = inbound[1] as ExecutionStarted;
      history = [];
      rewound = [];
      replace = true;
    }
    if (this.#stopped && outcome.continueAsNew !== undefined) throw new Error('The engine is stopping.');

    const record = recordAfter(
      execution,
      inbound,
      outcome,
      instance.record,
      starting === undefined ? (instance.record?.output ?? null) : null,
      this.#now(),
    );
    if (rewound.length > 0) outcome.append = [...rewound, ...outcome.append];
    this.#options.spans?.scheduled(execution, outcome.activities, outcome.subOrchestrations);
    await this.#commit(instance, { replace, consumed: batch.consumed, record }, outcome, outgoing);
    this.#options.spans?.ended(execution, { history, inbound }, outcome.completed?.OrchestrationStatus);

    if (rewound.length > 0 && outcome.completed === undefined) this.#takeUp(instance);
    for (const task of outcome.activities) this.#runActivity(instance, task);
    for (const timer of outcome.timers) this.#armTimer(instance, timer);
    for (const id of outcome.cancelledTimers) instance.cancelTimer(id);
    for (const child of outcome.subOrchestrations)
      this.#startChild(instance, child, !instance.isGivenId(child));
    if (outcome.completed !== undefined) {
      instance.cancelTimers();
      this.#tellParent(instance);
      if (record.runtimeStatus === 'Failed')
        this.#options.log(
          'error',
          CATEGORY,
          `${instance.id}: Function '${record.name} (Orchestrator)' failed with an error. Reason: ${reasonOf(record, outcome)}`,
        );
    }
    for (const listener of this.#listeners) listener(record);
  }

  /** Puts the rewound history of an instance into the place of the failed one, and has its sub-orchestrations rewound. */
  async #rewindParent(instance: Instance, history: HistoryEvent[], consumed: string[]): Promise<void> {
    const record: InstanceRecord = {
      ...instance.record!,
      runtimeStatus: 'Pending',
      lastUpdatedTime: this.#now(),
      completedTime: null,
    };
    await this.#commit(
      instance,
      { replace: true, consumed, record },
      { ...nothingToDo(), append: history },
      [],
    );
    for (const event of instance.open.values())
      if (event.EventType === 'SubOrchestrationInstanceCreated') this.#rewindChild(instance, event);
    this.#takeUp(instance);
    for (const listener of this.#listeners) listener(record);
  }

  async #entityBatch(instance: Instance, { inbound, taken, consumed }: Batch): Promise<void> {
    const { append, record, outgoing, warnings } = await runEntityBatch({
      instanceId: instance.id,
      execution: instance.execution,
      events: inbound,
      maxOperations: this.#settings.maxEntityBatch,
      now: () => this.#time(),
      run: (run) => this.#options.sdk.runEntity(run),
    });
    instance.remember(taken, (messageId, sender) => this.#mayComeAgain(messageId, sender));
    await this.#commit(instance, { replace: true, consumed, record }, { ...nothingToDo(), append }, outgoing);
    for (const warning of warnings) this.#orchestrators.warn(instance.id, warning);
    for (const listener of this.#listeners) listener(record);
  }

  /** What ends the locks of an execution that has ended. */
  #releases(
    instance: Instance,
    { OrchestrationInstance }: ExecutionStarted,
    history: readonly HistoryEvent[],
    outcome: EpisodeOutcome,
  ): Outgoing[] {
    if (outcome.completed === undefined && outcome.continueAsNew === undefined) return [];
    return releaseLocks(
      instance.id,
      [...history, ...outcome.append],
      (target) => derivedGuid(OrchestrationInstance.ExecutionId, 'release', target),
      this.#now(),
    );
  }

  /** Makes an episode count, when all that the one before it sent has arrived, and sends what this one sends. */
  async #commit(
    instance: Instance,
    { replace, consumed, record }: Pick<Commit, 'replace' | 'consumed' | 'record'>,
    outcome: CommittedOutcome,
    outgoing: readonly Outgoing[],
  ): Promise<void> {
    if (!(await instance.delivered)) throw new Error('The engine is stopping.');
    const { id: instanceId, token } = instance;
    const next = await this.#hub.commit({
      instanceId,
      token,
      replace,
      append: outcome.append,
      consumed,
      record,
      memo: instance.memo(outgoing),
    });
    instance.committed(next, replace, outcome, record, outgoing);
    instance.ended(consumed);
    this.#deliver(instance, outgoing);
  }

  /** Ends messages that lead to nothing: for somebody who has finished, or repeated. */
  async #drop(instance: Instance, batch: Batch): Promise<void> {
    if (batch.consumed.length === 0) return;
    if (instance.record === undefined) {
      await instance.exclusively(async () => {
        // A start that is on its way would go, too. What is left then is found and dropped when the instance is read again.
        if (instance.posting.length > 0 || instance.queue.length > 0) return;
        await this.#hub.purge(instance.id);
        instance.unload();
      });
      return;
    }
    await this.#note(instance, instance.record, batch.consumed, instance.outbox);
  }

  /** Commits nothing but that messages are consumed, and what is remembered to have been sent. */
  async #note(
    instance: Instance,
    record: InstanceRecord,
    consumed: readonly string[],
    outbox: readonly Outgoing[],
  ): Promise<void> {
    const { id: instanceId, token } = instance;
    instance.token = await this.#hub.commit({
      instanceId,
      token,
      replace: false,
      append: [],
      consumed,
      record,
      memo: instance.memo(outbox),
    });
    instance.outbox = outbox;
    instance.ended(consumed);
  }

  // ---- what follows from a commit ---------------------------------------------------------------------------------

  #runActivity(instance: Instance, task: TaskScheduled): void {
    const { executionId } = instance.record!;
    if (!instance.beginActivity(executionId, task.EventId)) return;
    void this.#work(async () => {
      const outcome = await this.#activities.run(async () =>
        this.#stopped ? undefined : this.#activity(task, instance.id),
      );
      if (outcome === undefined) return;
      const base = { EventId: -1, Timestamp: this.#now(), TaskScheduledId: task.EventId };
      instance.enqueue({
        executionId,
        event: outcome.ok
          ? { EventType: 'TaskCompleted', ...base, Result: outcome.result }
          : {
              EventType: 'TaskFailed',
              ...base,
              Reason: outcome.reason,
              Details: outcome.details,
              FailureDetails: outcome.failureDetails,
            },
      });
      instance.endActivity(executionId, task.EventId);
      if (!this.#stopped) await this.#pump(instance);
    });
  }

  async #activity(task: TaskScheduled, instanceId: string): Promise<ActivityResult> {
    const { sdk, spans, sendHttp: send = sendHttp } = this.#options;
    const span = spans?.activity(task, instanceId);
    const outcome = await (task.Name === HTTP_ACTIVITY
      ? runHttpActivity(task.Input, (call) => send(call, instanceId))
      : sdk.runActivity(task, instanceId, span?.context));
    span?.end({ failed: !outcome.ok });
    return outcome;
  }

  #armTimer(instance: Instance, timer: TimerCreated): void {
    const { executionId } = instance.record!;
    instance.armTimer(timer, this.#clock, () => {
      if (this.#stopped) return;
      this.#fireTimer(instance, timer, executionId);
      void this.#pump(instance);
    });
  }

  #fireTimer(instance: Instance, timer: TimerCreated, executionId = instance.record!.executionId): void {
    instance.enqueue({
      executionId,
      // Its Timestamp is when the timer was made, as recorded.
      event: {
        EventType: 'TimerFired',
        EventId: -1,
        Timestamp: timer.Timestamp,
        TimerId: timer.EventId,
        FireAt: timer.FireAt,
      },
    });
  }

  /** `fresh`: the child's id is derived from this execution and the call, and it was not sent before. */
  #startChild(instance: Instance, child: SubOrchestrationInstanceCreated, fresh: boolean): void {
    const message = startOf(child, instance.record!);
    this.#options.spans?.sent(instance.execution, child, message.event);
    this.#send(instance, child.InstanceId, message, fresh);
  }

  /** Passes on the last rewinding of an instance to a sub-orchestration that it was for, too. */
  #rewindChild(instance: Instance, child: SubOrchestrationInstanceCreated): void {
    const rewind = rewindOfChild(instance.history, child);
    if (rewind !== undefined)
      this.#send(instance, child.InstanceId, rewindRequest(rewind, this.#now()), false);
  }

  #tellParent(instance: Instance): void {
    const end = endOf(instance.record!);
    if (end !== undefined) this.#send(instance, end.to, end.message, false);
  }

  // ---- hints and projections --------------------------------------------------------------------------------------

  /** Makes sure that a restarted engine would look at the instance now. */
  async #placeHint(instance: Instance): Promise<void> {
    await instance.exclusively(async () => {
      await this.#beSureOfHint(instance);
      const now = this.#clock.now();
      if (instance.hint === undefined || instance.hint > now) await this.#changeHint(instance, now);
    });
  }

  /** Makes one of a hint that was found and what is known of its instance, be it in memory or parked. */
  async #mergeHint(instanceId: string, due: number): Promise<void> {
    const instance = this.#instances.get(instanceId);
    if (instance === undefined) {
      if (this.#parked.get(instanceId)?.due !== due) await this.#hub.hint({ remove: { instanceId, due } });
      return;
    }
    await instance.exclusively(async () => {
      await this.#beSureOfHint(instance);
      if (instance.hint === undefined) instance.hint = due;
      else if (instance.hint !== due) await this.#hub.hint({ remove: { instanceId, due } });
    });
    await this.#pump(instance);
  }

  async #changeHint(instance: Instance, due: number | undefined): Promise<void> {
    instance.hintChange = {
      ...(due !== undefined && { add: { instanceId: instance.id, due } }),
      ...(instance.hint !== undefined && { remove: { instanceId: instance.id, due: instance.hint } }),
    };
    await this.#beSureOfHint(instance);
  }

  /** Makes the last change of the hint once more when it failed: another in its place would leave behind what it may have added. */
  async #beSureOfHint(instance: Instance): Promise<void> {
    const { hintChange } = instance;
    if (hintChange === undefined) return;
    await this.#hub.hint(hintChange);
    instance.hint = hintChange.add?.due;
    instance.hintChange = undefined;
  }

  /** Leaves an instance in order when there is nothing to do for now. */
  async #settle(instance: Instance): Promise<void> {
    if (instance.isWaitingForWork) {
      // An activity or a delivery runs; onlookers should see the instance soon, but not at every step.
      if (instance.dirty) this.#projectLater(instance);
      return;
    }
    const { record, outbox } = instance;
    // What it sent to entities has arrived. After this they need not tell whether it comes again.
    if (record !== undefined && outbox.some(({ to }) => isEntity(to)))
      await this.#note(instance, record, [], []);
    if (instance.dirty) await this.#project(instance);
    await instance.exclusively(async () => {
      const due = instance.nextTimer;
      await this.#beSureOfHint(instance);
      if (instance.hint !== due && instance.posting.length === 0 && !instance.hasMore)
        await this.#changeHint(instance, due);
    });
  }

  #projectLater(instance: Instance): void {
    instance.projection ??= setTimeout(() => {
      instance.projection = undefined;
      if (instance.dirty && !this.#stopped)
        void this.#work(() => this.#retrying('a projection', () => this.#project(instance)));
    }, 500).unref();
  }

  async #project(instance: Instance): Promise<void> {
    await instance.exclusively(async () => {
      const { record } = instance;
      if (record === undefined || !instance.dirty) return;
      await this.#hub.project(record);
      if (instance.record === record) instance.dirty = false;
    });
  }

  async #flush(): Promise<void> {
    await Promise.all(
      [...this.#instances.values()].filter(({ dirty }) => dirty).map((instance) => this.#project(instance)),
    );
  }

  // ---- small things -----------------------------------------------------------------------------------------------

  /** The time as histories see it: never back, whatever the machine's clock does. */
  #time(): number {
    this.#lastTime = Math.max(this.#lastTime, this.#clock.now());
    return this.#lastTime;
  }

  #now(): string {
    return timestamp(this.#time());
  }

  async #work<T>(task: () => Promise<T>): Promise<T> {
    return this.#running.run(task);
  }

  /** @returns false when the engine stopped before it was done. */
  async #retrying(what: string, task: () => Promise<void>): Promise<boolean> {
    while (!this.#stopped) {
      try {
        await task();
        this.#backOff.worked(what);
        return true;
      } catch (error) {
        if (!this.#stopped) await this.#backOff.failed(what, error);
      }
    }
    return false;
  }
}

/**
 * Events that get an episode of their own: their order against others decides what the others mean. A raised event that
 * shared an episode with the one after which its orchestrator continues as new would be lost to the next execution; an
 * entity's answer is for one execution only.
 */
function isAlone({ event, executionId }: Pending): boolean {
  return (
    (event.EventType === 'EventRaised' && executionId === undefined) ||
    event.EventType === 'ExecutionStarted' ||
    event.EventType === 'ExecutionTerminated' ||
    event.EventType === 'ExecutionSuspended' ||
    event.EventType === 'ExecutionResumed' ||
    (event.EventType === 'GenericEvent' && event.Rewind !== undefined)
  );
}
