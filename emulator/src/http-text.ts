/** How ASP.NET Core reads the text of requests. */

/** The values of one name as .NET's `StringValues` writes them: with commas between, without empty ones. */
export function joined(values: readonly string[]): string {
  return values.filter((value) => value !== '').join(',');
}

/** Decodes the `%XX` that are UTF-8, and leaves the others. */
export function decodePercent(text: string): string {
  return text.replaceAll(/(?:%[0-9a-f]{2})+/gi, (run) => decoded(run) ?? decodeRun(run));
}

/** Decodes characters of one to four bytes, one after the other. */
function decodeRun(run: string): string {
  let text = '';
  for (let at = 0; at < run.length;) {
    const characters = [1, 2, 3, 4].map((bytes) => decoded(run.slice(at, at + 3 * bytes)));
    const bytes = characters.findIndex((character) => character !== undefined) + 1;
    text += bytes === 0 ? run.slice(at, at + 3) : characters[bytes - 1];
    at += 3 * Math.max(bytes, 1);
  }
  return text;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** The segments of a path, decoded once as Kestrel does: an encoded slash stays encoded. */
export function pathSegments(pathname: string): string[] {
  return pathname
    .slice(1)
    .split('/')
    .map((segment) => decodePercent(segment.replaceAll(/%2f/gi, (slash) => `%25${slash.slice(1)}`)));
}

/**
 * A URL as a function gets it: the host has decoded its path once, and encodes it again. A `%XX` that is then in the
 * path stays as it is.
 */
export function urlOfFunction(url: string): string {
  const { origin, pathname, search } = new URL(url);
  return `${origin}/${encoded(pathname).replaceAll(/%25([0-9A-Fa-f]{2})/g, '%$1')}${search}`;
}

/** The path and query of a URL as the host's proxy sends them to an app that reads streams: it encodes each `%` again. */
export function proxiedTarget(url: string): string {
  const { pathname, search } = new URL(url);
  return `/${encoded(pathname)}${search.replaceAll(/%(?![0-9a-f]{2})|[\\^`{|}]/gi, encodeURIComponent)}`;
}

/** A path without its first slash, decoded once and encoded again. */
function encoded(pathname: string): string {
  const path = pathSegments(pathname).join('/');
  return path.replaceAll(/[^!$&'()*+,\-./0-9:;=@A-Z_a-z~]/gu, encodeURIComponent);
}

/** The query as in .NET: commas join the values of one name. */
export function queryOf(url: string): [name: string, value: string][] {
  return valuesOf(url).map(({ name, values }) => [name, joined(values)]);
}

/** The query as the host's binding data: of the values of one name, the last counts. */
export function lastOfQuery(url: string): [name: string, value: string][] {
  return valuesOf(url).map(({ name, values }) => [name, values.at(-1)!]);
}

/** Names ignore case, and the spelling of the second occurrence stays. */
function valuesOf(url: string): { name: string; values: string[] }[] {
  const found = new Map<string, { name: string; values: string[] }>();
  for (const part of new URL(url).search.slice(1).split('&')) {
    if (part === '') continue;
    const [, name = '', value = ''] = /^([^=]*)=?(.*)$/s.exec(part)!.map(unescape);
    const known = found.get(name.toLowerCase());
    if (known === undefined) found.set(name.toLowerCase(), { name, values: [value] });
    else {
      if (known.values.length === 1) known.name = name;
      known.values.push(value);
    }
  }
  return [...found.values()];
}

function unescape(text: string): string {
  return decodePercent(text.replaceAll('+', ' '));
}
