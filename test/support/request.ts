import { HttpRequest, InvocationContext, type HttpResponse, type HttpResponseInit } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { vi } from 'vitest';
import { withProblems, type Handler } from '../../src/http/index.js';
import type { AppStorage } from './app.js';

/** A request as the host passes it to a handler. */
export function request(
  options: {
    body?: string | Uint8Array;
    headers?: Record<string, string>;
    query?: Record<string, string>;
    params?: Record<string, string>;
  } = {},
): HttpRequest {
  const { body, headers = {}, query = {}, params = {} } = options;
  return new HttpRequest({
    method: 'POST',
    url: 'http://localhost/api/things',
    headers,
    query,
    params,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? { string: body } : { bytes: body } }),
  });
}

/** The context of an invocation that logs nothing. */
export function silent(): InvocationContext {
  return new InvocationContext({ logHandler: () => {} });
}

/** Calls a handler as if the host were killed at the handler's first call of the durable client. */
export async function killedAtTheHub(
  handler: Handler,
  options: Parameters<typeof request>[0],
  storage: AppStorage,
): Promise<void> {
  const client = new Proxy({} as DurableClient, {
    get() {
      throw new Error('The host was killed');
    },
  });
  await withStorage(storage, () => withProblems(handler)(request(options), client, silent()));
}

/** Runs code of the app outside its host, on the storage of an app under test. */
export async function withStorage<Result>(storage: AppStorage, run: () => Promise<Result>): Promise<Result> {
  vi.stubEnv('AppStorage', storage.connectionString);
  try {
    return await run();
  } finally {
    vi.unstubAllEnvs();
  }
}

/** Calls a handler that needs no host. @returns its answer, and what it logged */
export async function answer(
  handler: Handler,
  to = request(),
): Promise<{ response: HttpResponse | HttpResponseInit; logged: unknown[] }> {
  const logged: unknown[] = [];
  const context = new InvocationContext({
    invocationId: 'the-invocation',
    logHandler: (_level, ...entries) => {
      logged.push(...entries);
    },
  });
  const response = await withProblems(handler)(to, undefined as unknown as DurableClient, context);
  return { response, logged };
}
