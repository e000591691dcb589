import * as df from 'durable-functions';
import { notFound, readJson, requireOperator, withProblems, type Handler } from '../http/index.js';
import { startable } from './startable.js';

/**
 * `POST /api/orchestrators/{orchestratorName}`: starts an orchestrator with the body as its input, and
 * answers 202 with the management URLs of the instance. They open every instance of the app, so the route
 * needs a function key, and a person whom the platform has signed in must be an operator.
 */
export const startOrchestrator: Handler = async (request, client) => {
  requireOperator(request);
  const name = request.params['orchestratorName'] ?? '';
  const start = startable.get(name);
  if (start === undefined) {
    throw notFound(
      `There is no orchestrator ${name} to start. There are: ${[...startable.keys()].join(', ')}.`,
    );
  }
  const { id } = await start(client, request, await readJson(request));
  return client.createCheckStatusResponse(request, id);
};

df.app.client.http('StartOrchestrator', {
  route: 'api/orchestrators/{orchestratorName}',
  methods: ['POST'],
  authLevel: 'function',
  handler: withProblems(startOrchestrator),
});
