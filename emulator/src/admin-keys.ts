/** The keys of a host as its admin API shows them. */
import type { HttpResponseLike } from './http-message.js';
import { empty, json } from './triggers/http.js';
import type { HostKeys } from './triggers/keys.js';

interface Key {
  name: string;
  value: string;
}

/** Keys that a request asks for: a list, or one of it, which may not exist. */
type Asked = { all: Key[] } | { one: Key | undefined };

/**
 * The keys at a path of the admin API.
 * @param call the method, a blank and the path in lower case
 * @returns undefined when the path is not one of keys
 */
export function keysAt(
  call: string,
  keys: HostKeys,
  functions: readonly { name: string }[],
): Asked | undefined {
  const [, area, functionName, name] =
    /^GET \/admin\/(host\/keys|host\/systemkeys|functions\/([^/]+)\/keys)(?:\/([^/]+))?$/.exec(call) ?? [];
  if (area === undefined) return undefined;
  const all = area === 'host/systemkeys' ? systemKeys(keys) : defaultKey(keys, functions, functionName);
  if (all === undefined) return { one: undefined };
  if (name === undefined) return { all };
  const hidden = area === 'host/systemkeys' ? [{ name: '_master', value: keys.master }] : [];
  return { one: [...all, ...hidden].find((key) => key.name === name) };
}

function systemKeys({ durableTask }: HostKeys): Key[] {
  return [{ name: 'durabletask_extension', value: durableTask }];
}

/** The key of the host or of a function; undefined when there is no such function. */
function defaultKey(
  keys: HostKeys,
  functions: readonly { name: string }[],
  functionName: string | undefined,
): Key[] | undefined {
  if (functionName === undefined) return [{ name: 'default', value: keys.host }];
  const found = functions.find(({ name }) => name.toLowerCase() === functionName);
  return found && [{ name: 'default', value: keys.functions[found.name]! }];
}

/** @param href the address of the request */
export function keysAnswer(asked: Asked, href: string): HttpResponseLike {
  const links = [{ rel: 'self', href }];
  if ('all' in asked) return json({ keys: asked.all, links });
  return asked.one === undefined ? empty(404) : json({ ...asked.one, links });
}
