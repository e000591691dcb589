import { recordReleases, releaseLocks, type Outgoing } from '../entities/entity-messages.js';
import { derivedGuid } from '../derived-guid.js';
import type { EpisodeResult } from '../episode/episode.js';
import {
  continuedExecution,
  emptyResult,
  failedEpisode,
  orchestratorFailure,
  orchestratorStarted,
} from '../episode/results.js';
import type { ExecutionStarted, JsonText, Rewind } from '../history.js';
import { randomGuid } from '../random-guid.js';
import type { InstanceRecord } from '../task-hub.js';
import type { Batch } from './batches.js';
import { beginEpisode, type Episode } from './begun-episode.js';
import type { Commits } from './commits.js';
import type { Instance } from './instance/instance.js';
import type { Orchestrators } from './orchestrators.js';
import { reasonOf, recordAfter } from './records.js';
import { rewoundHistory } from './rewind.js';
import { CATEGORY, EngineStoppedError, type Runtime } from './runtime.js';
import type { TaskRunner } from './tasks.js';

/** How often an orchestrator may continue as new in one go before others get a turn. */
const GENERATIONS = 100;

/** Runs the episodes of orchestrations, from a batch of events to the commit and what follows from it. */
export class Episodes {
  readonly #runtime: Runtime;
  readonly #commits: Commits;
  readonly #tasks: TaskRunner;
  readonly #orchestrators: Orchestrators;
  /** Lets other instances run while one continues as new again and again. */
  readonly #yieldPlace: () => Promise<void>;

  constructor(
    runtime: Runtime,
    commits: Commits,
    tasks: TaskRunner,
    orchestrators: Orchestrators,
    yieldPlace: () => Promise<void>,
  ) {
    this.#runtime = runtime;
    this.#commits = commits;
    this.#tasks = tasks;
    this.#orchestrators = orchestrators;
    this.#yieldPlace = yieldPlace;
  }

  /** @throws StorageFailure, EngineStoppedError */
  async run(instance: Instance, batch: Batch): Promise<void> {
    const { state } = instance;
    const first = batch.inbound[0]!;
    const rewind = first.EventType === 'GenericEvent' ? first.Rewind : undefined;
    // Only the instance that failed itself is resumed now. Its parents are resumed when it has ended.
    if (
      rewind !== undefined &&
      state.history.some(({ EventType }) => EventType === 'SubOrchestrationInstanceFailed')
    )
      return this.#rewindParent(instance, rewind, batch.consumed);
    const episode = beginEpisode(instance.state, batch.inbound, this.#runtime.now());
    const ran = await this.#runGenerations(instance, episode, batch);
    if (ran === undefined) return;
    const { result, outgoing } = ran;
    // Only a start by a client replaces the row of an earlier instance: `SetNewExecutionAsync` of the provider's
    // `AzureTableTrackingStore`. A sub-orchestration merges its values into that row, and null leaves a value.
    const isNew = first.EventType === 'ExecutionStarted' && first.ParentInstance === null;
    const record = recordAfter(
      episode.execution,
      episode.input,
      episode.inbound,
      result,
      state.record,
      isNew ? null : (state.record?.output ?? null),
      this.#runtime.now(),
    );
    await this.#commit(instance, episode, batch.consumed, record, result, outgoing);
  }

  /**
   * Ends an instance as Failed because of a mistake in the emulator, found in this batch or before it.
   * @throws StorageFailure, EngineStoppedError
   */
  async fail(instance: Instance, batch: Batch | undefined, error: unknown): Promise<void> {
    const { state } = instance;
    const inbound = batch?.inbound ?? [];
    const consumed = batch?.consumed ?? [];
    const start = inbound.find((event) => event.EventType === 'ExecutionStarted');
    const execution = start ?? state.execution;
    if (execution === undefined || (start === undefined && state.isFinished))
      return this.#commits.drop(instance, consumed);
    const text = orchestratorFailure(
      execution.Name,
      `The emulator failed: ${error instanceof Error ? error.message : String(error)}`,
    );
    const time = this.#runtime.now();
    const events = [orchestratorStarted(time), ...inbound];
    const result = failedEpisode(events, text, time);
    const input = execution.Input ?? (start === undefined ? (state.record?.input ?? null) : null);
    const record = recordAfter(execution, input, events, result, state.record, null, time);
    const history = start === undefined ? state.history : [];
    const episode: Episode = {
      execution,
      input,
      history,
      inbound: events,
      replace: start !== undefined && state.history.length > 0,
      rewound: [],
    };
    const outgoing = this.#releases(instance, episode, result);
    await this.#commit(instance, episode, consumed, record, result, outgoing);
  }

  /**
   * Runs the orchestrator, and again as long as it continues as new. An execution that sets no custom status shows
   * that of the execution before it until its next episode: `carryOverStatus` of the framework's
   * `TaskOrchestrationDispatcher`.
   * @returns undefined when the batch was nothing but timers that the orchestrator had cancelled
   */
  async #runGenerations(
    instance: Instance,
    episode: Episode,
    batch: Batch,
  ): Promise<{ result: EpisodeResult; outgoing: Outgoing[] } | undefined> {
    const outgoing: Outgoing[] = [];
    let carriedStatus: JsonText = null;
    for (let generation = 1; ; generation++) {
      const result = await this.#orchestrators.run(episode.execution, episode.history, episode.inbound);
      const late = episode.inbound.filter(
        (event) => event.EventType === 'TimerFired' && result.cancelledTimers.has(event.TimerId),
      );
      if (late.length > 0) {
        // The orchestrator cancelled the timer, in this episode or before a restart: it never fires.
        episode.inbound = episode.inbound.filter((event) => !late.includes(event));
        if (episode.inbound.length === 1 && batch.consumed.length === 0) return undefined;
        continue;
      }
      outgoing.push(...result.outgoing, ...this.#releases(instance, episode, result));
      if (result.continueAsNew === undefined) {
        result.customStatus ??= carriedStatus;
        return { result, outgoing };
      }
      carriedStatus = result.customStatus;
      if (this.#runtime.isStopped) throw new EngineStoppedError();
      if (generation % GENERATIONS === 0) {
        if (generation === GENERATIONS)
          this.#runtime.log(
            'warning',
            CATEGORY,
            `'${instance.id}' continues as new again and again without waiting for anything.`,
          );
        instance.spins();
        // Other work gets a turn, and a client can end the instance.
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
        await this.#yieldPlace();
        const termination = instance.inbox.takeTermination();
        if (termination !== undefined) {
          batch.consumed.push(termination.messageId!);
          episode.inbound.push(termination.event);
          const ended = await this.#orchestrators.run(episode.execution, episode.history, episode.inbound);
          outgoing.push(...ended.outgoing);
          return { result: ended, outgoing };
        }
      }
      this.#continueAsNew(episode, result.continueAsNew.input);
    }
  }

  #continueAsNew(episode: Episode, input: string | null): void {
    const { execution, history, inbound } = episode;
    const continued = continuedExecution(
      execution,
      randomGuid().replaceAll('-', ''),
      input,
      this.#runtime.now(),
    );
    const next = continued[1] as ExecutionStarted;
    this.#runtime.spans?.continued(execution, { history, inbound }, next);
    episode.execution = next;
    episode.input = input ?? episode.input;
    episode.history = [];
    episode.inbound = continued;
    episode.replace = true;
    episode.rewound = [];
  }

  /** Commits an episode, and carries out what follows from it. */
  async #commit(
    instance: Instance,
    { execution, history, inbound, replace, rewound }: Episode,
    consumed: string[],
    record: InstanceRecord,
    result: EpisodeResult,
    outgoing: readonly Outgoing[],
  ): Promise<void> {
    const { spans } = this.#runtime;
    if (rewound.length > 0) result.append = [...rewound, ...result.append];
    spans?.scheduled(execution, result.activities, result.subOrchestrations);
    await this.#commits.commit(instance, { replace, consumed, record }, result, outgoing);
    spans?.ended(execution, { history, inbound }, result.completed?.OrchestrationStatus);

    if (rewound.length > 0 && result.completed === undefined) this.#tasks.resume(instance);
    for (const task of result.activities) this.#tasks.runActivity(instance, task);
    for (const timer of result.timers) this.#tasks.startTimer(instance, timer);
    for (const id of result.cancelledTimers) instance.work.cancelTimer(id);
    for (const child of result.subOrchestrations)
      this.#tasks.startChild(instance, child, !instance.state.isGivenId(child));
    if (result.completed !== undefined) {
      instance.work.cancelTimers();
      this.#tasks.notifyParent(instance);
      if (record.runtimeStatus === 'Failed')
        this.#runtime.log(
          'error',
          CATEGORY,
          `${instance.id}: Function '${record.name} (Orchestrator)' failed with an error. Reason: ${reasonOf(record, result)}`,
        );
    }
    this.#runtime.changed(record);
  }

  /**
   * Replaces the failed history of an instance with the rewound one, and has its sub-orchestrations rewound.
   */
  async #rewindParent(instance: Instance, rewind: Rewind, consumed: string[]): Promise<void> {
    const record: InstanceRecord = {
      ...instance.state.record!,
      runtimeStatus: 'Pending',
      lastUpdatedTime: this.#runtime.now(),
      completedTime: null,
    };
    const append = rewoundHistory(instance.state.history, rewind);
    await this.#commits.commit(
      instance,
      { replace: true, consumed, record },
      { ...emptyResult(), append },
      [],
    );
    for (const event of instance.state.openTasks.values())
      if (event.EventType === 'SubOrchestrationInstanceCreated') this.#tasks.rewindChild(instance, event);
    this.#tasks.resume(instance);
    this.#runtime.changed(record);
  }

  /** The messages that end the locks of an execution that has ended. */
  #releases(
    { id }: Instance,
    { execution, history }: Episode,
    { completed, continueAsNew, append }: EpisodeResult,
  ): Outgoing[] {
    if (completed === undefined && continueAsNew === undefined) return [];
    const { ExecutionId } = execution.OrchestrationInstance;
    const releases = releaseLocks(
      id,
      [...history, ...append],
      (target) => derivedGuid(ExecutionId, 'release', target),
      this.#runtime.now(),
    );
    if (completed?.OrchestrationStatus === 'Completed') recordReleases(releases, completed, append);
    return releases;
  }
}
