import { folded } from '../identity/index.js';

const kept = /[A-Za-z0-9-]/;

/**
 * The only way to put text from outside into a key or an instance id. The result contains letters, digits,
 * `-` and `_`; different texts give different results, and case is kept. Each other character becomes `_` and
 * two hexadecimal digits for each of its bytes in UTF-8; an empty text becomes `_`.
 *
 * @throws {RangeError} for unpaired surrogates, which UTF-8 cannot encode
 */
export function keyFor(text: string): string {
  if (!text.isWellFormed()) {
    throw new RangeError('Text for a key must be well-formed Unicode');
  }
  return (
    Array.from(text, (character) => (kept.test(character) ? character : escaped(character))).join('') || '_'
  );
}

/** The key of a person's name: the same for all spellings of an address that differ in case. */
export function keyForPerson(name: string): string {
  return keyFor(folded(name));
}

function escaped(character: string): string {
  return Array.from(Buffer.from(character), (byte) => `_${byte.toString(16).padStart(2, '0')}`).join('');
}
