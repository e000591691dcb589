import { loadApp } from '../../src/worker/app-loader.js';
import type { Worker } from '../../src/worker/types.js';
import { FunctionsWorker } from '../../src/worker/worker.js';

/**
 * A worker for the functions that `load` registers. A test file can call it once: a process can hold one app.
 */
export async function loadFunctions(load: () => Promise<unknown>): Promise<Worker> {
  return new FunctionsWorker({ registrations: await loadApp({ app: load }), log: () => {} });
}
