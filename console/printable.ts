/** Controls and line breaks, and what turns the direction of writing around. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu;

/**
 * The text on one line, with nothing in it that a terminal acts upon: ESC becomes `␛`, a line feed `␊`, what has no such picture `\uFFFD`.
 * Whatever a player or anybody with the storage's key wrote, it moves no cursor, sets no title and hides nothing.
 */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, (character) => {
    const code = character.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return code === 0x7f ? '\u2421' : '\uFFFD';
  });
}
