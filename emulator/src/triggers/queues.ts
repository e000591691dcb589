import type { QueueClient, QueueServiceClient } from '@azure/storage-queue';
import type { BindingData } from '../binding-data.js';
import type { QueueOptions } from '../config/host-json.js';
import type { Setting } from '../config/settings.js';
import { firstLine, type Log } from '../log.js';
import { statusOf } from '../storage-errors.js';
import type { Binding, FunctionDefinition, TypedData } from '../worker/types.js';
import { connectionName, connectionProblem, findConnection, queueService } from './connections.js';
import { QueueListener, sendMessage } from './queue-listener.js';
import type { ReceivedMessage } from './queue-messages.js';
import { decodeMessage, encodeMessage, messageMetadata, outputMessages } from './queue-messages.js';

export interface QueuesOptions {
  setting: Setting;
  options: QueueOptions;
  log: Log;
  /**
   * Runs a queue function with a message. It calls `waiting` when the wait for a retry begins and ends.
   * @returns whether it succeeded
   */
  run: (
    definition: FunctionDefinition,
    inputData: Record<string, TypedData>,
    triggerMetadata: Record<string, TypedData>,
    waiting: (waits: boolean) => void,
  ) => Promise<boolean>;
}

/** A queue of a queue function. */
export interface QueueState {
  queue: string;
  messages: number;
  poison: number;
  /** At most {@link PEEKED}. */
  poisonMessages: { id: string; insertedOn: string; text: string }[];
}

/** How many messages storage shows at once. */
const PEEKED = 32;

const CATEGORY = 'Host.Triggers.Queue';
/**
 * How long functions may go on when the host stops, in milliseconds. After that their messages go back to the
 * queue.
 */
const GRACE = 2000;

/** The storage queues of one app: the listeners of its queue functions, and its output bindings. */
export class Queues {
  readonly #options: QueuesOptions;
  readonly #services = new Map<string, Promise<QueueServiceClient>>();
  readonly #listeners: QueueListener[] = [];

  constructor(options: QueuesOptions) {
    this.#options = options;
  }

  /** Why a queue binding cannot work, as the end of a sentence; undefined when it can. */
  problem({ queueName, connection }: Binding): string | undefined {
    const name = String(queueName).toLowerCase();
    const isComputed = /[{}]/.test(name);
    if (!isComputed && (name.length < 3 || name.length > 63 || !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)))
      return `'${String(queueName)}' is not the name of a queue`;
    return connectionProblem(this.#options.setting, connection, 'queue', `its queue '${name}'`);
  }

  /** Starts a listener for each queue function. */
  async start(definitions: readonly FunctionDefinition[]): Promise<void> {
    const { options, log, run } = this.#options;
    for (const definition of definitions) {
      const { trigger } = definition;
      const queue = await this.#queue(trigger).catch((error: unknown) => {
        log(
          'error',
          CATEGORY,
          `'${definition.name}' does not listen: its connection cannot be used: ${firstLine(error)}`,
        );
        return undefined;
      });
      if (queue === undefined) continue;
      const poisonBinding = { ...trigger, queueName: `${String(trigger['queueName'])}-poison` };
      const isPoison =
        String(trigger['queueName']).endsWith('-poison') || this.problem(poisonBinding) !== undefined;
      const listener = new QueueListener({
        queue,
        poisonQueue: isPoison ? undefined : await this.#queue(poisonBinding),
        options,
        log,
        run: (message: ReceivedMessage, waiting) =>
          run(definition, { [trigger.name]: { string: message.text } }, messageMetadata(message), waiting),
        poisoned: () => {
          this.#notify(`${listener.queueName}-poison`);
        },
      });
      this.#listeners.push(listener);
      listener.start();
    }
  }

  /** Writes the value that a function gave an output binding. @throws Error when it cannot be written */
  async write(template: Binding, value: TypedData | null | undefined, data: BindingData): Promise<void> {
    if (value === undefined || value === null) return;
    const binding = { ...template, queueName: data.resolve(String(template['queueName'])) };
    const problem = this.problem(binding);
    if (problem !== undefined)
      throw new Error(`The output binding '${binding.name}' cannot be written: ${problem}.`);
    const messages = outputMessages(value);
    if (messages.length === 0) return;
    const queue = await this.#queue(binding);
    for (const message of messages)
      await sendMessage(queue, encodeMessage(message, this.#options.options.base64));
    this.#notify(queue.name);
  }

  /**
   * How many messages a queue and its poison queue hold, about, and the first poison messages. They stay where
   * they are.
   */
  async look(trigger: Binding): Promise<QueueState> {
    const poisonBinding = { ...trigger, queueName: `${String(trigger['queueName'])}-poison` };
    const [queue, poison] = await Promise.all([this.#queue(trigger), this.#queue(poisonBinding)]);
    const count = async (client: QueueClient): Promise<number> =>
      (await client.getProperties().catch(missing))?.approximateMessagesCount ?? 0;
    const peeked = (await poison.peekMessages({ numberOfMessages: PEEKED }).catch(missing))
      ?.peekedMessageItems;
    return {
      queue: queue.name,
      messages: await count(queue),
      poison: await count(poison),
      poisonMessages: (peeked ?? []).map(({ messageId, messageText, insertedOn }) => ({
        id: messageId,
        insertedOn: insertedOn.toISOString(),
        text: decodedOrRaw(messageText, this.#options.options.base64),
      })),
    };
  }

  /** Puts a message of the host into a queue: in base64, whatever host.json says. @param connection the name of a setting, as in a binding */
  async send(connection: unknown, queueName: string, message: string): Promise<void> {
    const queue = await this.#queue({
      type: 'queue',
      direction: 'out',
      name: queueName,
      queueName,
      connection,
    });
    await sendMessage(queue, encodeMessage(message, true));
    this.#notify(queueName);
  }

  /** Processes every visible message. @returns whether there were messages */
  async drain(): Promise<boolean> {
    return (await Promise.all(this.#listeners.map((listener) => listener.drain()))).includes(true);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#listeners.splice(0).map((listener) => listener.stop(GRACE)));
  }

  #notify(queueName: string): void {
    for (const listener of this.#listeners) if (listener.queueName === queueName) listener.notify();
  }

  async #queue({ queueName, connection }: Binding): Promise<QueueClient> {
    const name = connectionName(connection);
    let service = this.#services.get(name);
    if (service === undefined) {
      service = queueService(findConnection(this.#options.setting, name, 'queue')!);
      this.#services.set(name, service);
    }
    return (await service).getQueueClient(String(queueName).toLowerCase());
  }
}

/** A queue that does not exist is empty. */
function missing(error: unknown): undefined {
  if (statusOf(error) !== 404) throw error;
}

/** The text of a message; as it is stored, when it has another encoding. */
function decodedOrRaw(body: string, base64: boolean): string {
  try {
    return decodeMessage(body, base64);
  } catch {
    return body;
  }
}
