import type { InvocationContext, Timer } from '@azure/functions';
import * as df from 'durable-functions';
import type { DurableClient } from 'durable-functions';
import moment from 'moment';
import type { DueEntry } from '../storage/index.js';
import type { Supervised } from '../supervision/index.js';
import { count } from '../telemetry/index.js';
import { heartbeat, HEARTBEAT } from './entities.js';
import { features, purged } from './features.js';
import { hubOf } from './hub.js';
import { purgeAfter, purgeInstances, purgeRecords, type Purged } from './purge.js';
import { dueEntries, indexOlder, sweep } from './sweep.js';

/**
 * The timer function `Sweep`. Every minute it processes the due records of every feature. A failing feature
 * does not stop the others.
 */
export async function sweepAll(
  _timer: Timer | undefined,
  client: DurableClient,
  context: InvocationContext,
): Promise<void> {
  for (const feature of features) {
    await counted(feature, context, async () => ({ indexed: await indexOlder(feature) }));
  }
  let due: (feature: Supervised) => readonly DueEntry[];
  try {
    due = await dueEntries(features, context, moment.utc());
  } catch (error) {
    context.error('The sweep could not read what is due', error);
    count('sweep.records', 1, { result: 'unreadable' });
    return;
  }
  for (const feature of features) {
    await counted(feature, context, async () => {
      const swept = await sweep(feature, due(feature), client, context, moment.utc());
      const { continued, outdated, failed, reported } = swept;
      if (continued + outdated + failed > 0) {
        context.log(
          'Sweep of %s: %d continued, %d failed, %d reported to the operator, %d outdated entries',
          feature.name,
          continued,
          failed,
          reported,
          outdated,
        );
      }
      return swept;
    });
  }
}

/** Counts the results of a part of the sweep, by feature. */
async function counted(
  { name: feature }: Supervised,
  context: InvocationContext,
  part: () => Promise<object>,
): Promise<void> {
  try {
    for (const [result, number] of Object.entries(await part()) as [string, number][]) {
      if (number > 0) count('sweep.records', number, { feature, result });
    }
  } catch (error) {
    context.error('The sweep of %s failed', feature, error);
    count('sweep.records', 1, { feature, result: 'unreadable' });
  }
}

df.app.client.timer('Sweep', { schedule: '0 * * * * *', handler: sweepAll });

/** How long one purge may take. The next one goes on. */
const PURGES_FOR = moment.duration(4, 'minutes');

/**
 * The timer function `Purge`. Every hour it removes what ended longer ago than the setting `PURGE_AFTER`: the records
 * of every feature, then the instances. A failing feature does not stop the others.
 */
export async function purgeAll(
  _timer: Timer | undefined,
  client: DurableClient,
  context: InvocationContext,
): Promise<void> {
  const after = purgeAfter();
  if (after === undefined) return;
  const until = moment.utc().subtract(after);
  const deadline = performance.now() + PURGES_FOR.asMilliseconds();
  const run = async (name: string, purge: () => Promise<Purged>): Promise<void> => {
    const metric = name === 'instances' ? 'purge.instances' : 'purge.records';
    const attributes: Record<string, string> = name === 'instances' ? {} : { feature: name };
    try {
      const { removed, kept, failed } = await purge();
      if (removed + kept + failed > 0)
        context.log('Purge of %s: %d removed, %d kept for now, %d failed', name, removed, kept, failed);
      for (const [result, number] of Object.entries({ removed, kept, failed })) {
        if (number > 0) count(metric, number, { ...attributes, result });
      }
    } catch (error) {
      context.error('The purge of %s failed', name, error);
      count(metric, 1, { ...attributes, result: 'unreadable' });
    }
  };
  for (const feature of purged) {
    await run(feature.name, () => purgeRecords(feature, client, context, { until, deadline }));
  }
  await run('instances', () => purgeInstances(hubOf(context), client, context, { until, deadline }));
}

df.app.client.timer('Purge', { schedule: '0 20 * * * *', handler: purgeAll });

/** The timer function `SendHeartbeat`: sends the hub a message. `health.ts` reads when one was last processed. */
export async function sendHeartbeat(_timer: Timer | undefined, client: DurableClient): Promise<void> {
  await heartbeat.signal(client, HEARTBEAT, 'beat', { at: moment.utc().toISOString() });
}

df.app.client.timer('SendHeartbeat', { schedule: '30 * * * * *', handler: sendHeartbeat });
