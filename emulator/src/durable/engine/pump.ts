import { Semaphore } from '../../parallel.js';
import { isFinished } from '../history.js';
import { StorageFailure } from '../task-hub.js';
import type { Batch, Batches } from './batches.js';
import type { Commits } from './commits.js';
import type { EntityBatches } from './entity-batches.js';
import type { Episodes } from './episodes.js';
import type { Instance } from './instance/instance.js';
import type { Instances } from './instances.js';
import type { Mail } from './mail.js';
import type { Orchestrators } from './orchestrators.js';
import type { Projections } from './projections.js';
import { CATEGORY, stackOf, type Runtime } from './runtime.js';
import type { TaskRunner } from './tasks.js';

/** How many instances are loaded at once, e.g. after a restart. */
const MAX_LOADING = 32;

/** The parts that a pump uses. */
export interface PumpOptions {
  runtime: Runtime;
  instances: Instances;
  mail: Mail;
  tasks: TaskRunner;
  commits: Commits;
  projections: Projections;
  orchestrators: Orchestrators;
  batches: Batches;
  episodes: Episodes;
  entityBatches: EntityBatches;
  /** Limits how many orchestrators run at once. */
  orchestratorPlaces: Semaphore;
}

/** Works on one instance after the other: loads it, runs its episodes one by one, and leaves it in order. */
export class Pump {
  readonly #parts: PumpOptions;
  readonly #entityPlaces: Semaphore;
  readonly #loads = new Semaphore(MAX_LOADING);

  constructor(parts: PumpOptions) {
    this.#parts = parts;
    this.#entityPlaces = new Semaphore(parts.runtime.settings.maxConcurrentEntities);
  }

  /** Works on an instance until there is nothing to do now. Never rejects. */
  async run(instance: Instance): Promise<void> {
    const { runtime, instances } = this.#parts;
    instances.busy(instance);
    return runtime.running.run(() => this.#run(instance));
  }

  async #run(instance: Instance): Promise<void> {
    const { runtime, instances } = this.#parts;
    const name = `instance '${instance.id}'`;
    let isAbandoned = false;
    while (!runtime.isStopped && !isAbandoned) {
      try {
        // No other code runs between this check and the end of the pump: what came before it is not
        // overlooked, and what comes after it starts a new pump.
        if (!(await this.#step(instance)) && !this.#hasMore(instance)) break;
        runtime.backOff.succeeded(name);
      } catch (error) {
        instance.unload();
        if (runtime.isStopped) break;
        if (error instanceof StorageFailure) await runtime.backOff.failed(name, error);
        else isAbandoned = !this.#failNext(instance, error);
      }
    }
    instance.pumpEnded();
    if (runtime.isStopped) return;
    runtime.backOff.succeeded(name);
    if (isAbandoned || (instance.state.record === undefined && !instance.isInUse)) instances.forget(instance);
    else if (!instance.isInUse) instances.rest(instance);
  }

  /** @returns whether it ran something, after which there may be more to do */
  async #step(instance: Instance): Promise<boolean> {
    const { batches } = this.#parts;
    if (!instance.state.isLoaded || instance.inbox.mayHaveUnread) await this.#load(instance);
    // The events of an instance of another app version stay where they are.
    const isRejected = this.#isRejected(instance);
    const batch = isRejected ? undefined : batches.take(instance);
    if (instance.error !== undefined) {
      await this.#fail(instance, batch);
      return true;
    }
    if (batch !== undefined) {
      await this.#runBatch(instance, batch);
      instance.inbox.episodeEnded();
      return true;
    }
    await this.#settle(instance);
    return false;
  }

  #hasMore(instance: Instance): boolean {
    return instance.error !== undefined || (!instance.inbox.isEmpty && !this.#isRejected(instance));
  }

  async #runBatch(instance: Instance, batch: Batch): Promise<void> {
    const { commits, episodes, entityBatches, orchestratorPlaces } = this.#parts;
    if (batch.inbound.length === 0) await commits.drop(instance, batch.consumed);
    else if (instance.isEntity) await this.#entityPlaces.run(() => entityBatches.run(instance, batch));
    else await orchestratorPlaces.run(() => episodes.run(instance, batch));
  }

  async #load(instance: Instance): Promise<void> {
    const { runtime, mail, tasks } = this.#parts;
    // A message may be in the hub although the hint that was sent with it has failed. If it were taken up without
    // one, and this host died then, the next host would not know that the instance has something to send.
    if (instance.inbox.mayHaveUnread)
      await instance.exclusively(() => instance.hint.ensure(runtime.clock.now()));
    await this.#loads.run(async () => {
      instance.inbox.beforeLoad();
      instance.load(await runtime.hub.load(instance.id, true));
    });
    const { record } = instance.state;
    if (record === undefined) return;
    if (instance.isRecovering) mail.deliver(instance, instance.outbox.sent);
    if (!isFinished(record.runtimeStatus)) tasks.resume(instance);
    else if (instance.isRecovering && !instance.inbox.isRewinding) tasks.notifyParent(instance);
    instance.recovered();
  }

  #isRejected({ currentRecord: record, isEntity }: Instance): boolean {
    return (
      record !== undefined &&
      !isEntity &&
      !isFinished(record.runtimeStatus) &&
      this.#parts.orchestrators.rejects(record)
    );
  }

  /** Leaves an instance in order when there is nothing to do for it now. */
  async #settle(instance: Instance): Promise<void> {
    const { commits, projections } = this.#parts;
    if (instance.isWaitingForWork) {
      // An activity or a delivery runs. Clients should see the instance soon, but not at every step.
      projections.writeLater(instance);
      return;
    }
    // All messages to entities have arrived. Without this the entities would have to remember that they may
    // come again.
    if (instance.state.record !== undefined && instance.outbox.sendsToEntities)
      await commits.forgetSent(instance);
    await projections.write(instance);
    await instance.exclusively(async () => {
      const { hint, inbox, work } = instance;
      const due = work.nextTimer;
      await hint.confirm();
      if (!inbox.isPosting && inbox.isEmpty) await hint.set(due);
    });
  }

  /**
   * Has the next step end the instance as Failed.
   * @returns false when that was tried already: then the instance is left as it is until something comes for
   * it
   */
  #failNext(instance: Instance, error: unknown): boolean {
    const { runtime } = this.#parts;
    const wasFailing = instance.error !== undefined;
    if (wasFailing) {
      instance.failed();
      runtime.log(
        'error',
        CATEGORY,
        `${instance.id}: The emulator could not end it as Failed and leaves it as it is. ${stackOf(error)}`,
      );
    } else instance.fail(error);
    return !wasFailing;
  }

  async #fail(instance: Instance, batch: Batch | undefined): Promise<void> {
    const { runtime, episodes, entityBatches } = this.#parts;
    const { error } = instance;
    runtime.log(
      'error',
      CATEGORY,
      `${instance.id}: The emulator failed, so the instance ends as Failed. ${stackOf(error)}`,
    );
    await (instance.isEntity ? entityBatches : episodes).fail(instance, batch, error);
    instance.inbox.episodeEnded();
    instance.failed();
  }
}
