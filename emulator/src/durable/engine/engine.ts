import { randomUUID } from 'node:crypto';
import type { Log } from '../../log.js';
import { Semaphore } from '../../parallel.js';
import type { DurableClient, PurgeFilter, RequestResult, StartRequest } from '../client.js';
import { InvalidStateError, UnknownFunctionError } from '../client.js';
import type { Clock } from '../clock.js';
import {
  entityInstanceId,
  isEntity,
  NEVER,
  requestMessage,
  type EntityId,
} from '../entities/entity-messages.js';
import type { Answer } from '../episode/actions.js';
import { isFinished, type HistoryEvent, type InboundEvent, type JsonText } from '../history.js';
import type { DurableFunctions } from '../protocol/functions.js';
import { DEFAULT_SETTINGS, type DurableSettings } from '../settings.js';
import type { InstancePage, InstanceQuery, InstanceRecord, TaskHub } from '../task-hub.js';
import { Batches } from './batches.js';
import { Commits } from './commits.js';
import { EntityBatches } from './entity-batches.js';
import { Episodes } from './episodes.js';
import { Inspection } from './inspection.js';
import { Instances } from './instances.js';
import type { ReplayOptions } from './kept-runs.js';
import { Mail } from './mail.js';
import { rewindRequest } from './messages.js';
import { Orchestrators } from './orchestrators.js';
import { Projections } from './projections.js';
import { Pump } from './pump.js';
import { Purges } from './purges.js';
import { Reads } from './reads.js';
import { Recovery } from './recovery.js';
import { CATEGORY, Runtime } from './runtime.js';
import type { OrchestrationSpans } from './spans.js';
import { Starts } from './starts.js';
import { TaskRunner, type SendHttp } from './tasks.js';

export interface EngineOptions {
  hub: TaskHub;
  clock: Clock;
  /** The app's Durable functions. */
  sdk: DurableFunctions;
  log: Log;
  /** Ends an instance as Failed where production would leave it hanging. */
  strict?: boolean;
  /** Writes spans of what orchestrations do, and gives their functions their place in a trace. */
  spans?: OrchestrationSpans | undefined;
  /**
   * Wraps the run of an orchestrator function. The test environment runs it twice and compares the answers.
   */
  replay?: (instanceId: string, run: () => Promise<Answer>) => Promise<Answer>;
  /** How long histories are replayed. Default: in full up to some hundreds of events. */
  replays?: ReplayOptions;
  /** Gives each event an episode of its own, so that every state of a history is replayed once. */
  oneEventAnEpisode?: boolean;
  /** How many idle instances stay in memory. */
  maxIdle?: number;
  settings?: Partial<DurableSettings>;
  /** Makes the requests of `callHttp`. Default: over the network. */
  sendHttp?: SendHttp;
  /** Called when the hub belongs to this engine, before its instances continue. */
  opened?: () => Promise<void>;
}

/**
 * The Durable extension: takes messages, runs episodes, commits them, and carries out what follows from them.
 *
 * Each instance has one pump at a time. A message that was accepted is in the hub. The effects of an episode
 * count from its commit on. What follows from a commit (activities, timers, messages to others) can be
 * derived from the history, and is started again when an instance is loaded. A hint in the hub makes a
 * restarted engine load an instance.
 */
export class Engine implements DurableClient {
  /** What a developer looks at. */
  readonly inspection: Inspection;
  readonly #runtime: Runtime;
  readonly #functions: DurableFunctions;
  readonly #instances: Instances;
  readonly #mail: Mail;
  readonly #projections: Projections;
  readonly #recovery: Recovery;
  readonly #reads: Reads;
  readonly #starts: Starts;
  readonly #purges: Purges;
  readonly #opened: () => Promise<void>;

  constructor(options: EngineOptions) {
    const { hub, clock, sdk, log, strict = false, spans, replay, oneEventAnEpisode = false } = options;
    const settings = { ...DEFAULT_SETTINGS, ...options.settings };
    const runtime = new Runtime({ hub, clock, log, settings, strict, spans });
    const orchestrators = new Orchestrators({
      sdk,
      log,
      strict,
      replay,
      replays: options.replays ?? { inFullUpTo: 256 },
      settings,
      now: () => runtime.time(),
    });
    const instances = new Instances(runtime, (instance) => pump.run(instance), options.maxIdle);
    const mail = new Mail(runtime, instances);
    const tasks = new TaskRunner(runtime, mail, sdk, options.sendHttp);
    const commits = new Commits(runtime, mail);
    const projections = new Projections(runtime, instances);
    const orchestratorPlaces = new Semaphore(settings.maxConcurrentOrchestrators);
    const pump = new Pump({
      runtime,
      instances,
      mail,
      tasks,
      commits,
      projections,
      orchestrators,
      batches: new Batches(runtime, instances, mail, orchestrators, oneEventAnEpisode),
      episodes: new Episodes(runtime, commits, tasks, orchestrators, () => orchestratorPlaces.yieldPlace()),
      entityBatches: new EntityBatches(runtime, commits, mail, sdk, orchestrators),
      orchestratorPlaces,
    });
    this.#runtime = runtime;
    this.#functions = sdk;
    this.#instances = instances;
    this.#mail = mail;
    this.#projections = projections;
    this.#recovery = new Recovery(runtime, instances);
    this.#reads = new Reads(runtime, instances, projections, this.#recovery);
    this.inspection = new Inspection(runtime, instances, this.#reads, orchestrators);
    this.#starts = new Starts(runtime, mail, this.#reads, sdk);
    this.#purges = new Purges(runtime, instances, this.#reads);
    this.#opened = options.opened ?? (async () => {});
  }

  get taskHubName(): string {
    return this.#runtime.hub.name;
  }

  /**
   * Opens the hub and resumes the instances that had work to do.
   * @param lost called when another owner has taken the hub; the engine has stopped then
   * @throws HubUnavailableError
   */
  async start(lost: (reason: Error) => void = () => {}): Promise<void> {
    await this.#runtime.hub.open((reason) => {
      this.#runtime.stop();
      lost(reason);
    });
    try {
      await this.#opened();
    } catch (error) {
      await this.#runtime.hub.close();
      throw error;
    }
    this.#recovery.start();
  }

  /** Stops after the episodes under way. Activities that still run are run again by the next start. */
  async stop(): Promise<void> {
    this.#runtime.stop();
    await this.#instances.stop();
    await this.#projections.flush().catch(() => {});
    await this.#runtime.hub.close();
  }

  /** Resolves when nothing runs and no message is on its way. */
  async whenQuiet(): Promise<void> {
    await this.#runtime.running.finished();
  }

  /** Whether anything runs, or a message is on its way. */
  get isBusy(): boolean {
    return this.#runtime.running.any;
  }

  /** Calls `listener` with an instance's record after each change. @returns a function that ends that */
  onChange(listener: (record: InstanceRecord) => void): () => void {
    return this.#runtime.onChange(listener);
  }

  /** {@inheritDoc DurableClient.startInstance} */
  startInstance(request: StartRequest): Promise<string> {
    return this.#starts.start(request);
  }

  getRecord(instanceId: string): Promise<InstanceRecord | undefined> {
    return this.#reads.record(instanceId);
  }

  getHistory(instanceId: string): Promise<readonly HistoryEvent[] | undefined> {
    return this.#reads.history(instanceId);
  }

  query(query: InstanceQuery): Promise<InstancePage> {
    return this.#reads.query(query);
  }

  /** The tasks and events that an instance in memory waits for, in words. */
  waitsFor(instanceId: string): string[] {
    return this.#reads.waitsFor(instanceId);
  }

  async raiseEvent(instanceId: string, name: string, input: JsonText): Promise<RequestResult> {
    return this.#send(instanceId, {
      EventType: 'EventRaised',
      EventId: -1,
      Timestamp: this.#runtime.now(),
      Name: name,
      Input: input,
    });
  }

  async terminate(instanceId: string, reason: string | null): Promise<RequestResult> {
    return this.#send(instanceId, {
      EventType: 'ExecutionTerminated',
      EventId: -1,
      Timestamp: this.#runtime.now(),
      Input: reason,
    });
  }

  async suspend(instanceId: string, reason: string | null): Promise<RequestResult> {
    const record = await this.getRecord(instanceId);
    if (record?.runtimeStatus === 'Suspended') {
      throw new InvalidStateError(
        `Cannot suspend the orchestration instance ${instanceId} because instance is in the Suspended state.`,
      );
    }
    return this.#send(instanceId, {
      EventType: 'ExecutionSuspended',
      EventId: -1,
      Timestamp: this.#runtime.now(),
      Reason: reason,
    });
  }

  async resume(instanceId: string, reason: string | null): Promise<RequestResult> {
    return this.#send(instanceId, {
      EventType: 'ExecutionResumed',
      EventId: -1,
      Timestamp: this.#runtime.now(),
      Reason: reason,
    });
  }

  async rewind(instanceId: string, reason: string | null): Promise<RequestResult> {
    return this.#runtime.running.run(async () => {
      const record = await this.getRecord(instanceId);
      if (record === undefined) return 'notFound';
      if (record.runtimeStatus !== 'Failed') return 'gone';
      await this.#mail.post(instanceId, rewindRequest({ id: randomUUID(), reason }, this.#runtime.now()));
      return 'accepted';
    });
  }

  async signalEntity(entity: EntityId, operation: string, input: JsonText): Promise<void> {
    const missing = this.#functions.missing('entity', entity.name.toLowerCase());
    if (missing !== undefined) throw new UnknownFunctionError(missing);
    await this.#runtime.running.run(async () => {
      const request = {
        op: operation,
        signal: true as const,
        ...(input !== null && { input }),
        id: randomUUID(),
        Timestamp: NEVER,
        Predecessor: NEVER,
      };
      await this.#mail.post(entityInstanceId(entity), requestMessage(request, this.#runtime.now()));
    });
  }

  purge(instanceId: string): Promise<'purged' | 'notFound' | 'live'> {
    return this.#purges.purge(instanceId);
  }

  purgeBy(filter: PurgeFilter): Promise<number> {
    return this.#purges.purgeBy(filter);
  }

  /** Sends an event to a live orchestration. */
  async #send(instanceId: string, event: InboundEvent): Promise<RequestResult> {
    return this.#runtime.running.run(async () => {
      const record = await this.getRecord(instanceId);
      if (record === undefined) return 'notFound';
      if (isFinished(record.runtimeStatus)) return 'gone';
      if (isEntity(instanceId)) {
        // Requests to entities are events too. One that a client made up could be anything.
        const what = event.EventType === 'EventRaised' ? `event '${event.Name}'` : event.EventType;
        this.#runtime.log(
          'warning',
          CATEGORY,
          `The ${what} for '${instanceId}' is dropped: an entity takes signals and calls only.`,
        );
      } else {
        await this.#mail.post(instanceId, { id: randomUUID(), event });
      }
      return 'accepted';
    });
  }
}
