/**
 * The host's configuration files as .NET reads them: comments, single quotes, names without quotes and a comma
 * at the end are allowed, and names ignore case.
 */
import { readFileSync } from 'node:fs';
import { JsonReader } from '../durable/management/json-reader.js';
import { parseTimeSpan } from '../time-span.js';

/** A configuration file cannot be used. The message is one line with the file and the mistake. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

export type Json = Record<string, unknown>;

/** @returns undefined when there is no such file */
export function readJson(file: string): Json | undefined {
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? undefined : fail(file, `cannot be read (${code})`);
  }
  let value: unknown;
  try {
    value = JSON.parse(new JsonReader(withoutComments(content)).read(true));
  } catch (error) {
    return fail(file, `is not valid JSON: ${(error as Error).message.split('\n')[0]!}`);
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Json)
    : fail(file, 'is not a JSON object');
}

/**
 * The real host allows comments in these files. A comment becomes blanks, so that positions in error messages
 * stay right.
 */
function withoutComments(content: string): string {
  return content
    .replace(/^\uFEFF/, '')
    .replaceAll(
      /("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
      (found, kept?: string) => kept ?? found.replaceAll(/[^\n]/g, ' '),
    );
}

/** A property. Names ignore case, as in .NET's configuration. */
export function get(from: Json, name: string): unknown {
  return Object.hasOwn(from, name) ? from[name] : from[keyOf(from, name) ?? name];
}

function keyOf(from: Json, name: string): string | undefined {
  return Object.keys(from).find((key) => key.toLowerCase() === name.toLowerCase());
}

/** An object inside an object, by its path; empty when there is none. */
export function section(from: Json, ...names: readonly string[]): Json {
  let current = from;
  for (const name of names) {
    const next = get(current, name);
    if (typeof next !== 'object' || next === null) return {};
    current = next as Json;
  }
  return current;
}

/** Sets a property by its path, and makes the objects on the way. */
export function set(into: Json, [name, ...rest]: readonly string[], value: string): void {
  const key = keyOf(into, name!) ?? name!;
  if (rest.length === 0) {
    into[key] = value;
    return;
  }
  if (typeof into[key] !== 'object' || into[key] === null) into[key] = {};
  set(into[key] as Json, rest, value);
}

export function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

export function isTrue(value: unknown): boolean {
  return /^(true|1)$/i.test(String(value));
}

/** A whole number. @throws ConfigError when it is below `least` */
export function number(value: unknown, file: string, name: string, least: number): number | undefined {
  if (value === undefined || value === null) return undefined;
  const found = Number(value);
  return Number.isInteger(found) && found >= least
    ? found
    : fail(file, `has ${JSON.stringify(value)} for ${name}, which has to be a whole number from ${least}`);
}

/** A time span of .NET. @returns milliseconds */
export function span(value: unknown, file: string, name: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  return (
    parseTimeSpan(typeof value === 'number' ? String(value) : (text(value) ?? '')) ??
    fail(file, `has ${JSON.stringify(value)} for ${name}, which has to be a time such as 00:00:30`)
  );
}

/** A value of a .NET enumeration: its name in any case, or its number. */
export function oneOf<T extends string>(
  names: readonly T[],
  from: Json,
  setting: string,
  file: string,
): T | undefined {
  const value = get(from, setting);
  if (value === undefined || value === null) return undefined;
  const said = typeof value === 'number' ? String(value) : text(value)?.toLowerCase();
  const found = names.find((name, index) => name.toLowerCase() === said || String(index) === said);
  return (
    found ??
    fail(file, `has ${JSON.stringify(value)} for ${setting}, which has to be one of ${names.join(', ')}`)
  );
}

export function fail(file: string, what: string): never {
  throw new ConfigError(`${file} ${what}.`);
}
