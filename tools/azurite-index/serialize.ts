/** How LokiJS writes a database: all of it as one JSON text, every few seconds while it changes. */

/** What this patch uses of a database of LokiJS. */
export interface Database {
  collections: object[];
  serialize: (options?: { serializationMethod?: string }) => unknown;
}

/**
 * Patches the prototype of databases. LokiJS leaves out members of the database and its collections with a
 * function that `JSON.stringify` calls for every value of every document; here they are left out before.
 */
export function serializeWithoutReplacer(database: Database): void {
  const { serialize } = database;
  database.serialize = function (options) {
    if (options?.serializationMethod !== undefined) return serialize.call(this, options);
    return JSON.stringify({
      ...this,
      autosaveHandle: null,
      persistenceAdapter: null,
      throttledSavePending: undefined,
      throttledCallbacks: undefined,
      collections: this.collections.map((collection) => ({ ...collection, constraints: null, ttl: null })),
    });
  };
}
