/** Converts between HTTP and the worker's protocol, as in recorded calls of a real host. */
import type { HttpRequestLike, HttpResponseLike } from '../http-message.js';
import { queryOf, urlOfFunction } from '../http-text.js';
import type { TypedData } from '../worker/types.js';
import type { RouteValues } from './http-routes.js';

/** The identity of a request without a signed-in user. */
const ANONYMOUS = {
  claims: [],
  nameClaimType: { value: 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name' },
  roleClaimType: { value: 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role' },
};

/**
 * The input of an HTTP function. The real host sends trigger metadata, too, but `@azure/functions` passes
 * none to HTTP functions.
 */
export function httpInput(request: HttpRequestLike, params: RouteValues): TypedData {
  const http: Record<string, unknown> = {
    identities: [ANONYMOUS],
    cookies: [],
    headers: {},
    params: {},
    query: {},
    nullableHeaders: nullable(Object.entries(request.headers)),
    nullableParams: nullable(Object.entries(params)),
    nullableQuery: nullable(queryOf(request.url)),
    method: request.method,
    url: urlOfFunction(request.url),
    statusCode: '',
    enableContentNegotiation: false,
  };
  if (request.body !== undefined && request.body.length > 0) http['body'] = { bytes: request.body };
  return { http };
}

function nullable(entries: Iterable<[string, string]>): Record<string, { value: string }> {
  const result: Record<string, { value: string }> = {};
  for (const [name, value] of entries) result[name] = { value };
  return result;
}

interface RpcCookie {
  name: string;
  value: string;
  domain?: { value?: string };
  path?: { value?: string };
  expires?: { value?: { seconds?: number | string } };
  maxAge?: { value?: number };
  secure?: { value?: boolean };
  httpOnly?: { value?: boolean };
  sameSite?: string;
}

interface RpcHttp {
  statusCode?: string;
  headers?: Record<string, string>;
  cookies?: RpcCookie[];
  body?: TypedData;
}

/** The HTTP response of a function's result. Without a result it is 204. */
export function httpOutput(value: TypedData | null | undefined): HttpResponseLike {
  if (value === null || value === undefined || value.http === undefined) return empty(204);
  const http = value.http as RpcHttp;
  const headers = Object.entries(http.headers ?? {}).filter(
    ([name, text]) => text !== '' || name.toLowerCase() !== 'content-type',
  );
  for (const cookie of http.cookies ?? []) headers.push(['set-cookie', cookieText(cookie)]);
  return { status: Number(http.statusCode ?? 200), headers, body: http.body?.bytes ?? new Uint8Array() };
}

const SAME_SITE: Record<string, string> = { lax: 'lax', strict: 'strict', explicitNone: 'none' };

/** A cookie as ASP.NET Core writes it: the value is escaped, and the default path is `/`. */
function cookieText(cookie: RpcCookie): string {
  const value = encodeURIComponent(cookie.value).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  const parts = [`${cookie.name}=${value}`];
  const seconds = cookie.expires?.value?.seconds;
  if (seconds !== undefined) parts.push(`expires=${new Date(Number(seconds) * 1000).toUTCString()}`);
  if (cookie.maxAge?.value !== undefined) parts.push(`max-age=${Math.trunc(cookie.maxAge.value)}`);
  if (cookie.domain?.value !== undefined) parts.push(`domain=${cookie.domain.value}`);
  parts.push(`path=${cookie.path?.value ?? '/'}`);
  if (cookie.secure?.value === true) parts.push('secure');
  const sameSite = SAME_SITE[cookie.sameSite ?? ''];
  if (sameSite !== undefined) parts.push(`samesite=${sameSite}`);
  if (cookie.httpOnly?.value === true) parts.push('httponly');
  return parts.join('; ');
}

/** A response without a body. */
export function empty(status: number, headers: [string, string][] = []): HttpResponseLike {
  return { status, headers, body: new Uint8Array() };
}

/** A response with JSON, as the host's own controllers write it. */
export function json(value: unknown): HttpResponseLike {
  return {
    status: 200,
    headers: [['content-type', 'application/json; charset=utf-8']],
    body: Buffer.from(JSON.stringify(value)),
  };
}
