/**
 * The requests of `callHttp`. The extension makes them in an activity of its own, and polls as long as the
 * answer is 202. The rules here are those of its `TaskHttpActivityShim` and `CallHttpAsync`.
 */
import type { JsonText } from '../history.js';

/** The name of these requests in histories. */
export const HTTP_ACTIVITY = 'BuiltIn::HttpActivity';

/** A header may have several values. */
export type HttpHeaders = Record<string, string | string[]>;

/**
 * The request of an orchestrator, with the names of the extension's JSON.
 *
 * @example
 * ```ts
 * app.replace('BuiltIn::HttpActivity', ({ method, uri }: HttpCall) => answers[`${method} ${uri}`]);
 * ```
 */
export interface HttpCall {
  method: string;
  uri: string;
  headers: HttpHeaders;
  content: string | null;
  /** The token to add. The login of the developer who runs the emulator replaces the managed identity. */
  tokenSource: { kind: string; resource: string } | null;
  /** Whether to poll after a 202. */
  asynchronousPatternEnabled: boolean;
}

/**
 * The answer, with the names of the extension's JSON. `headers` does not contain the headers of the content.
 *
 * @example
 * ```ts
 * const answer: HttpAnswer = { statusCode: 200, headers: {}, content: '{"stock":3}' };
 * app.replace('BuiltIn::HttpActivity', () => answer);
 * ```
 */
export interface HttpAnswer {
  statusCode: number;
  headers: HttpHeaders;
  content: string;
}

// ---- polling ---------------------------------------------------------------------------------------------

/** The beginning of a 202 in a history. It avoids parsing other results at every replay. */
const ACCEPTED = '{"statusCode":202,';

/** Whether the result of a {@link HTTP_ACTIVITY} leads to another request. */
export function isAccepted(result: JsonText): boolean {
  return result?.startsWith(ACCEPTED) === true;
}

/** How a 202 wants to be polled. */
export interface Accepted {
  location: string | undefined;
  /**
   * Milliseconds; undefined for a Retry-After that is not a number of seconds, with which the extension
   * fails.
   */
  delay: number | undefined;
}

/** @param interval milliseconds, for an answer without Retry-After */
export function readAccepted(result: string, interval: number): Accepted {
  const { headers } = JSON.parse(result) as HttpAnswer;
  const [location, after] = [header(headers, 'location'), header(headers, 'retry-after')];
  return {
    location,
    delay: after === undefined ? interval : /^\s*[+-]?\d+\s*$/.test(after) ? Number(after) * 1000 : undefined,
  };
}

function header(headers: HttpHeaders, name: string): string | undefined {
  const value = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  return Array.isArray(value) ? value.join(',') : value;
}

/**
 * Headers with credentials. A request for a status never carries the function key, and none of them to
 * another origin.
 */
export const CREDENTIALS: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'proxy-authorization',
  'x-functions-key',
]);

export function without(headers: HttpHeaders, names: ReadonlySet<string>): HttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.has(name.toLowerCase())));
}

/** The extension's `HttpHeadersConverter` reads texts and lists: a number or a boolean becomes a header without values. */
export function textHeaders(headers: HttpHeaders | null = {}): HttpHeaders {
  return Object.fromEntries(
    Object.entries(headers ?? {}).map(([name, value]: [string, unknown]) => [
      name,
      typeof value === 'string' || Array.isArray(value) ? (value as string | string[]) : [],
    ]),
  );
}

/** The request for a status. It carries the credentials of the first request only to the same origin. */
export function statusCall(call: HttpCall, location: string): HttpCall {
  const url = URL.canParse(location, call.uri) ? new URL(location, call.uri) : undefined;
  const isSameOrigin = url?.origin === new URL(call.uri).origin;
  return {
    ...call,
    method: 'GET',
    uri: url?.href ?? location,
    content: null,
    tokenSource: isSameOrigin ? call.tokenSource : null,
    headers: without(call.headers, isSameOrigin ? new Set(['x-functions-key']) : CREDENTIALS),
  };
}

/** The input of the activity, as the extension writes it. */
export function httpInput(call: HttpCall): string {
  return JSON.stringify([{ ...call, retryOptions: null, timeout: null }]);
}
