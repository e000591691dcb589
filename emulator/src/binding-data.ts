/**
 * The host adds the properties of a trigger's value to the trigger metadata when the value is a text with a
 * JSON object. The rules are those of recorded calls of a real host.
 */
import type { TypedData } from './worker/types.js';

/** A JSON string of this form becomes a date when Newtonsoft.Json reads it. */
const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[-+]\d\d:\d\d)?$/;

/**
 * The metadata of a trigger together with the properties of its value. Objects become JSON, other values
 * become .NET's text; arrays and nulls are left out. Names ignore case, and the first spelling stays.
 */
export function withProperties(
  metadata: Readonly<Record<string, TypedData>>,
  value: TypedData | undefined,
): Record<string, TypedData> {
  const all = { ...metadata };
  const known = new Map(Object.keys(all).map((name) => [name.toLowerCase(), name]));
  for (const [name, property] of Object.entries(objectIn(value?.string))) {
    if (property === null || Array.isArray(property)) continue;
    const spelling = known.get(name.toLowerCase()) ?? name;
    known.set(name.toLowerCase(), spelling);
    all[spelling] =
      typeof property === 'object' ? { json: JSON.stringify(property) } : { string: scalarText(property) };
  }
  return all;
}

function objectIn(text: string | undefined): Record<string, unknown> {
  if (text === undefined || !/^\s*\{[^]*\}\s*$/.test(text)) return {};
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** .NET's text of a JSON string, number or boolean. */
export function scalarText(value: unknown): string {
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (typeof value !== 'string' || !DATE.test(value)) return String(value);
  const time = new Date(/(Z|[-+]\d\d:\d\d)$/.test(value) ? value : `${value}Z`);
  if (Number.isNaN(time.getTime())) return value;
  const [year, month, day, clock] = time.toISOString().slice(0, 19).split(/[-T]/);
  return `${month}/${day}/${year} ${clock}`;
}
