/** Between HTTP and what the Functions worker hears and answers, as recorded from a real host. */
import type { HttpRequestLike, HttpResponseLike } from '../http-message.js';
import type { TypedData } from '../worker/types.js';
import type { RouteValues } from './http-routes.js';

/** Larger bodies are answered 413: the real host's limit, 100 MB. */
export const MAX_BODY = 100 * 1024 * 1024;

/** The identity of a request that nobody signed in for. */
const ANONYMOUS = {
  claims: [],
  nameClaimType: { value: 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name' },
  roleClaimType: { value: 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role' },
};

/** What an http function is given. */
export function httpInput(request: HttpRequestLike, params: RouteValues): TypedData {
  const http: Record<string, unknown> = {
    identities: [ANONYMOUS], cookies: [], headers: {}, params: {}, query: {},
    nullableHeaders: nullable(Object.entries(request.headers)),
    nullableParams: nullable(Object.entries(params)),
    nullableQuery: nullable([...queryOf(request)].map(([name, values]) => [name, values.join(',')])),
    method: request.method, url: request.url, statusCode: '', enableContentNegotiation: false,
  };
  if (request.body !== undefined && request.body.length > 0) http['body'] = { bytes: request.body };
  return { http };
}

/**
 * The trigger's metadata: the scalar properties of a JSON body, then query, then route values, each as text. Of a name
 * given twice in the query the last value counts here, while the request has them all, joined by commas.
 */
export function httpMetadata(request: HttpRequestLike, params: RouteValues): Record<string, TypedData> {
  const metadata: Record<string, TypedData> = {};
  for (const [name, value] of scalarProperties(request.body)) metadata[name] = { string: value };
  const query: Record<string, string> = {};
  for (const [name, values] of queryOf(request)) {
    query[name] = values.at(-1)!;
    // The key is between the caller and the host.
    if (name.toLowerCase() !== 'code') metadata[name] = { string: query[name] };
  }
  for (const [name, value] of Object.entries(params)) metadata[name] = { string: value };
  metadata['Query'] ??= { json: JSON.stringify(query) };
  metadata['Headers'] ??= { json: JSON.stringify(Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [canonical(name), value]))) };
  return metadata;
}

/** The values of each name, as .NET has them: names ignore case, and the first spelling stays. */
function queryOf(request: HttpRequestLike): Iterable<[string, string[]]> {
  const found = new Map<string, [string, string[]]>();
  for (const [name, value] of new URL(request.url).searchParams) {
    const known = found.get(name.toLowerCase());
    if (known === undefined) found.set(name.toLowerCase(), [name, [value]]);
    else known[1].push(value);
  }
  return found.values();
}

/** Top-level properties of a JSON object that are neither null, arrays nor objects, as .NET prints them. */
function* scalarProperties(body: Uint8Array | undefined): Iterable<[string, string]> {
  // Most bodies that are no JSON object are told by their first byte: a brace, or white space before it.
  if (body === undefined || !(body[0] === 0x7B || body[0]! <= 0x20)) return;
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8').trim();
  if (!text.startsWith('{') || !text.endsWith('}')) return;
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return; // Then it is some other text between braces.
  }
  for (const [name, property] of Object.entries(value)) {
    if (typeof property === 'boolean') yield [name, property ? 'True' : 'False'];
    else if (typeof property === 'string') yield [name, ISO_TIME.test(property) ? invariantTime(property) : property];
    else if (typeof property === 'number') yield [name, String(property)];
  }
}

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?$/;

/** Json.NET takes such a text for a time, and prints it in its own way. */
function invariantTime(text: string): string {
  const time = new Date(/(Z|[+-]\d\d:\d\d)$/.test(text) ? text : `${text}Z`);
  if (Number.isNaN(time.getTime())) return text;
  const [, year, month, day, hours] = /^(.+)-(..)-(..)T(.{8})/.exec(time.toISOString())!;
  return `${month}/${day}/${year} ${hours}`;
}

/** `content-type` as `Content-Type`: the names that .NET knows, it spells so; Fetch's own stay as they came. */
function canonical(name: string): string {
  return name.startsWith('sec-') || name.startsWith('x-') ? name : name.replaceAll(/(?:^|-)[a-z]/g, (start) => start.toUpperCase());
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

/** What an http function answered, as HTTP. No result at all is 204. */
export function httpOutput(value: TypedData | null | undefined): HttpResponseLike {
  if (value === null || value === undefined || value.http === undefined) return empty(204);
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

/** As ASP.NET Core writes a cookie: the value escaped, the path `/` when none is given. */
function cookieText(cookie: RpcCookie): string {
  const value = encodeURIComponent(cookie.value).replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
  const parts = [`${cookie.name}=${value}`];
  const seconds = cookie.expires?.value?.seconds;
  if (seconds !== undefined) parts.push(`expires=${new Date(Number(seconds) * 1000).toUTCString()}`);
  if (cookie.maxAge?.value !== undefined) parts.push(`max-age=${cookie.maxAge.value}`);
  if (cookie.domain?.value !== undefined) parts.push(`domain=${cookie.domain.value}`);
  parts.push(`path=${cookie.path?.value ?? '/'}`);
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
