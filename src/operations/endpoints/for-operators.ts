import { requireInvolved, type Handler } from '../../http/index.js';

/** Where the platform signs people in, a function key is not enough: a person must have the role of an operator. */
export function forOperators(handler: Handler): Handler {
  return async (request, client, context) => {
    requireInvolved(request, []);
    return handler(request, client, context);
  };
}
