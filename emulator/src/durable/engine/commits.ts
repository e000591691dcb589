import type { Outgoing } from '../entities/entity-messages.js';
import type { Commit, InstanceRecord } from '../task-hub.js';
import type { CommittedResult } from './instance/committed-state.js';
import type { Instance } from './instance/instance.js';
import type { Mail } from './mail.js';
import { EngineStoppedError, type Runtime } from './runtime.js';

/** Commits the episodes of instances, and sends the messages of each commit. */
export class Commits {
  readonly #runtime: Runtime;
  readonly #mail: Mail;

  constructor(runtime: Runtime, mail: Mail) {
    this.#runtime = runtime;
    this.#mail = mail;
  }

  /**
   * Commits an episode once all messages of the episode before it have arrived, and sends the messages of
   * this one.
   * @throws StorageFailure, EngineStoppedError
   */
  async commit(
    instance: Instance,
    { replace, consumed, record }: Pick<Commit, 'replace' | 'consumed' | 'record'>,
    result: CommittedResult,
    outgoing: readonly Outgoing[],
  ): Promise<void> {
    if (!(await instance.outbox.arrived)) throw new EngineStoppedError();
    const token = await this.#runtime.hub.commit({
      instanceId: instance.id,
      token: instance.state.token,
      replace,
      append: result.append,
      consumed,
      record,
      memo: instance.memo(outgoing),
    });
    instance.committed(outgoing, token, replace, result, record);
    instance.inbox.consumed(consumed);
    this.#mail.deliver(instance, outgoing);
  }

  /**
   * Consumes messages without an episode: those that an instance does not want, because it has ended or knows
   * them already.
   */
  async drop(instance: Instance, consumed: readonly string[]): Promise<void> {
    if (consumed.length === 0) return;
    const { record } = instance.state;
    if (record !== undefined) {
      await this.#note(instance, record, consumed, instance.outbox.sent);
      return;
    }
    await instance.exclusively(async () => {
      // A purge would remove a start that is being written, too. The messages are dropped at the next load
      // then.
      if (instance.inbox.isPosting || !instance.inbox.isQueueEmpty) return;
      await this.#runtime.hub.purge(instance.id);
      instance.unload();
    });
  }

  /** Records that all messages of the last commit have arrived: a recovery need not send them again. */
  async forgetSent(instance: Instance): Promise<void> {
    await this.#note(instance, instance.state.record!, [], []);
  }

  async #note(
    instance: Instance,
    record: InstanceRecord,
    consumed: readonly string[],
    sent: readonly Outgoing[],
  ): Promise<void> {
    const token = await this.#runtime.hub.commit({
      instanceId: instance.id,
      token: instance.state.token,
      replace: false,
      append: [],
      consumed,
      record,
      memo: instance.memo(sent),
    });
    instance.state.renewToken(token);
    instance.outbox.set(sent);
    instance.inbox.consumed(consumed);
  }
}
