import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { RequestHead } from '../http-message.js';
import type { FunctionDefinition } from '../worker/types.js';

/** The keys of a host, as Azure has them. */
export interface HostKeys {
  /** Opens everything, `/admin` included. */
  master: string;
  /** Opens every function of level `function`. */
  host: string;
  /** The system key `durabletask_extension`: opens the management API, and stands in the URLs that clients are given. */
  durableTask: string;
  /** By function name: opens that function, when its level is `function`. */
  functions: Readonly<Record<string, string>>;
}

/** The keys of a host: the given ones, and new ones where none are given. */
export function keysOf(functions: readonly FunctionDefinition[], given?: HostKeys): HostKeys {
  return {
    master: newKey(),
    host: newKey(),
    durableTask: newKey(),
    ...given,
    functions: {
      ...Object.fromEntries(functions.map(({ name }) => [name, newKey()])),
      ...given?.functions,
    },
  };
}

function newKey(): string {
  return randomBytes(40).toString('base64url');
}

/** Whether a request carries one of `keys`: header `x-functions-key`, or without that `code` in the query. */
export function carriesKey(request: RequestHead, keys: readonly string[]): boolean {
  const given = request.headers['x-functions-key'] ?? new URL(request.url).searchParams.get('code') ?? '';
  return keys.some((key) => equal(given, key));
}

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
