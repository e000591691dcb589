/** HTTP as the parts of the host see it, free of sockets, so that a test can call them as a server does. */
import type { Readable } from 'node:stream';

/** Larger bodies are answered 413: the real host's limit, 100 MB. */
export const MAX_BODY = 100 * 1024 * 1024;

/** A body that is all there, or comes bit by bit. */
export type Body = Uint8Array | Readable;

/** A request but for its body. */
export interface RequestHead {
  /** Upper case, as on the wire. */
  method: string;
  /** Absolute: its origin is where the caller found the host, and answers link back there. */
  url: string;
  /** By lower-case name. */
  headers: Record<string, string>;
}

export interface HttpRequestLike<B extends Body = Uint8Array> extends RequestHead {
  body?: B;
}

export interface HttpResponseLike<B extends Body = Uint8Array> {
  status: number;
  /** In the order in which they are sent; a name may repeat. */
  headers: [name: string, value: string][];
  body: B;
}

/** Whether answers of a status have no body, whatever a function says. */
export function isBodiless(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}

/** Waits for the whole body. @returns undefined when it is larger than the host takes. Rejects when it breaks off. */
export async function readBody({ headers, body }: HttpRequestLike<Body>): Promise<Uint8Array | undefined> {
  if (body === undefined) return new Uint8Array();
  if (body instanceof Uint8Array) return body.length > MAX_BODY ? undefined : body;
  const chunks: Buffer[] = [];
  let size = Number(headers['content-length'] ?? 0) > MAX_BODY ? Infinity : 0;
  // Without destroying it: a caller who is still sending would never see the answer.
  if (size < Infinity) {
    for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MAX_BODY) break;
      chunks.push(chunk);
    }
  }
  if (size > MAX_BODY) {
    body.resume();
    return undefined;
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}
