import { Readable } from 'node:stream';
import type { Body, HttpRequestLike, HttpResponseLike } from '../http-message.js';
import type { RequestOptions } from './options.js';

/**
 * A request as an HTTP client sends it: JSON bodies have their content type, and an empty POST says that it
 * is empty.
 */
export function toRequest(
  method: string,
  url: URL,
  { headers = {}, body }: RequestOptions,
): HttpRequestLike<Body> {
  const sent: Record<string, string> = { host: url.host };
  for (const [name, value] of Object.entries(headers)) sent[name.toLowerCase()] = value;
  const isRaw = body === undefined || typeof body === 'string' || body instanceof Uint8Array;
  if (!isRaw) sent['content-type'] ??= 'application/json';
  else if (body === undefined && method === 'POST') sent['content-length'] = '0';
  return {
    method,
    url: url.href,
    headers: sent,
    ...(body !== undefined && { body: bytesOf(body) }),
  };
}

function bytesOf(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

/** The host's response as `fetch` gives it. */
export function toResponse({ status, headers, body }: HttpResponseLike<Body>): Response {
  if (!(body instanceof Uint8Array))
    return new Response(Readable.toWeb(body) as ReadableStream, { status, headers });
  return new Response(body.length === 0 ? null : new Uint8Array(body), { status, headers });
}
