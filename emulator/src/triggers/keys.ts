import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { HttpResponseLike, RequestHead } from '../http-message.js';
import type { FunctionDefinition } from '../worker/types.js';
import { empty } from './http.js';

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
 * parameter `code`, in any case. Of several, the first counts.
 */
export function carriesKey(request: RequestHead, keys: readonly string[]): boolean {
  const given = request.headers['x-functions-key']?.split(',', 1)[0] ?? codeOf(request.url);
  return keys.some((key) => equal(given, key));
}

function codeOf(url: string): string {
  for (const [name, value] of new URL(url).searchParams) if (name.toLowerCase() === 'code') return value;
  return '';
}

/**
 * The answer to a request without one of the keys that a part of the host requires: 403 when its key is one of the
 * host for something else, else 401.
 */
export function keyRefusal(
  request: RequestHead,
  required: readonly string[],
  { host, durableTask }: Pick<HostKeys, 'host' | 'durableTask'>,
): HttpResponseLike | undefined {
  if (carriesKey(request, required)) return undefined;
  return carriesKey(request, [host, durableTask]) ? empty(403) : empty(401, [['WWW-Authenticate', 'Bearer']]);
}

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
