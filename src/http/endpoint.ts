import {
  HttpResponse,
  type HttpRequest,
  type HttpResponseInit,
  type InvocationContext,
} from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { isHubUnavailable } from '../durable/index.js';
import { TryLaterError } from '../refusals/index.js';
import { isUnavailable } from '../storage/index.js';
import { Problem } from './problem.js';
import { CUT_SHORT } from './stream.js';

/** Seconds after which a caller tries again when storage is not there. */
const STORAGE_RETRY_AFTER = 10;

/** Answers a request, or throws a {@link Problem}. */
export type Handler = (
  request: HttpRequest,
  client: DurableClient,
  context: InvocationContext,
) => Promise<HttpResponse | HttpResponseInit>;

/**
 * Makes a handler answer what it throws: a {@link Problem} as itself; a `TryLaterError`, and storage or a hub
 * that is not there, as 503 with `Retry-After`; and any other error as a bare 500, with the error in the log. No
 * answer is kept by a cache, unless the handler says so.
 *
 * @example
 * df.app.client.http('GetOrder', {
 *   route: 'api/orders/{id}',
 *   methods: ['GET'],
 *   authLevel: 'function',
 *   handler: withProblems(getOrder),
 * });
 */
export function withProblems(handler: Handler): Handler {
  const answer = answering(handler);
  return async (request, client, context) => {
    const response = await answer(request, client, context);
    if (response instanceof HttpResponse) {
      response.headers.set('Cache-Control', 'no-store');
      return response;
    }
    return {
      ...response,
      headers: { 'Cache-Control': 'no-store', ...(response.headers as Record<string, string> | undefined) },
    };
  };
}

function answering(handler: Handler): Handler {
  return async (request, client, context) => {
    try {
      return await handler(request, client, context);
    } catch (error) {
      if (error instanceof Problem) {
        // Nobody reads the answer. Anybody can cause any number of these.
        if (error.type === CUT_SHORT) context.debug('The caller broke off %s', context.functionName);
        return error.response();
      }
      if (error instanceof TryLaterError || isUnavailable(error) || isHubUnavailable(error)) {
        context.warn(error);
        const retryAfter = error instanceof TryLaterError ? error.retryAfter : STORAGE_RETRY_AFTER;
        return new Problem(
          503,
          'try-later',
          'The app cannot do this now',
          { detail: 'Send the same request again.' },
          retryAfter,
        ).response();
      }
      context.error(error);
      return new Problem(500, 'internal', 'Something went wrong here', {
        detail: `Try again; if it stays so, report it with the invocation id ${context.invocationId}.`,
      }).response();
    }
  };
}

/**
 * 202: the work goes on, and `location` shows its state.
 *
 * @param location the app's own resource, as an absolute path in ASCII
 */
export function accepted(location: string, body: unknown): HttpResponseInit {
  return { status: 202, headers: { Location: location, 'Retry-After': '5' }, jsonBody: body };
}
