import type { TableClient } from '@azure/data-tables';
import { statusOf } from '../../storage-errors.js';
import type { InboundEvent } from '../history.js';
import type { Message } from '../task-hub.js';
import { escapeKey, messageId, messageKey } from './keys.js';
import type { Payloads } from './payloads.js';
import { blobNames, type Columns, type Row } from './rows.js';

/** The messages that wait for instances: rows in the History table, in the partition of their target. */
export class MessageRows {
  readonly #table: TableClient;
  readonly #payloads: Payloads;
  /**
   * When the last message arrived, in microseconds. No two messages have the same time, so their order is
   * known.
   */
  #arrived = 0;
  /**
   * The blobs of the messages that have some, by key and message id. A commit that consumes a message deletes
   * its blobs.
   */
  readonly #blobs = new Map<string, Map<string, readonly string[]>>();

  constructor(table: TableClient, payloads: Payloads) {
    this.#table = table;
    this.#payloads = payloads;
  }

  async post(instanceId: string, { id, event, executionId, sender }: Message): Promise<void> {
    const arrived = (this.#arrived = Math.max(this.#arrived + 1, Date.now() * 1000));
    const key = escapeKey(instanceId);
    const columns: Columns = {
      Event: JSON.stringify(event),
      ForExecutionId: executionId,
      Sender: sender,
      Arrived: { type: 'Int64', value: String(arrived) },
    };
    const blobs = await this.#payloads.store(key, `message-${id}`, columns, 'nothing');
    try {
      await this.#table.createEntity({ partitionKey: key, rowKey: messageKey(id), ...columns });
    } catch (error) {
      if (statusOf(error) !== 409) throw error;
      await this.#payloads.discard(blobs);
      return;
    }
    this.#note(key, id, blobs);
  }

  /** The messages among the rows of an instance, in the order in which they arrived. */
  async read(key: string, rows: readonly Row[]): Promise<Message[]> {
    const waiting = rows
      .filter(({ rowKey }) => messageId(rowKey!) !== undefined)
      .map((row) => ({ row, arrived: Number(row['Arrived']) }))
      .toSorted((a, b) => a.arrived - b.arrived);
    // Messages keep their order when the machine's clock is set back.
    this.#arrived = Math.max(this.#arrived, waiting.at(-1)?.arrived ?? 0);
    const whole = await this.#payloads.restoreAll(waiting.map(({ row }) => row));
    return whole.map((row) => {
      const id = messageId(row['rowKey']!)!;
      this.#note(key, id, blobNames(row));
      const event = JSON.parse(row['Event']!) as InboundEvent;
      const { ForExecutionId: executionId, Sender: sender } = row;
      return {
        id,
        event,
        ...(executionId !== undefined && { executionId }),
        ...(sender !== undefined && { sender }),
      };
    });
  }

  /** Forgets the messages of an instance that was purged. */
  purged(key: string): void {
    this.#blobs.delete(key);
  }

  #note(key: string, id: string, blobs: readonly string[]): void {
    if (blobs.length === 0) return;
    const ofInstance = this.#blobs.get(key) ?? new Map<string, readonly string[]>();
    this.#blobs.set(key, ofInstance.set(id, blobs));
  }

  /** @returns the blobs of messages that a commit has consumed, and forgets them */
  takeBlobs(key: string, ids: readonly string[]): string[] {
    const ofInstance = this.#blobs.get(key);
    if (ofInstance === undefined) return [];
    const blobs = ids.flatMap((id) => ofInstance.get(id) ?? []);
    for (const id of ids) ofInstance.delete(id);
    if (ofInstance.size === 0) this.#blobs.delete(key);
    return blobs;
  }
}
