import { createHash } from 'node:crypto';
import type { HttpRequest } from '@azure/functions';
import { invalid, Problem } from './problem.js';

const HEADER = 'Idempotency-Key';
const allowed = /^[\x21-\x7e]{1,64}$/;

/**
 * What the caller calls this request, so that its repeat is known for one; `undefined` when the caller does not care.
 * Keys are the app's, not the caller's: whoever does not want to meet another's takes a UUID.
 *
 * @throws {Problem} 400 when it is not 1 to 64 visible ASCII characters
 */
export function idempotencyKey(request: HttpRequest): string | undefined {
  const key = request.headers.get(HEADER);
  if (key !== null && !allowed.test(key)) {
    throw invalid([
      { field: HEADER, message: 'It must be 1 to 64 visible ASCII characters, such as a UUID' },
    ]);
  }
  return key ?? undefined;
}

/** Tells a checked request from others: the same for its repeat. */
export function fingerprint(request: unknown): string {
  return createHash('sha256').update(JSON.stringify(request)).digest('hex');
}

/** 422: what the key stands for was made by another request. */
export function keyReused(): Problem {
  return new Problem(422, 'key-reused', `The ${HEADER} came with another request before`, {
    detail: 'Send the same request again, or take a new key.',
  });
}
