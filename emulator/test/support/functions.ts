import { miniWorker } from '../scratch/mini.js';
import type { Worker } from '../../src/worker/types.js';
export async function loadFunctions(load: () => Promise<unknown>): Promise<Worker> { await load(); return await miniWorker() as Worker; }
