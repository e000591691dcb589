import { loadApp } from '../../src/worker/app-loader.js';
import type { Worker } from '../../src/worker/types.js';
import { FunctionsWorker } from '../../src/worker/worker.js';

/** A worker over the functions that `load` registers. Once a test file: a process holds one app. */
export async function loadFunctions(load: () => Promise<unknown>): Promise<Worker> {
  return new FunctionsWorker({ registrations: await loadApp({ app: load }), log: () => {} });
}
