/** How LokiJS writes a database: all of it as one JSON text, every five seconds while it changes. */

/** What this patch uses of a database of LokiJS. */
export interface Database {
  collections: object[];
  /** While it is true, the database is saved when it is closed, but not every five seconds. */
  ignoreAutosave?: boolean;
  serialize: (options?: { serializationMethod?: string }) => unknown;
}

/** After a save that took a while, the next one waits this many times as long: saves take 5 % of the time. */
const PAUSE = 20;
/** The longest pause, in milliseconds: what a killed Azurite may lose. */
const LONGEST_PAUSE = 30_000;

/**
 * Patches the prototype of databases. LokiJS leaves out members of the database and its collections with a
 * function that `JSON.stringify` calls for every value of every document; here they are left out before.
 */
export function serializeWithoutReplacer(database: Database): void {
  const { serialize } = database;
  database.serialize = function (options) {
    if (options?.serializationMethod !== undefined) return serialize.call(this, options);
    const start = performance.now();
    const text = JSON.stringify({
      ...this,
      ignoreAutosave: undefined,
      autosaveHandle: null,
      persistenceAdapter: null,
      throttledSavePending: undefined,
      throttledCallbacks: undefined,
      collections: this.collections.map((collection) => ({ ...collection, constraints: null, ttl: null })),
    });
    this.ignoreAutosave = true;
    const pause = Math.min(PAUSE * (performance.now() - start), LONGEST_PAUSE);
    setTimeout(() => {
      this.ignoreAutosave = false;
    }, pause).unref();
    return text;
  };
}
