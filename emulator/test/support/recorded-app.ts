import { createRequire } from 'node:module';
import { miniWorker } from '../scratch/mini.js';
import type { Worker } from '../../src/worker/types.js';
export async function recordedApp(): Promise<Worker> { const r = createRequire(import.meta.url); r('../fixtures/recorded-app/index.cjs'); r('../fixtures/recorded-app/extra.cjs'); return await miniWorker() as Worker; }
