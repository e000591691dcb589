/**
 * Instance ids as table keys, in the way of the Durable Task provider (its `KeySanitation`), so that tools
 * for its tables work. The mapping is injective and goes character by character: the key of a prefix is a
 * prefix of the key.
 */
/** Control characters, and characters with a meaning in a URL. */
const FORBIDDEN = /[\p{Cc}/\\#?^]/gu;
const ESCAPES: Readonly<Record<string, string>> = { '^': '^^', '/': '^0', '\\': '^1', '#': '^2', '?': '^3' };
const UNESCAPES: Readonly<Record<string, string>> = { '^': '^', 0: '/', 1: '\\', 2: '#', 3: '?' };
/** The character code that is added to a control character, which makes it a letter. */
const OFFSET = 'À'.charCodeAt(0);

/** An instance id as a key: `a/b` is `a^0b`. */
export function escapeKey(id: string): string {
  return id.replace(
    FORBIDDEN,
    (character) => ESCAPES[character] ?? `^${String.fromCharCode(OFFSET + character.charCodeAt(0))}`,
  );
}

/** The reverse of {@link escapeKey}. */
export function unescapeKey(key: string): string {
  return key.replace(
    /\^(.)/gs,
    (_, character: string) => UNESCAPES[character] ?? String.fromCharCode(character.charCodeAt(0) - OFFSET),
  );
}

/**
 * The first text after all texts that begin with `prefix` (not empty), in the order of the service; undefined
 * if there is no well-formed one.
 */
export function prefixEnd(prefix: string): string | undefined {
  const end = prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
  return end.isWellFormed() ? end : undefined;
}

/** The row key of the event at a position in the history: `000000000000000A` is the eleventh. */
export function eventKey(position: number): string {
  return position.toString(16).toUpperCase().padStart(16, '0');
}

/**
 * The key of the row that says which events are valid. It sorts after all other keys of the partition, so it
 * is read last.
 */
export const SENTINEL = 'sentinel';

/** The keys of waiting messages are between those of the events and the sentinel. */
const MESSAGE = 'message-';

export function messageKey(id: string): string {
  return MESSAGE + id;
}

/** The id in the row key of a message; undefined for other rows. */
export function messageId(rowKey: string): string | undefined {
  return rowKey.startsWith(MESSAGE) ? rowKey.slice(MESSAGE.length) : undefined;
}

/**
 * The row key of a hint. The keys sort by due time: fifteen digits of milliseconds are enough for any date.
 */
export function hintKey({ due, instanceId }: { due: number; instanceId: string }): string {
  return `${String(due).padStart(15, '0')}-${escapeKey(instanceId)}`;
}

export function parseHintKey(key: string): { due: number; instanceId: string } {
  return { due: Number(key.slice(0, 15)), instanceId: unescapeKey(key.slice(16)) };
}
