/** The path of a blob binding: a container, a slash and the blob's name, with names in braces. */

/** A path of a trigger, such as `orders/{customer}/{name}.json`. */
export interface BlobPattern {
  container: string;
  /** @returns the values of the names in braces; undefined when the blob's name does not fit */
  match: (blobName: string) => Record<string, string> | undefined;
}

/** Splits a path. A path without a slash is a container. */
export function splitPath(path: string): { container: string; blob: string } {
  const slash = path.indexOf('/');
  return slash < 0
    ? { container: path.toLowerCase(), blob: '' }
    : { container: path.slice(0, slash).toLowerCase(), blob: path.slice(slash + 1) };
}

/** Reads the path of a trigger. Two braces stand for one, as on the real host. */
export function blobPattern(path: string): BlobPattern {
  const { container, blob } = splitPath(path);
  const names: string[] = [];
  const source = blob.replaceAll(/\{\{|\}\}|\{([^{}]+)\}|[^{}]+|[{}]/g, (part, name: string | undefined) => {
    if (name !== undefined) {
      names.push(name);
      return '(.*)';
    }
    return (part === '{{' ? '{' : part === '}}' ? '}' : part).replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&');
  });
  const expression = new RegExp(`^${blob === '' ? '.*' : source}$`, 's');
  return {
    container,
    match: (blobName) => {
      const found = expression.exec(blobName);
      return found === null
        ? undefined
        : Object.fromEntries(names.map((name, index) => [name, found[index + 1]!]));
    },
  };
}
