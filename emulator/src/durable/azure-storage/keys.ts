/**
 * How instance ids become table keys, as the Durable Task provider does it (its KeySanitation), so that the tools which
 * read its tables find what they look for. Injective, character by character: the key of a prefix is a prefix of the key.
 */
/** Control characters, and those that mean something in a URL. */
const FORBIDDEN = /[\p{Cc}/\\#?^]/gu;
const ESCAPES: Readonly<Record<string, string>> = { '^': '^^', '/': '^0', '\\': '^1', '#': '^2', '?': '^3' };
const UNESCAPES: Readonly<Record<string, string>> = { '^': '^', 0: '/', 1: '\\', 2: '#', 3: '?' };
/** Control characters move up to here, where they are letters. */
const OFFSET = 'À'.charCodeAt(0);

/** An instance id as a key: `a/b` is `a^0b`. */
export function escapeKey(id: string): string {
  return id.replace(
    FORBIDDEN,
    (character) => ESCAPES[character] ?? `^${String.fromCharCode(OFFSET + character.charCodeAt(0))}`,
  );
}

/** Undoes {@link escapeKey}. */
export function unescapeKey(key: string): string {
  return key.replace(
    /\^(.)/gs,
    (_, character: string) => UNESCAPES[character] ?? String.fromCharCode(character.charCodeAt(0) - OFFSET),
  );
}

/**
 * The first text after all that begin with `prefix` (not empty), in the order of the service; undefined where no
 * well-formed text is.
 */
export function prefixEnd(prefix: string): string | undefined {
  const end = prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
  return end.isWellFormed() ? end : undefined;
}

/** The row key of the event at a position in the history: `000000000000000A` is the eleventh. */
export function eventKey(position: number): string {
  return position.toString(16).toUpperCase().padStart(16, '0');
}

/** The row that says which events count. Its key sorts after all others of the partition, so it is read last. */
export const SENTINEL = 'sentinel';

/** Waiting messages have a key range of their own, between the events and the sentinel. */
const MESSAGE = 'message-';

export function messageKey(id: string): string {
  return MESSAGE + id;
}

/** The id in a message's row key; undefined for the key of another kind of row. */
export function messageId(rowKey: string): string | undefined {
  return rowKey.startsWith(MESSAGE) ? rowKey.slice(MESSAGE.length) : undefined;
}

/** Row keys of hints sort by due time: milliseconds in fifteen digits reach beyond any date. */
export function hintKey({ due, instanceId }: { due: number; instanceId: string }): string {
  return `${String(due).padStart(15, '0')}-${escapeKey(instanceId)}`;
}

export function parseHintKey(key: string): { due: number; instanceId: string } {
  return { due: Number(key.slice(0, 15)), instanceId: unescapeKey(key.slice(16)) };
}
