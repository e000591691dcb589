import type { HttpRequest, HttpResponse, HttpResponseInit, InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import type { DurableClient } from 'durable-functions';
import { Problem } from './problem.js';
import { routes } from './routes.js';

/** Answers a request, or throws a {@link Problem}. */
export type Handler = (
  request: HttpRequest,
  client: DurableClient,
  context: InvocationContext,
) => Promise<HttpResponse | HttpResponseInit>;

/** Registers the function `name` on its route of {@link routes}. */
export function endpoint(name: keyof typeof routes, handler: Handler): void {
  df.app.client.http(name, { ...routes[name], handler: withProblems(handler) });
}

/** Answers thrown problems as such, and what nobody expected as a bare 500, with the error in the log. */
export function withProblems(handler: Handler): Handler {
  return async (request, client, context) => {
    try {
      return await handler(request, client, context);
    } catch (error) {
      if (error instanceof Problem) {
        return error.response();
      }
      context.error(error);
      return new Problem(500, 'internal', 'Something went wrong here', {
        detail: `Try again; if it stays so, report it with the invocation id ${context.invocationId}.`,
      }).response();
    }
  };
}

/**
 * 202: the work goes on, and `location` tells how.
 *
 * @param location the app's own resource, as an absolute path in ASCII
 */
export function accepted(location: string, body: unknown): HttpResponseInit {
  return { status: 202, headers: { Location: location, 'Retry-After': '5' }, jsonBody: body };
}
