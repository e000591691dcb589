import { setTimeout as sleep } from 'node:timers/promises';
import type { DequeuedMessageItem, QueueClient } from '@azure/storage-queue';
import type { QueueOptions } from '../config/host-json.js';
import { statusOf } from '../storage-errors.js';
import { firstLine, type Log } from '../log.js';
import { Pause, Readability } from './polling.js';
import type { ReceivedMessage } from './queue-messages.js';
import { decodeMessage, MessageEncodingError } from './queue-messages.js';

export interface QueueListenerOptions {
  queue: QueueClient;
  /** Undefined for a queue that is itself a poison queue. */
  poisonQueue: QueueClient | undefined;
  options: QueueOptions;
  log: Log;
  /**
   * Runs the function. It calls `waiting` when the wait for a retry begins and ends. @returns whether it
   * succeeded
   */
  run: (message: ReceivedMessage, waiting: (waits: boolean) => void) => Promise<boolean>;
  /** Called when the listener has put a message into the poison queue. */
  poisoned: () => void;
}

/** How long a message is invisible while its function runs, in seconds. The listener renews it. */
const INVISIBLE = 600;
/** The shortest wait before an empty queue is read again, in milliseconds. */
const SHORTEST_WAIT = 100;
const CATEGORY = 'Host.Triggers.Queue';

/**
 * Runs one function with the messages of one queue, as the storage extension does. It receives messages in
 * batches and runs the function with each message separately. It deletes a message when its function
 * succeeds, makes it visible again when it fails, and moves it to the poison queue after too many failures.
 */
export class QueueListener {
  readonly queueName: string;
  readonly #options: QueueListenerOptions;
  readonly #working = new Map<string, Promise<void>>();
  /** The ids of those messages whose functions wait for a retry. */
  readonly #waiting = new Set<string>();
  /** Resolved when a message is finished or waits for a retry, and when the listener stops. */
  #changed = Promise.withResolvers<void>();
  /** The messages whose functions run, with their current receipts. */
  readonly #held = new Map<string, { message: DequeuedMessageItem }>();
  #looking: Promise<unknown> = Promise.resolve();
  readonly #pause = new Pause();
  #wait = 0;
  #doublings = 0;
  readonly #readability: Readability;
  #stopped = false;

  constructor(options: QueueListenerOptions) {
    this.#options = options;
    this.queueName = options.queue.name;
    this.#readability = new Readability(options.log, CATEGORY, `The queue '${this.queueName}'`);
  }

  start(): void {
    void this.#listen();
  }

  /** Reads the queue at once, because the host has put a message there. */
  notify(): void {
    this.#pause.end();
  }

  /**
   * Processes messages until none is visible, and none is being processed except those that wait for a retry.
   * @returns whether there were messages
   */
  async drain(): Promise<boolean> {
    let any = this.#isRunning;
    for (; !this.#stopped; any = true) {
      while (this.#isRunning) await this.#changed.promise;
      if (!(await this.#look())) break;
    }
    return any;
  }

  get #isRunning(): boolean {
    return this.#working.size > this.#waiting.size;
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /**
   * Receives no more messages. Messages that are still being processed after `grace` milliseconds go back to
   * the queue.
   */
  async stop(grace: number): Promise<void> {
    this.#stopped = true;
    this.#change();
    this.notify();
    await this.#looking;
    await Promise.race([Promise.all(this.#working.values()), sleep(grace, undefined, { ref: false })]);
    await Promise.all(
      [...this.#held.values()].map(({ message }) => this.#release(message, 0).catch(() => {})),
    );
  }

  async #listen(): Promise<void> {
    while (!this.#stopped) {
      if (!(await this.#look())) await this.#pause.wait(this.#nextWait());
    }
  }

  /** The wait about doubles each time while the queue stays empty. */
  #nextWait(): number {
    const { maxPollingInterval } = this.#options.options;
    if (this.#wait < maxPollingInterval) {
      const more =
        this.#doublings === 0 ? 0 : (0.8 + Math.random() * 0.4) * 2 ** (this.#doublings - 1) * SHORTEST_WAIT;
      this.#wait = Math.min(SHORTEST_WAIT + more, maxPollingInterval);
      this.#doublings++;
    }
    return this.#wait;
  }

  /** Receives one batch, never two at once. @returns whether there were messages */
  async #look(): Promise<boolean> {
    const looking = this.#looking.then(() => this.#receive());
    this.#looking = looking;
    return looking;
  }

  async #receive(): Promise<boolean> {
    const {
      queue,
      options: { batchSize, newBatchThreshold },
    } = this.#options;
    while (this.#working.size > newBatchThreshold && this.#isRunning && !this.#stopped)
      await this.#changed.promise;
    if (this.#stopped || this.#working.size > newBatchThreshold) return false;
    let messages: DequeuedMessageItem[];
    try {
      messages = (await queue.receiveMessages({ numberOfMessages: batchSize, visibilityTimeout: INVISIBLE }))
        .receivedMessageItems;
      this.#readability.succeeded();
    } catch (error) {
      if (!this.#stopped) this.#readability.failed(error);
      return false;
    }
    if (messages.length === 0) return false;
    this.#wait = 0;
    this.#doublings = 0;
    for (const message of messages) {
      const work = this.#process(message).finally(() => {
        this.#working.delete(message.messageId);
        this.#change();
      });
      this.#working.set(message.messageId, work);
    }
    return true;
  }

  async #process(message: DequeuedMessageItem): Promise<void> {
    const { options, log } = this.#options;
    const held = { message };
    try {
      if (message.dequeueCount > options.maxDequeueCount) return await this.#poison(message);
      let text: string | undefined;
      try {
        text = decodeMessage(message.messageText, options.base64);
      } catch (error) {
        if (error instanceof MessageEncodingError) return await this.#poison(message);
        log(
          'error',
          CATEGORY,
          `The message ${message.messageId} of the queue '${this.queueName}' is not UTF-8: its function does not run, and fails as in production.`,
        );
      }
      this.#held.set(message.messageId, held);
      const succeeded = text !== undefined && (await this.#run(held, text));
      // The message was given back, because this process ends. Another process may have it.
      if (!this.#held.delete(message.messageId)) return;
      if (succeeded) await this.#delete(held.message);
      else if (message.dequeueCount >= options.maxDequeueCount) await this.#poison(held.message);
      // A failed message of a poison queue waits until its visibility timeout ends. Released at once, it
      // would run again and again.
      else if (this.#options.poisonQueue !== undefined)
        await this.#release(held.message, Math.ceil(options.visibilityTimeout / 1000));
    } catch (error) {
      this.#held.delete(message.messageId);
      log(
        'error',
        CATEGORY,
        `The message ${message.messageId} of the queue '${this.queueName}' could not be settled: ${firstLine(error)}`,
      );
    }
  }

  async #run(held: { message: DequeuedMessageItem }, text: string): Promise<boolean> {
    const { message } = held;
    const renewing = this.#renew(held);
    return this.#options
      .run(
        {
          text,
          id: message.messageId,
          popReceipt: message.popReceipt,
          dequeueCount: message.dequeueCount,
          insertedOn: message.insertedOn,
          expiresOn: message.expiresOn,
          nextVisibleOn: message.nextVisibleOn,
        },
        (waits) => {
          this.#setWaiting(message.messageId, waits);
        },
      )
      .finally(() => {
        clearInterval(renewing);
      });
  }

  #setWaiting(messageId: string, waits: boolean): void {
    if (waits) this.#waiting.add(messageId);
    else this.#waiting.delete(messageId);
    this.#change();
  }

  #renew(held: { message: DequeuedMessageItem }): NodeJS.Timeout {
    const { queue, log } = this.#options;
    const renew = async (): Promise<void> => {
      const { messageId, popReceipt } = held.message;
      const renewed = await queue.updateMessage(messageId, popReceipt, undefined, INVISIBLE);
      held.message = { ...held.message, popReceipt: renewed.popReceipt! };
    };
    return setInterval(() => {
      renew().catch((error: unknown) => {
        log(
          'warning',
          CATEGORY,
          `The message ${held.message.messageId} of the queue '${this.queueName}' was lost to another process: ${String(error)}`,
        );
      });
    }, INVISIBLE * 500).unref();
  }

  async #poison(message: DequeuedMessageItem): Promise<void> {
    const { poisonQueue, options, log, poisoned } = this.#options;
    if (poisonQueue === undefined) return;
    log(
      'warning',
      CATEGORY,
      `Message has reached MaxDequeueCount of ${options.maxDequeueCount}. Moving message to queue '${poisonQueue.name}'.`,
    );
    await sendMessage(poisonQueue, message.messageText);
    poisoned();
    await this.#delete(message);
  }

  /** `visibleAfter` in seconds. */
  async #release({ messageId, popReceipt }: DequeuedMessageItem, visibleAfter: number): Promise<void> {
    await this.#options.queue.updateMessage(messageId, popReceipt, undefined, visibleAfter).catch(takenOver);
  }

  async #delete({ messageId, popReceipt }: DequeuedMessageItem): Promise<void> {
    await this.#options.queue.deleteMessage(messageId, popReceipt).catch(takenOver);
  }
}

/**
 * Ignores that the message or its queue is gone, or that another process has it: storage answers an old
 * receipt with 400.
 */
function takenOver(error: unknown): void {
  if (![400, 404, 409].includes(statusOf(error)!)) throw error;
}

/** Puts an encoded message into a queue that may not exist yet. */
export async function sendMessage(queue: QueueClient, body: string): Promise<void> {
  try {
    await queue.sendMessage(body);
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
    await queue.createIfNotExists();
    await queue.sendMessage(body);
  }
}
