/** Beside the app, an orchestrator that runs the sweep once: tests that skip days turn its timer off. */
import type { Timer } from '@azure/functions';
import { clientActivity, orchestrator } from '../../src/durable/index.js';
import { sweepAll } from '../../src/operations/index.js';

const runSweep = clientActivity('RunSweep', async (_input: null, client, context) => {
  await sweepAll({} as Timer, client, context);
  return null;
});

orchestrator('SweepOnce', function* (context) {
  return yield* runSweep(context, null);
});
