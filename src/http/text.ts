import { z } from 'zod';

/** Names, keys and queries must not contain control characters. Text may contain tabs and line ends. */
const inLine = /^[^\p{Cc}]*$/u;
const inLines = /^(?:[^\p{Cc}]|[\t\r\n])*$/u;

const wellFormed = (value: string): boolean => value.isWellFormed();

/**
 * A schema for one line of text, trimmed: 1 to `max` UTF-16 units, no control characters, no unpaired
 * surrogates.
 */
export function line(max: number): z.ZodString {
  return z
    .string()
    .trim()
    .min(1, 'It must not be empty')
    .max(max)
    .regex(inLine, 'It must be one line')
    .refine(wellFormed, 'It is not well-formed Unicode');
}

/** A schema for text of any number of lines, also none, of up to `maxBytes` bytes in UTF-8. */
export function text(maxBytes: number): z.ZodString {
  return z
    .string()
    .regex(inLines, 'It must not contain control characters')
    .refine(wellFormed, 'It is not well-formed Unicode')
    .refine((value) => Buffer.byteLength(value) <= maxBytes, `At most ${maxBytes} bytes in UTF-8`);
}

const invisible = /[\p{Default_Ignorable_Code_Point}\p{Bidi_Control}]/u;

/** Whether a text has no characters that show nothing, or that change the order of the text around them. */
export function isVisible(value: string): boolean {
  return !invisible.test(value);
}

/**
 * A schema for the name or address of a person: a line in Unicode's composed form (NFC), without characters
 * that nobody sees. So two names that look the same are the same, up to letters of other alphabets.
 */
export const personName = line(100)
  .normalize('NFC')
  .refine(isVisible, 'It must not contain invisible characters');
