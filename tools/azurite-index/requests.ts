/** What Azurite does for each request, whatever its service. */

/** What this patch uses of Azurite's functions for all services. */
export interface Utilities {
  getURLQueries: (url: string) => Record<string, string>;
}

/** A parsed template of a URI. It has no state. */
type Template = object;
export type Templates = (template: string) => Template;

/**
 * Parses each template once. Azurite compares a request with the templates of all operations, and parses each of them
 * anew.
 */
export function parseOnce(parse: Templates): Templates {
  const parsed = new Map<string, Template>();
  return (template) => {
    let known = parsed.get(template);
    if (known === undefined) parsed.set(template, (known = parse(template)));
    return known;
  };
}

/** Patches the functions: a URL that has no query is not parsed to find that out. */
export function skipMissingQueries(utilities: Utilities): void {
  const { getURLQueries } = utilities;
  utilities.getURLQueries = (url) => (url.includes('?') ? getURLQueries(url) : {});
}
