/** How LokiJS removes documents of a collection. */

/** What this patch uses of a collection of LokiJS. */
export interface Removing {
  readonly data: readonly object[];
  remove: (document: object) => unknown;
  get: (id: number) => object | null;
  removeBatch: (batch: readonly (object | number)[]) => unknown;
  removeBatchByPositions: (positions: readonly number[]) => unknown;
}

/** Up to as many documents are removed one by one: LokiJS sorts all indices anew for each batch. */
const FEW = 8;

/**
 * Patches the prototype of collections: a batch of none does nothing, and a few documents are removed one by
 * one. Azurite removes a batch, which is empty as a rule, at each request for messages of a queue.
 */
export function removeFewOneByOne(collection: Removing): void {
  const { removeBatch, removeBatchByPositions } = collection;
  collection.removeBatch = function (batch) {
    if (batch.length > FEW) return removeBatch.call(this, batch);
    for (const item of batch) this.remove(typeof item === 'number' ? this.get(item)! : item);
    return undefined;
  };
  collection.removeBatchByPositions = function (positions) {
    if (positions.length > FEW) return removeBatchByPositions.call(this, positions);
    for (const document of positions.map((position) => this.data[position]!)) this.remove(document);
    return undefined;
  };
}
