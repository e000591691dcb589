import { Problem, requireInvolved, type Handler } from '../../http/index.js';
import { HubRefusal } from '../hub.js';

/**
 * Where the platform signs people in, a function key is not enough: a person must have the role of an operator. What the hub
 * refuses, such as the history of an instance that did not follow its history, is answered with 409 and the hub's reason.
 */
export function forOperators(handler: Handler): Handler {
  return async (request, client, context) => {
    requireInvolved(request, []);
    try {
      return await handler(request, client, context);
    } catch (error) {
      if (!(error instanceof HubRefusal)) throw error;
      context.warn(error);
      throw new Problem(409, 'hub-refuses', 'The hub refuses that', { detail: error.message });
    }
  };
}
