import { app } from '@azure/functions';
import { queue } from './clients.js';
import { triggerQueues } from './trigger-queues.js';

// A sender may have no right to create the queue, and the host logs a warning each time that it polls a queue that does
// not exist. The start does not wait for storage, and does not fail without it: a queue that cannot be created now is
// created by the app's first message.
app.hook.appStart(() => {
  for (const name of triggerQueues) (async () => queue(name))().catch(() => undefined);
});
