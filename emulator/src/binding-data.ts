/** What the host adds to the trigger metadata of every function whose trigger's value is a JSON object in a text, as recorded. */
import type { TypedData } from './worker/types.js';

/** What Newtonsoft.Json takes for a date when it reads JSON. */
const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[-+]\d\d:\d\d)?$/;

/**
 * The metadata of a trigger with the properties of its value: objects as JSON, all else as .NET's text of it; arrays and nulls are
 * left out. Names ignore case, and the first spelling stays.
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

/** .NET's text of what JSON has as a string, a number or a boolean. */
export function scalarText(value: unknown): string {
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (typeof value !== 'string' || !DATE.test(value)) return String(value);
  const time = new Date(/(Z|[-+]\d\d:\d\d)$/.test(value) ? value : `${value}Z`);
  if (Number.isNaN(time.getTime())) return value;
  const [year, month, day, clock] = time.toISOString().slice(0, 19).split(/[-T]/);
  return `${month}/${day}/${year} ${clock}`;
}
