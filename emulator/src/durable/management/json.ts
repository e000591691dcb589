import { JsonReader, JsonReaderError } from './json-reader.js';

/** Reads a whole text. @returns compact JSON. @throws JsonReaderError */
export function readJson(text: string): string {
  return new JsonReader(text).read(true);
}

/**
 * Reads the value at the start of a text, and ignores the rest.
 * @returns compact JSON.
 * @throws JsonReaderError
 */
export function readJsonValue(text: string): string {
  return new JsonReader(text).read(false);
}

/** What .NET takes for a value and writes again, though it is no JSON. */
export const NO_JSON = /^undefined(?![^\s,\]}])/;

/**
 * A stored text as a status shows it: the JSON value at its start, or a string if there is none. So
 * production shows the reason `5 minutes late` as 5, too. @returns compact JSON
 */
export function jsonOrText(stored: string | null): string {
  if (stored === null) return 'null';
  const text = stored.trim();
  if (text === '') return '""';
  if (NO_JSON.test(text)) return 'undefined';
  try {
    return readJsonValue(text);
  } catch (error) {
    if (error instanceof JsonReaderError) return JSON.stringify(text);
    throw error;
  }
}
