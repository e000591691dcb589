import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { RequestHead } from '../http-message.js';
import type { FunctionDefinition } from '../worker/types.js';

/** The keys of a host, as in Azure. */
export interface HostKeys {
  /** Opens all functions, the management API and `/admin`. */
  master: string;
  /** Opens every function of level `function`. */
  host: string;
  /**
   * The system key `durabletask_extension`: opens the management API. The URLs that clients get contain it.
   */
  durableTask: string;
  /** Keys by function name. Each opens one function of level `function`. */
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

/**
 * Whether a request has one of `keys` in the header `x-functions-key`, or, without this header, in the query
 * parameter `code`.
 */
export function carriesKey(request: RequestHead, keys: readonly string[]): boolean {
  const given = request.headers['x-functions-key'] ?? new URL(request.url).searchParams.get('code') ?? '';
  return keys.some((key) => equal(given, key));
}

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
