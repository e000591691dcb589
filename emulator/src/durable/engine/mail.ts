import { isEntity, type Outgoing } from '../entities/entity-messages.js';
import type { Message } from '../task-hub.js';
import type { Instance } from './instance/instance.js';
import type { Instances } from './instances.js';
import type { Runtime } from './runtime.js';

/** Writes messages to the hub, and has their targets take them up. */
export class Mail {
  readonly #runtime: Runtime;
  readonly #instances: Instances;

  constructor(runtime: Runtime, instances: Instances) {
    this.#runtime = runtime;
    this.#instances = instances;
  }

  /**
   * Writes a message. Durable when it resolves. `fresh`: the target's id was made just now, so there is
   * nothing to load.
   */
  async post(instanceId: string, message: Message, fresh = false): Promise<void> {
    return this.#postAll(instanceId, [message], { fresh, together: fresh });
  }

  /**
   * As {@link post}; the target takes the messages up together.
   *
   * With `together` the hint and the messages are written at the same time, so a crash may leave messages that no
   * hint leads to. That is harmless for messages that their sender sends again, and for the start of a new id: its
   * client has got no answer, so nobody knows the id. The target does not take them up before it has its hint. All
   * other messages are written after the hint, because an event without a hint could be taken up much later.
   */
  async #postAll(
    instanceId: string,
    messages: readonly Message[],
    { fresh, together }: { fresh: boolean; together: boolean },
  ): Promise<void> {
    const { hub, clock } = this.#runtime;
    const instance = this.#instances.get(instanceId);
    if (fresh && !instance.state.isLoaded) instance.load(hub.fresh());
    instance.inbox.beginPosting(messages);
    let written = false;
    try {
      // A restarted engine must look at the target.
      const hinted = instance.exclusively(() => instance.hint.ensure(clock.now()));
      if (!together) await hinted;
      const posted = (async () => {
        for (const message of messages) await hub.post(instanceId, message);
      })();
      // Both have ended before the messages count as written or not.
      await Promise.allSettled([hinted, posted]);
      await hinted;
      await posted;
      written = true;
    } finally {
      instance.inbox.endPosting(messages, written);
      void instance.pump();
    }
  }

  /**
   * Sends a message that follows from an episode of `sender`. The sender keeps its own hint until the message
   * has arrived.
   */
  send(sender: Instance, instanceId: string, message: Message, fresh = false): void {
    sender.outbox.beginDelivery();
    let first = fresh;
    void this.#runtime.running.run(async () => {
      await this.#delivering(sender, instanceId, async () => {
        const unseen = first;
        first = false;
        await this.#postAll(instanceId, [message], { fresh: unseen, together: true });
      });
      sender.outbox.endDelivery();
      await sender.pump();
    });
  }

  /**
   * Sends messages of and to entities: to each target in order, to all targets at once. The sender's next
   * commit waits for it.
   */
  deliver(sender: Instance, outgoing: readonly Outgoing[]): void {
    if (outgoing.length === 0) return;
    sender.outbox.beginDelivery();
    const delivery = this.#runtime.running.run(async () => {
      const arrived = await Promise.all(
        [...Map.groupBy(outgoing, ({ to }) => to)].map(([to, sent]) => {
          const messages = sent.map(({ message }) =>
            isEntity(to) ? { ...message, sender: sender.id } : message,
          );
          return this.#delivering(sender, to, () =>
            this.#postAll(to, messages, { fresh: false, together: true }),
          );
        }),
      );
      sender.outbox.endDelivery();
      void sender.pump();
      return !arrived.includes(false);
    });
    sender.outbox.waitFor(delivery);
  }

  /**
   * Whether a message that an entity has consumed may come again: its sender has not committed since, or that
   * is not known.
   */
  mayComeAgain(messageId: string, senderId: string): boolean {
    const sender = this.#instances.find(senderId);
    if (sender === undefined) return this.#instances.mayRepeatMessages(senderId);
    return !sender.state.isLoaded || sender.outbox.includes(messageId);
  }

  /**
   * @returns false when the engine stopped before. A message that cannot be sent for another reason than
   * storage ends its sender.
   */
  async #delivering(sender: Instance, to: string, post: () => Promise<void>): Promise<boolean> {
    try {
      return await this.#runtime.retrying(`a message to '${to}'`, post);
    } catch (error) {
      sender.fail(error);
      return true;
    }
  }
}
