import { isEntity, type Outgoing } from '../../entities/entity-messages.js';

/**
 * The messages that an instance has sent. After a crash those of the last commit are sent again, unless
 * another commit followed it or the instance came to rest. So no commit is made before all messages of the
 * one before have arrived.
 */
export class Outbox {
  #sent: readonly Outgoing[] = [];
  #arrived: Promise<boolean> = Promise.resolve(true);
  #deliveries = 0;

  /** The messages of the last commit. */
  get sent(): readonly Outgoing[] {
    return this.#sent;
  }

  /** Resolves when all messages have arrived: to false when the engine stopped before. */
  get arrived(): Promise<boolean> {
    return this.#arrived;
  }

  get isDelivering(): boolean {
    return this.#deliveries > 0;
  }

  get sendsToEntities(): boolean {
    return this.#sent.some(({ to }) => isEntity(to));
  }

  /** Whether the last commit sent this message. */
  includes(messageId: string): boolean {
    return this.#sent.some(({ message }) => message.id === messageId);
  }

  /** Takes over what the last commit sends. */
  set(sent: readonly Outgoing[]): void {
    this.#sent = sent;
  }

  beginDelivery(): void {
    this.#deliveries++;
  }

  endDelivery(): void {
    this.#deliveries--;
  }

  /** The next commit waits for a delivery, and for the deliveries before it. */
  waitFor(delivery: Promise<boolean>): void {
    const before = this.#arrived;
    this.#arrived = delivery.then(async (arrived) => (await before) && arrived);
  }
}
