/**
 * The requests of `callHttp`. The extension makes them in an activity of its own, and goes on asking as long as it is
 * answered 202: the rules here are those of its `TaskHttpActivityShim` and `CallHttpAsync`.
 */
import type { JsonText } from '../history.js';

/** The name under which histories have these requests. */
export const HTTP_ACTIVITY = 'BuiltIn::HttpActivity';

/** A name may have several values. */
export type HttpHeaders = Record<string, string | string[]>;

/** What an orchestrator asks for, with the names of the extension's JSON. */
export interface HttpCall {
  method: string;
  uri: string;
  headers: HttpHeaders;
  content: string | null;
  /** Whose bearer token to add: that of whoever runs the emulator stands for the managed identity. */
  tokenSource: { kind: string; resource: string } | null;
  /** Whether to go on asking after a 202. */
  asynchronousPatternEnabled: boolean;
}

/** What it gets, with the names of the extension's JSON. Headers of the content are not among the headers. */
export interface HttpAnswer {
  statusCode: number;
  headers: HttpHeaders;
  content: string;
}

// ---- asking again -------------------------------------------------------------------------------------------------

/** How a 202 begins in a history: nothing else has to be parsed again at every replay. */
const ACCEPTED = '{"statusCode":202,';

/** Whether the result of a {@link HTTP_ACTIVITY} is one after which it is asked again. */
export function isAccepted(result: JsonText): boolean {
  return result?.startsWith(ACCEPTED) === true;
}

/** What a 202 says about asking again. */
export interface Accepted {
  location: string | undefined;
  /** Milliseconds; undefined for a Retry-After that is no number of seconds, at which the extension gives up. */
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

/** The key of a function opens no status; the others open the service they were meant for, and nobody else's. */
export const CREDENTIALS: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'proxy-authorization',
  'x-functions-key',
]);

export function without(headers: HttpHeaders, names: ReadonlySet<string>): HttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.has(name.toLowerCase())));
}

/** The request for a status, which carries the credentials of the first one only to the same origin. */
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
