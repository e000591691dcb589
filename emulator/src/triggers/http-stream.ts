/**
 * HTTP streams: an app that asks for them (`app.setup({ enableHttpStream: true })`) serves its http functions on an address of its own.
 * The host sends each request there, beside the invocation, and passes on what comes back, as production does.
 */
import { once } from 'node:events';
import http from 'node:http';
import { pipeline } from 'node:stream';
import type { Body, HttpRequestLike, HttpResponseLike, RequestHead } from '../http-message.js';
import { isBodiless } from '../http-message.js';
import type { TypedData } from '../worker/types.js';
import type { RouteValues } from './http-routes.js';

/** Those that speak of one connection, and of no other. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'host',
]);

/** A request on its way to the app. */
export interface Forwarded {
  /** The head of what the app answers; the body follows. Rejects when there is none. */
  answer: Promise<HttpResponseLike<Body>>;
  /** Breaks it off. */
  abort: () => void;
}

/** Sends a request to the app's own address, where the invocation of the given id waits for it. */
export function forward(appAddress: string, invocationId: string, request: HttpRequestLike<Body>): Forwarded {
  const { pathname, search, host, protocol } = new URL(request.url);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers))
    if (!HOP_BY_HOP.has(name)) headers[name] = value;
  const sent = http.request(new URL(pathname + search, appAddress), {
    method: request.method,
    headers: {
      ...headers,
      'x-ms-invocation-id': invocationId,
      'x-forwarded-host': request.headers['host'] ?? host,
      'x-forwarded-proto': protocol.slice(0, -1),
    },
  });
  if (request.body === undefined || request.body instanceof Uint8Array) sent.end(request.body);
  else pipeline(request.body, sent, () => {});
  return {
    answer: answerOf(sent),
    abort: () => {
      sent.destroy();
    },
  };
}

async function answerOf(sent: http.ClientRequest): Promise<HttpResponseLike<Body>> {
  const [message] = (await once(sent, 'response')) as [http.IncomingMessage];
  // What breaks off later shows where it is read.
  sent.on('error', () => {});
  const headers: [string, string][] = [];
  for (let index = 0; index < message.rawHeaders.length; index += 2) {
    const name = message.rawHeaders[index]!.toLowerCase();
    if (!HOP_BY_HOP.has(name)) headers.push([name, message.rawHeaders[index + 1]!]);
  }
  const status = message.statusCode!;
  if (!isBodiless(status)) return { status, headers, body: message };
  message.resume();
  return { status, headers, body: new Uint8Array() };
}

/** What the app takes from the trigger metadata: the headers, and the values of the route. */
export function streamMetadata({ headers }: RequestHead, values: RouteValues): Record<string, TypedData> {
  const metadata: Record<string, TypedData> = { Headers: { json: JSON.stringify(headers) } };
  for (const [name, value] of Object.entries(values)) metadata[name] = { string: value };
  return metadata;
}
