import { HttpRequest, InvocationContext, type HttpResponse, type HttpResponseInit } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { withProblems, type Handler } from '../../src/http/index.js';

/** A request as the host would hand it over. */
export function request(options: {
  body?: string | Uint8Array; headers?: Record<string, string>; query?: Record<string, string>; params?: Record<string, string>;
} = {}): HttpRequest {
  const { body, headers = {}, query = {}, params = {} } = options;
  return new HttpRequest({
    method: 'POST', url: 'http://localhost/api/things', headers, query, params,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? { string: body } : { bytes: body } }),
  });
}

/** The answer of a handler that needs no host, and what it logged. */
export async function answer(handler: Handler, to = request()): Promise<{ response: HttpResponse | HttpResponseInit; logged: unknown[] }> {
  const logged: unknown[] = [];
  const context = new InvocationContext({ invocationId: 'the-invocation', logHandler: (_level, ...entries) => { logged.push(...entries); } });
  const response = await withProblems(handler)(to, undefined as unknown as DurableClient, context);
  return { response, logged };
}
