/**
 * The requests of `callHttp`. The extension makes them in an activity of its own, and goes on asking as long as it is
 * answered 202: the rules here are those of its `TaskHttpActivityShim` and `CallHttpAsync`.
 */
import http from 'node:http';
import https from 'node:https';
import { buffer } from 'node:stream/consumers';
import { dotnetException } from '../protocol/dotnet-exception.js';
import type { JsonText } from '../history.js';
import type { ActivityOutcome } from '../protocol/sdk-v3.js';

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
const CREDENTIALS: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'proxy-authorization',
  'x-functions-key',
]);

function without(headers: HttpHeaders, names: ReadonlySet<string>): HttpHeaders {
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

// ---- the activity -------------------------------------------------------------------------------------------------

/** @param send makes the request */
export async function runHttpActivity(
  input: JsonText,
  send: (call: HttpCall) => Promise<HttpAnswer>,
): Promise<ActivityOutcome> {
  const [call] = JSON.parse(input!) as [HttpCall];
  try {
    const { statusCode, headers, content } = await send(call);
    return { ok: true, result: JSON.stringify({ statusCode, headers, content }) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return {
      ok: false,
      reason,
      details: dotnetException('System.Net.Http.HttpRequestException', 'System.Net.Http', reason, null),
      failureDetails: null,
    };
  }
}

/** How the extension's `HttpClient` is set up. Milliseconds. */
const TIMEOUT = 240_000;
const USER_AGENT = 'Microsoft.Azure.WebJobs.Extensions.DurableTask/3.14.1';
const MOST_REDIRECTS = 50;

/** Makes a request as .NET's `HttpClient` does, redirects followed. @throws Error with the text that .NET has for it */
export async function sendHttp(call: HttpCall): Promise<HttpAnswer> {
  let { method, content } = call;
  if (!URL.canParse(call.uri)) {
    throw new Error(
      'An invalid request URI was provided. Either the request URI must be an absolute URI or BaseAddress must be set.',
    );
  }
  let url = new URL(call.uri);
  if (!/^https?:$/.test(url.protocol))
    throw new Error(`The '${url.protocol.slice(0, -1)}' scheme is not supported.`);
  let headers = await requestHeaders(call);
  for (let redirects = 0; ; redirects++) {
    const response = await request(url, method, headers, content);
    const status = response.statusCode!;
    const { location } = response.headers;
    const next =
      location !== undefined && URL.canParse(location, url.href) ? new URL(location, url) : undefined;
    if (
      ![300, 301, 302, 303, 307, 308].includes(status) ||
      next === undefined ||
      redirects === MOST_REDIRECTS ||
      (url.protocol === 'https:' && next.protocol === 'http:') ||
      !/^https?:$/.test(next.protocol)
    ) {
      return { statusCode: status, headers: answerHeaders(response), content: await body(response) };
    }
    response.resume();
    if (status === 303 ? method !== 'HEAD' : status < 303 && method === 'POST')
      [method, content] = ['GET', null];
    // .NET takes Authorization out at every redirect.
    headers = without(headers, next.origin === url.origin ? new Set(['authorization']) : CREDENTIALS);
    url = next;
  }
}

/** Names that .NET has for content only. */
const CONTENT_HEADER = /^(allow|content-.*|expires|last-modified)$/i;

async function requestHeaders({ headers, content, tokenSource }: HttpCall): Promise<HttpHeaders> {
  const sent: HttpHeaders = Object.keys(headers).some((name) => name.toLowerCase() === 'user-agent')
    ? {}
    : { 'User-Agent': USER_AGENT };
  let type = 'text/plain';
  for (const [name, value] of Object.entries(headers)) {
    if (name.toLowerCase() === 'content-type') {
      type = [value].flat().at(-1)!;
      if (type.includes('multipart'))
        throw new Error('Multipart content is not supported with CallHttpAsync.');
    } else if (CONTENT_HEADER.test(name)) {
      throw new Error(
        `Misused header name, '${name}'. Make sure request headers are used with HttpRequestMessage, response headers with HttpResponseMessage, ` +
          'and content headers with HttpContent objects.',
      );
    } else {
      sent[name] = value;
    }
  }
  if (content !== null)
    sent['Content-Type'] =
      type.toLowerCase() === 'application/x-www-form-urlencoded' ? `${type}; charset=utf-8` : type;
  return tokenSource === null
    ? sent
    : { ...without(sent, new Set(['authorization'])), Authorization: `Bearer ${await token(tokenSource)}` };
}

async function token({ kind, resource }: { kind: string; resource: string }): Promise<string> {
  if (kind !== 'AzureManagedIdentity')
    throw new Error(`The token source kind '${JSON.stringify(kind)}' is not supported.`);
  const { DefaultAzureCredential } = await import('@azure/identity');
  return (await new DefaultAzureCredential().getToken(`${resource.replace(/\/$/, '')}/.default`)).token;
}

async function request(
  url: URL,
  method: string,
  headers: HttpHeaders,
  content: string | null,
): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const make = url.protocol === 'https:' ? https.request : http.request;
    const signal = AbortSignal.timeout(TIMEOUT);
    const length = content === null ? {} : { 'Content-Length': Buffer.byteLength(content) };
    const made = make(url, { method, headers: { ...headers, ...length }, signal }, resolve);
    made.on('error', (error: NodeJS.ErrnoException) => {
      reject(new Error(failureText(error, url, signal.aborted)));
    });
    // .NET does not send one.
    made.removeHeader('connection');
    made.end(content ?? undefined);
  });
}

function failureText(error: NodeJS.ErrnoException, url: URL, late: boolean): string {
  const address = `${url.hostname}:${url.port || (url.protocol === 'https:' ? 443 : 80)}`;
  if (late)
    return `The request was canceled due to the configured HttpClient.Timeout of ${TIMEOUT / 1000} seconds elapsing.`;
  if (error.code === 'ECONNREFUSED') return `Connection refused (${address})`;
  if (error.code === 'ENOTFOUND') return `Name or service not known (${address})`;
  return error.message || `An error occurred while sending the request. (${error.code ?? error.name})`;
}

async function body(response: http.IncomingMessage): Promise<string> {
  const charset = /charset="?([^\s;"]+)/i.exec(response.headers['content-type'] ?? '')?.[1];
  return new TextDecoder(charset).decode(await buffer(response));
}

/** Headers whose names .NET writes its own way, however they come. */
const KNOWN = new Map(
  [
    'Accept-Ranges',
    'Access-Control-Allow-Credentials',
    'Access-Control-Allow-Headers',
    'Access-Control-Allow-Methods',
    'Access-Control-Allow-Origin',
    'Access-Control-Expose-Headers',
    'Access-Control-Max-Age',
    'Age',
    'Alt-Svc',
    'Cache-Control',
    'Connection',
    'Date',
    'ETag',
    'Keep-Alive',
    'Link',
    'Location',
    'P3P',
    'Pragma',
    'Proxy-Authenticate',
    'Retry-After',
    'Server',
    'Set-Cookie',
    'Strict-Transport-Security',
    'Trailer',
    'Transfer-Encoding',
    'Upgrade',
    'Vary',
    'Via',
    'Warning',
    'WWW-Authenticate',
    'X-AspNet-Version',
    'X-Content-Type-Options',
    'X-Frame-Options',
    'X-Powered-By',
    'X-Request-ID',
    'X-UA-Compatible',
    'X-XSS-Protection',
  ].map((name) => [name.toLowerCase(), name]),
);
/** And those that it reads as lists. */
const LISTS: ReadonlySet<string> = new Set([
  'Accept-Ranges',
  'Connection',
  'Pragma',
  'Trailer',
  'Transfer-Encoding',
  'Upgrade',
  'Vary',
  'Via',
]);

function answerHeaders({ rawHeaders }: http.IncomingMessage): HttpHeaders {
  const found = new Map<string, { name: string; values: string[] }>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [raw, value] = [rawHeaders[index]!, rawHeaders[index + 1]!];
    if (CONTENT_HEADER.test(raw)) continue;
    const key = raw.toLowerCase();
    const name = KNOWN.get(key) ?? raw;
    const entry = found.get(key) ?? { name, values: [] };
    entry.values.push(...(LISTS.has(name) ? value.split(',').map((part) => part.trim()) : [value]));
    found.set(key, entry);
  }
  return Object.fromEntries(
    [...found.values()].map(({ name, values }) => [name, values.length === 1 ? values[0]! : values]),
  );
}
