import path from 'node:path';
import { loadApp } from '../../src/worker/app-loader.js';
import type { Worker } from '../../src/worker/types.js';
import { FunctionsWorker } from '../../src/worker/worker.js';

/** The app that was running when the recordings were made. */
export async function recordedApp(): Promise<Worker> {
  return new FunctionsWorker({ registrations: await loadApp({ directory: path.join(import.meta.dirname, '../fixtures/recorded-app') }), log: () => {} });
}
