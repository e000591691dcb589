import type { DurableClient } from 'durable-functions';
import moment from 'moment';
import { ensureRunning } from '../durable/index.js';
import type { Purgeable, Supervised } from '../supervision/index.js';
import type { Rollout } from './model.js';
import { rolloutOrchestrator, steered } from './orchestrators.js';
import { isOver, watched } from './rules.js';
import { removeUpdates, rollouts } from './store.js';

/**
 * Makes sure that the workflow of a rollout runs, unless the rollout is over.
 *
 * @param wake makes it read its record at once. While it waits for an approval, only the end of that wakes it
 */
export async function goOn(client: DurableClient, rollout: Rollout, wake?: typeof steered): Promise<void> {
  if (isOver(rollout)) return;
  const { id, stage } = rollout;
  await ensureRunning(client, rolloutOrchestrator, {
    instanceId: id,
    input: { id },
    wake: stage === 'approving' ? undefined : wake,
  });
}

/** Rollouts whose workflow may have failed, ended early or missed an event. */
export const supervised: Supervised = {
  name: 'rollouts',
  records: rollouts,
  async goOn(client, id) {
    const rollout = await rollouts.read(id);
    if (rollout !== undefined) {
      await goOn(client, rollout, steered);
      await rollouts.change(id, (current) => watched(current, moment.utc()));
    }
  },
};

/** Rollouts that are over, with the records of their devices. */
export const purgeable: Purgeable = {
  name: 'rollouts',
  records: rollouts,
  clear: async (_client, id) => {
    await removeUpdates(id);
    return true;
  },
};
