/** Between HTTP and what the Functions worker hears and answers, as recorded from a real host. */
import type { HttpRequestLike, HttpResponseLike } from '../http-message.js';
import type { TypedData } from '../worker/types.js';

/** Larger bodies are answered 413, as the real host's default (100 MB) has it. */
export const MAX_BODY = 100 * 1024 * 1024;

/** The identity of a request that nobody signed in for. */
const ANONYMOUS = {
  claims: [],
  nameClaimType: { value: 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name' },
  roleClaimType: { value: 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role' },
};

/** What an http function is given. */
export function httpInput(request: HttpRequestLike, params: Record<string, string>): TypedData {
  const { searchParams } = new URL(request.url);
  const http: Record<string, unknown> = {
    identities: [ANONYMOUS], cookies: [], headers: {}, params: {}, query: {},
    nullableHeaders: values(Object.entries(request.headers).sort(([a], [b]) => (a < b ? -1 : 1))),
    nullableParams: values(Object.entries(params)),
    nullableQuery: values(searchParams),
    method: request.method, url: request.url, statusCode: '', enableContentNegotiation: false,
  };
  if (request.body !== undefined && request.body.length > 0) http['body'] = { bytes: request.body };
  return { http };
}

/** The trigger's metadata: route and query values by name. */
export function httpMetadata(request: HttpRequestLike, params: Record<string, string>): Record<string, TypedData> {
  const query = Object.fromEntries(new URL(request.url).searchParams);
  const metadata: Record<string, TypedData> = {};
  for (const [name, value] of Object.entries({ ...query, ...params })) metadata[name] = { string: value };
  metadata['Query'] = { json: JSON.stringify(query) };
  metadata['Headers'] = { json: JSON.stringify(request.headers) };
  return metadata;
}

function values(entries: Iterable<[string, string]>): Record<string, { value: string }> {
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

/** What an http function answered, as HTTP. No result at all is 204. */
export function httpOutput(value: TypedData | null | undefined): HttpResponseLike {
  if (value === null || value === undefined || value.http === undefined) return { status: 204, headers: [], body: new Uint8Array() };
  const http = value.http as RpcHttp;
  const headers: [string, string][] = Object.entries(http.headers ?? {});
  for (const cookie of http.cookies ?? []) headers.push(['set-cookie', cookieText(cookie)]);
  return { status: Number(http.statusCode ?? 200), headers, body: bytes(http.body) };
}

function bytes(body: TypedData | undefined): Uint8Array {
  if (body === undefined) return new Uint8Array();
  if (body.bytes !== undefined) return body.bytes;
  const text = body.string ?? body.json ?? (body.int ?? body.double)?.toString();
  return text === undefined ? new Uint8Array() : Buffer.from(text);
}

const SAME_SITE: Record<string, string> = { lax: 'lax', strict: 'strict', explicitNone: 'none' };

function cookieText(cookie: RpcCookie): string {
  const parts = [`${cookie.name}=${encodeURIComponent(cookie.value)}`];
  const seconds = cookie.expires?.value?.seconds;
  if (seconds !== undefined) parts.push(`expires=${new Date(Number(seconds) * 1000).toUTCString()}`);
  if (cookie.maxAge?.value !== undefined) parts.push(`max-age=${cookie.maxAge.value}`);
  if (cookie.domain?.value !== undefined) parts.push(`domain=${cookie.domain.value}`);
  if (cookie.path?.value !== undefined) parts.push(`path=${cookie.path.value}`);
  if (cookie.secure?.value === true) parts.push('secure');
  const sameSite = SAME_SITE[cookie.sameSite ?? ''];
  if (sameSite !== undefined) parts.push(`samesite=${sameSite}`);
  if (cookie.httpOnly?.value === true) parts.push('httponly');
  return parts.join('; ');
}

/** An answer without a body. */
export function empty(status: number, headers: [string, string][] = []): HttpResponseLike {
  return { status, headers, body: new Uint8Array() };
}
