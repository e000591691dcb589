/** How LokiJS removes and updates several documents of a collection. */

/** What this patch uses of a collection of LokiJS. */
export interface Batching {
  readonly data: readonly object[];
  remove: (document: object) => unknown;
  get: (id: number) => object | null;
  update: (document: object | readonly object[]) => unknown;
  removeBatch: (batch: readonly (object | number)[]) => unknown;
  removeBatchByPositions: (positions: readonly number[]) => unknown;
}

/** Up to as many documents are removed one by one: LokiJS sorts all indices anew for each batch. */
const FEW_REMOVED = 8;
/** The same for updates: a request receives at most 32 messages. */
const FEW_UPDATED = 32;

/**
 * Patches the prototype of collections: a batch of none does nothing, and a few documents are removed one by
 * one. Azurite removes a batch, which is empty as a rule, at each request for messages of a queue.
 */
export function removeFewOneByOne(collection: Batching): void {
  const { removeBatch, removeBatchByPositions } = collection;
  collection.removeBatch = function (batch) {
    if (batch.length > FEW_REMOVED) return removeBatch.call(this, batch);
    for (const item of batch) this.remove(typeof item === 'number' ? this.get(item)! : item);
    return undefined;
  };
  collection.removeBatchByPositions = function (positions) {
    if (positions.length > FEW_REMOVED) return removeBatchByPositions.call(this, positions);
    for (const document of positions.map((position) => this.data[position]!)) this.remove(document);
    return undefined;
  };
}

/**
 * Patches the prototype of collections: a few documents are updated one by one. Azurite's one batch is that of the
 * messages which a request receives: LokiJS would sort all messages of all queues for each of its four indices, though
 * no column with an index has changed.
 */
export function updateFewOneByOne(collection: Batching): void {
  const { update } = collection;
  collection.update = function (documents) {
    if (!Array.isArray(documents) || documents.length > FEW_UPDATED) return update.call(this, documents);
    for (const document of documents as readonly object[]) update.call(this, document);
    return undefined;
  };
}
