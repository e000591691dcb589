import type { HttpResponseInit } from '@azure/functions';
import * as df from 'durable-functions';
import { Problem, withProblems, type Handler } from '../../http/index.js';
import { recentHealth, type Health } from '../health.js';
import { hubOf } from '../hub.js';
import { forOperators } from './for-operators.js';

/** `GET /api/health`: whether the app works, for anybody; 503 when not. */
export const getHealth: Handler = async (_request, client, context) => {
  const { state } = await recentHealth(hubOf(context), client);
  return state === 'up'
    ? { headers: fresh, jsonBody: { state } }
    : down({ state }, 'A holder of a function key gets the reasons from /api/operations/health.');
};

/** `GET /api/operations/health`: the same with the reasons, and what was checked. */
export const getHealthDetails: Handler = async (_request, client, context) => {
  const health = await recentHealth(hubOf(context), client);
  return health.state === 'up'
    ? { headers: fresh, jsonBody: health }
    : down(health, `${health.reasons.join('. ')}.`);
};

const fresh = { 'Cache-Control': 'no-store' };

function down(health: Pick<Health, 'state'>, detail: string): HttpResponseInit {
  const problem = new Problem(503, 'down', 'The app does not work', { detail }).response();
  return {
    ...problem,
    headers: { ...(problem.headers as Record<string, string>), ...fresh },
    jsonBody: { ...(problem.jsonBody as object), ...health },
  };
}

df.app.client.http('GetHealth', {
  route: 'api/health',
  methods: ['GET', 'HEAD'],
  authLevel: 'anonymous',
  handler: withProblems(getHealth),
});
df.app.client.http('GetHealthDetails', {
  route: 'api/operations/health',
  methods: ['GET'],
  authLevel: 'function',
  handler: withProblems(forOperators(getHealthDetails)),
});
