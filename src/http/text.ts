import { z } from 'zod';

/** Control characters, which names, keys and queries must not hold, and of which a text keeps tabs and line ends. */
const inLine = /^[^\p{Cc}]*$/u;
const inLines = /^(?:[^\p{Cc}]|[\t\r\n])*$/u;

const wellFormed = (value: string): boolean => value.isWellFormed();

/** One line of text without blanks around it: 1 to `max` UTF-16 units, no control characters, no half characters. */
export function line(max: number): z.ZodString {
  return z
    .string()
    .trim()
    .min(1, 'It must not be empty')
    .max(max)
    .regex(inLine, 'It must be one line')
    .refine(wellFormed, 'It is not well-formed Unicode');
}

/** Text of any number of lines, empty too, of up to `maxBytes` bytes in UTF-8. */
export function text(maxBytes: number): z.ZodString {
  return z
    .string()
    .regex(inLines, 'It must not hold control characters')
    .refine(wellFormed, 'It is not well-formed Unicode')
    .refine((value) => Buffer.byteLength(value) <= maxBytes, `At most ${maxBytes} bytes in UTF-8`);
}

/** What people are called by: a name, or an address. */
export const personName = line(100);
