import type { InvocationContext, Timer } from '@azure/functions';
import * as df from 'durable-functions';
import type { DurableClient } from 'durable-functions';
import moment from 'moment';
import { count } from '../telemetry/index.js';
import { heartbeat, HEARTBEAT } from './entities.js';
import { features } from './features.js';
import { sweep } from './sweep.js';

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
    try {
      const swept = await sweep(feature, client, context, moment.utc());
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
      for (const [result, number] of Object.entries(swept) as [string, number][]) {
        if (number > 0) count('sweep.records', number, { feature: feature.name, result });
      }
    } catch (error) {
      context.error('The sweep of %s failed', feature.name, error);
      count('sweep.records', 1, { feature: feature.name, result: 'unreadable' });
    }
  }
}

df.app.client.timer('Sweep', { schedule: '0 * * * * *', handler: sweepAll });

/** The timer function `SendHeartbeat`: sends the hub a message. `health.ts` reads when one was last processed. */
export async function sendHeartbeat(_timer: Timer | undefined, client: DurableClient): Promise<void> {
  await heartbeat.signal(client, HEARTBEAT, 'beat', { at: moment.utc().toISOString() });
}

df.app.client.timer('SendHeartbeat', { schedule: '30 * * * * *', handler: sendHeartbeat });
