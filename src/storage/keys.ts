const kept = /[A-Za-z0-9-]/;

/**
 * The one way in which text from outside becomes part of a key or an instance id: letters, digits, `-` and `_` come out,
 * different texts stay different, and case is kept. What is not a letter, a digit or `-` becomes `_` and two hexadecimal
 * digits for each of its bytes in UTF-8; no text at all is `_`.
 *
 * @throws {RangeError} for halves of surrogate pairs, which UTF-8 cannot hold
 */
export function keyFor(text: string): string {
  if (!text.isWellFormed()) {
    throw new RangeError('Text for a key must be well-formed Unicode');
  }
  return (
    Array.from(text, (character) => (kept.test(character) ? character : escaped(character))).join('') || '_'
  );
}

function escaped(character: string): string {
  return Array.from(Buffer.from(character), (byte) => `_${byte.toString(16).padStart(2, '0')}`).join('');
}
