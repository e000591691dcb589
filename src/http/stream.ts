import type { ReadableStreamDefaultReader } from 'node:stream/web';
import type { HttpRequest } from '@azure/functions';
import { Problem } from './problem.js';

/** A body that is read as it comes. */
export interface StreamedBody {
  /** Its bytes, once. @throws {Problem} 400 `cut-short` when the caller breaks off */
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
      const { done, value } = await reader.read().catch((error: unknown) => {
        throw unlessCutShort(error);
      });
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

/** The type of {@link cutShort}. */
export const CUT_SHORT = 'cut-short';

/** 400: less came than the caller has announced. */
export function cutShort(): Problem {
  return new Problem(400, CUT_SHORT, 'The body was cut short', { detail: 'Send it again.' });
}

/** The error, or a {@link cutShort} if it means that the caller has closed the connection. */
export function unlessCutShort(error: unknown): unknown {
  return isBroken(error) ? cutShort() : error;
}

/** Whether the error means that the caller has closed the connection. */
function isBroken(error: unknown): boolean {
  const { name, code, message, cause } = error as NodeJS.ErrnoException;
  // A connection to storage breaks with the same codes.
  if (name === 'RestError') return false;
  return (
    ['ECONNRESET', 'ABORT_ERR', 'ERR_STREAM_PREMATURE_CLOSE', 'UND_ERR_ABORTED'].includes(code ?? '') ||
    message === 'aborted' ||
    message === 'terminated' ||
    (cause !== undefined && isBroken(cause))
  );
}
