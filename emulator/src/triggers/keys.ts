import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { HttpRequestLike } from '../http-message.js';

/** The keys of a host, as Azure has them. */
export interface HostKeys {
  /** Opens everything, `/admin` included. */
  master: string;
  /** Opens every function of level `function`. */
  host: string;
  /** Opens the durable management API; stands in the URLs that clients are given. */
  durableTask: string;
}

export function newKeys(): HostKeys {
  const key = (): string => randomBytes(40).toString('base64url');
  return { master: key(), host: key(), durableTask: key() };
}

/** Whether a request carries one of `keys`: header `x-functions-key`, or `code` in the query. */
export function carriesKey(request: HttpRequestLike, keys: readonly string[]): boolean {
  const given = request.headers['x-functions-key'] ?? new URL(request.url).searchParams.get('code') ?? '';
  return keys.some((key) => equal(given, key));
}

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
