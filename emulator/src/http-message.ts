/** HTTP messages without sockets, so that a test can call the host as a server does. */
import type { Readable } from 'node:stream';

/** The largest body in bytes unless a setting says otherwise, as on the real host: 100 MB. */
export const MAX_BODY = 100 * 1024 * 1024;

/** A whole body, or a stream of it. */
export type Body = Uint8Array | Readable;

/** A request without its body. */
export interface RequestHead {
  /** In upper case, as in the HTTP request. */
  method: string;
  /** Absolute. Its origin is the one that the caller used; links in responses have the same origin. */
  url: string;
  /** By lower-case name. */
  headers: Record<string, string>;
}

export interface HttpRequestLike<B extends Body = Uint8Array> extends RequestHead {
  body?: B;
  /** Whether the caller has closed the connection. */
  isAbandoned?: () => boolean;
}

export interface HttpResponseLike<B extends Body = Uint8Array> {
  status: number;
  /** In the order in which they are sent. A name may repeat. */
  headers: [name: string, value: string][];
  body: B;
}

/** Whether HTTP forbids a body in responses with this status. */
export function isBodiless(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}

/** Reads the whole body. Rejects when it breaks off. @returns undefined when it is larger than `limit` */
export async function readBody(
  { headers, body }: HttpRequestLike<Body>,
  limit: number = MAX_BODY,
): Promise<Uint8Array | undefined> {
  if (body === undefined) return new Uint8Array();
  if (body instanceof Uint8Array) return body.length > limit ? undefined : body;
  const chunks: Buffer[] = [];
  let size = Number(headers['content-length'] ?? 0) > limit ? Infinity : 0;
  // The stream is not destroyed, because a caller that is still sending would never get the response.
  if (size < Infinity) {
    for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limit) break;
      chunks.push(chunk);
    }
  }
  if (size > limit) {
    body.resume();
    return undefined;
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}
