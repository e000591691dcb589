import type { ReadableStreamDefaultReader } from 'node:stream/web';
import type { HttpRequest } from '@azure/functions';

/** A body that is read as it comes. */
export interface StreamedBody {
  /** Its bytes, once. It throws when the caller breaks off. */
  chunks: AsyncGenerator<Buffer>;
  /** How many bytes were read. */
  read(): number;
  /**
   * Reads the rest and drops it. Before an answer that comes early: a caller who still sends would see no answer, but a broken
   * connection.
   */
  drop(): Promise<void>;
}

/** As much as is read to no end, for the sake of an answer. */
const DROP_LIMIT = 512 * 1024 * 1024;

/** Reads a body bit by bit: as it comes where the host streams requests, else from memory. */
export function streamBody(request: HttpRequest): StreamedBody {
  const reader = request.body?.getReader() as ReadableStreamDefaultReader<Uint8Array> | undefined;
  let bytes = 0;
  async function* chunks(): AsyncGenerator<Buffer> {
    while (reader !== undefined) {
      const { done, value } = await reader.read();
      if (done) return;
      bytes += value.byteLength;
      yield Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    }
  }
  return {
    chunks: chunks(),
    read: () => bytes,
    async drop() {
      try {
        for await (const _ of chunks()) if (bytes > DROP_LIMIT) break;
      } catch {
        // The caller has gone, and waits for no answer.
      }
    },
  };
}
