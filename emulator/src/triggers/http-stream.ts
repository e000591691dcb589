/**
 * HTTP streams. With `app.setup({ enableHttpStream: true })`, an app serves its HTTP functions at an address
 * of its own. As in production, the host sends each request there, in parallel with the invocation, and
 * passes the response on.
 */
import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream';
import type { Body, HttpRequestLike, HttpResponseLike, RequestHead } from '../http-message.js';
import { isBodiless } from '../http-message.js';
import { lastOfQuery, proxiedTarget } from '../http-text.js';
import { http } from '../node-http.js';
import type { TypedData } from '../worker/types.js';
import type { RouteValues } from './http-routes.js';

/** The headers that belong to one connection and are not passed on. */
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

/** A request that was sent to the app. */
export interface Forwarded {
  /** The app's response; its body is a stream. Rejects when there is no response. */
  answer: Promise<HttpResponseLike<Body>>;
  /** Breaks the request off. */
  abort: () => void;
}

/** Sends a request to the app's own address. The invocation with the given id waits for it there. */
export function forward(appAddress: string, invocationId: string, request: HttpRequestLike<Body>): Forwarded {
  const { host, protocol } = new URL(request.url);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers))
    // Node writes one byte a character.
    if (!HOP_BY_HOP.has(name)) headers[name] = Buffer.from(value).toString('latin1');
  const sent = http.request(new URL(proxiedTarget(request.url), appAddress), {
    method: request.method,
    // A connection of its own: the app closes idle connections after five seconds, and a request that is just
    // being sent on one is lost.
    agent: false,
    maxHeaderSize: 64 * 1024,
    headers: {
      ...headers,
      'x-ms-invocation-id': invocationId,
      'x-forwarded-host': request.headers['host'] ?? host,
      'x-forwarded-proto': protocol.slice(0, -1),
    },
  });
  // A failure before the answer rejects it. A later one shows where the body is read: the app's answer may be longer
  // than its `content-length` says.
  sent.on('error', () => {});
  if (request.body === undefined || request.body instanceof Uint8Array) sent.end(request.body);
  else {
    // The invocation waits in the app until this request comes. So it is sent also when its caller is gone already.
    sent.flushHeaders();
    const { body } = request;
    sent.once('socket', (socket) => {
      socket.once('connect', () => pipeline(body, sent, () => {}));
    });
  }
  return {
    answer: answerOf(sent),
    abort: () => {
      sent.destroy();
    },
  };
}

async function answerOf(sent: ClientRequest): Promise<HttpResponseLike<Body>> {
  const [message] = (await once(sent, 'response')) as [IncomingMessage];
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

/**
 * The part of the trigger metadata that the app reads: the headers, and as its `params` the values of the query and the
 * route. A value of the route replaces one of the query, and keeps the spelling of its name.
 */
export function streamMetadata(
  { headers, url }: RequestHead,
  values: RouteValues,
): Record<string, TypedData> {
  const metadata: Record<string, TypedData> = { Headers: { json: JSON.stringify(headers) } };
  const spellings = new Map<string, string>();
  for (const [name, value] of [...lastOfQuery(url), ...Object.entries(values)]) {
    // The host leaves out the key. A parameter named like the headers would replace them.
    if (/^(?:code|headers)$/i.test(name)) continue;
    const spelling = spellings.get(name.toLowerCase()) ?? name;
    spellings.set(name.toLowerCase(), spelling);
    metadata[spelling] = { string: value };
  }
  return metadata;
}
