/** Control characters, line breaks, and characters that change the direction of writing. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu;

/**
 * The text on one line, without characters that control a terminal: ESC becomes `␛`, a line feed `␊`, and a
 * character without such a symbol `\uFFFD`. Text from a player, or from another writer of the queue, cannot
 * move the cursor, set a title or hide anything.
 */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, (character) => {
    const code = character.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return code === 0x7f ? '\u2421' : '\uFFFD';
  });
}
