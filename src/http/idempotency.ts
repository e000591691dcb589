import { createHash } from 'node:crypto';
import type { HttpRequest } from '@azure/functions';
import { ownKey } from './caller.js';
import { invalid, Problem } from './problem.js';

const HEADER = 'Idempotency-Key';
const allowed = /^[\x21-\x7e]{1,64}$/;

/**
 * The request's `Idempotency-Key`, by which its repeat is recognized; `undefined` when there is none. Each
 * person whom the platform has signed in has keys of their own. All other callers share the keys: a UUID
 * avoids a collision.
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
  return key === null ? undefined : ownKey(request, key);
}

/** A hash of a checked request. A repeat has the same hash, another request a different one. */
export function fingerprint(request: unknown): string {
  return createHash('sha256').update(JSON.stringify(request)).digest('hex');
}

/** 422: another request has used the key. */
export function keyReused(): Problem {
  return new Problem(422, 'key-reused', `The ${HEADER} came with another request before`, {
    detail: 'Send the same request again, or take a new key.',
  });
}
