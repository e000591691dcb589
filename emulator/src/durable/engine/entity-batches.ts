import { emptyResult } from '../episode/results.js';
import { failedBatch, runEntityBatch } from '../entities/entity.js';
import type { DurableFunctions } from '../protocol/functions.js';
import type { Batch } from './batches.js';
import type { Commits } from './commits.js';
import type { Instance } from './instance/instance.js';
import type { Mail } from './mail.js';
import type { Orchestrators } from './orchestrators.js';
import type { Runtime } from './runtime.js';

/** Runs the batches of entities, from the requests to the commit and the answers. */
export class EntityBatches {
  readonly #runtime: Runtime;
  readonly #commits: Commits;
  readonly #mail: Mail;
  readonly #functions: DurableFunctions;
  readonly #orchestrators: Orchestrators;

  constructor(
    runtime: Runtime,
    commits: Commits,
    mail: Mail,
    functions: DurableFunctions,
    orchestrators: Orchestrators,
  ) {
    this.#runtime = runtime;
    this.#commits = commits;
    this.#mail = mail;
    this.#functions = functions;
    this.#orchestrators = orchestrators;
  }

  /** @throws StorageFailure, EngineStoppedError */
  async run(instance: Instance, { inbound, consumed }: Batch): Promise<void> {
    const { append, record, outgoing, warnings } = await runEntityBatch({
      instanceId: instance.id,
      execution: instance.state.execution,
      events: inbound,
      maxOperations: this.#runtime.settings.maxEntityBatch,
      now: () => this.#runtime.time(),
      run: (run) => this.#functions.runEntity(run),
    });
    instance.inbox.rememberTaken((messageId, sender) => this.#mail.mayComeAgain(messageId, sender));
    await this.#commits.commit(
      instance,
      { replace: true, consumed, record },
      { ...emptyResult(), append },
      outgoing,
    );
    for (const warning of warnings) this.#orchestrators.warn(instance.id, warning);
    this.#runtime.changed(record);
  }

  /**
   * Ends a batch because of a mistake in the emulator. Its callers get an error, the entity keeps its state
   * and is Failed until its next batch succeeds.
   * @throws StorageFailure, EngineStoppedError
   */
  async fail(instance: Instance, batch: Batch | undefined, error: unknown): Promise<void> {
    const consumed = batch?.consumed ?? [];
    const { record, append, outgoing } = failedBatch(
      {
        instanceId: instance.id,
        execution: instance.state.execution,
        events: batch?.inbound ?? [],
        now: () => this.#runtime.time(),
      },
      `The emulator failed: ${error instanceof Error ? error.message : String(error)}`,
    );
    instance.inbox.rememberTaken((messageId, sender) => this.#mail.mayComeAgain(messageId, sender));
    await this.#commits.commit(
      instance,
      { replace: true, consumed, record },
      { ...emptyResult(), append },
      outgoing,
    );
    this.#runtime.changed(record);
  }
}
