/** Values in the SDK's answers, as the JSON text that histories have. */
import type { JsonText } from '../history.js';

/**
 * JSON without the name of a .NET type: the host's reader takes `$type` for its own when it is the first key of
 * the value, and drops it. Inner values keep theirs.
 */
export function withoutTypeName(json: JsonText): JsonText {
  if (json?.startsWith('{"$type":') !== true) return json;
  return JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(json) as object).slice(1)));
}

/** A string is JSON text already: the SDK encodes it. An object that becomes a string, as a Date does, is not encoded. */
export function activityInput(input: unknown): JsonText {
  if (typeof input === 'string') return input;
  const json = withoutTypeName(jsonText(input));
  return json?.startsWith('"') === true ? (JSON.parse(json) as string) : json;
}

export function jsonText(value: unknown): JsonText {
  return value === undefined || value === null ? null : (JSON.stringify(value) ?? null);
}
