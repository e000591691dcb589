/**
 * The host adds the properties of a trigger's value to the trigger metadata when the value is a text with a
 * JSON object. The rules are those of recorded calls of a real host.
 */
import { randomUUID } from 'node:crypto';
import type { FunctionDefinition, TypedData } from './worker/types.js';

/**
 * The values for the names in braces of a binding's properties, such as `reports/{id}`: the trigger's metadata, the
 * properties of its value, for HTTP also the route, the query and the headers, and `sys`.
 */
export class BindingData {
  readonly #definition: Pick<FunctionDefinition, 'name'>;
  readonly #trigger: TypedData | undefined;
  readonly #metadata: Readonly<Record<string, TypedData>>;
  #values: Map<string, unknown> | undefined;

  /** @param trigger the value of the trigger */
  constructor(
    definition: Pick<FunctionDefinition, 'name'>,
    trigger: TypedData | undefined,
    metadata: Readonly<Record<string, TypedData>>,
  ) {
    this.#definition = definition;
    this.#trigger = trigger;
    this.#metadata = metadata;
  }

  /**
   * Replaces the names in a template. Names ignore case, and dots lead into objects.
   * @param escape makes a value safe where it stands, as in a filter
   * @throws Error for a name without a value, with the real host's text
   */
  resolve(template: string, escape: (value: string) => string = (value) => value): string {
    return template.replaceAll(/\{([^{}]+)\}/g, (_, expression: string) => {
      // The part after a colon is a format of .NET: of DateTime, and of rand-guid.
      const [path, format] = expression.split(':', 2) as [string, string?];
      const generated = GENERATED[path.trim().toLowerCase()]?.(format);
      if (generated !== undefined) return escape(generated);
      const value = this.#read(path.trim());
      if (value === undefined || value === null)
        throw new Error(`No value for named parameter '${path.trim()}'.`);
      return escape(typeof value === 'object' ? JSON.stringify(value) : scalarText(value));
    });
  }

  #read(path: string): unknown {
    let value: unknown = this.#all;
    for (const name of path.split('.')) {
      if (value instanceof Map) value = value.get(name.toLowerCase());
      else if (typeof value === 'object' && value !== null)
        value = Object.entries(value).find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];
      else return undefined;
    }
    return value;
  }

  get #all(): Map<string, unknown> {
    this.#values ??= new Map<string, unknown>([
      ...httpValues(this.#trigger?.http),
      ...Object.entries(this.#metadata).map(([name, data]): [string, unknown] => [
        name.toLowerCase(),
        data.json === undefined ? data.string : (JSON.parse(data.json) as unknown),
      ]),
      ['sys', { methodName: this.#definition.name }],
    ]);
    return this.#values;
  }
}

/** The names that are values themselves, in lower case. */
const GENERATED: Readonly<Record<string, (format: string | undefined) => string>> = {
  'rand-guid': guid,
  'sys.randguid': guid,
  datetime: now,
  'sys.utcnow': now,
};

function guid(format: string | undefined): string {
  const made = randomUUID();
  return format === 'N' ? made.replaceAll('-', '') : made;
}

/** @param format one of .NET; its default is made for the names of blobs */
function now(format = 'yyyy-MM-ddTHH-mm-ssZ'): string {
  const time = new Date().toISOString();
  const parts: Record<string, string> = {
    yyyy: time.slice(0, 4),
    yy: time.slice(2, 4),
    MM: time.slice(5, 7),
    dd: time.slice(8, 10),
    HH: time.slice(11, 13),
    mm: time.slice(14, 16),
    ss: time.slice(17, 19),
    fff: time.slice(20, 23),
  };
  return format.replaceAll(/yyyy|yy|MM|dd|HH|mm|ss|fff/g, (part) => parts[part]!);
}

/** The values that an HTTP request gives. */
function httpValues(http: Record<string, unknown> | undefined): [string, unknown][] {
  if (http === undefined) return [];
  const plain = (name: string): Record<string, unknown> => {
    const values = {
      ...(http[name.toLowerCase()] as Record<string, unknown> | undefined),
      ...(http[`nullable${name}`] as Record<string, unknown> | undefined),
    };
    return Object.fromEntries(
      Object.entries(values).map(([key, value]) => [
        key,
        typeof value === 'object' && value !== null ? (value as { value?: unknown }).value : value,
      ]),
    );
  };
  const { bytes, string } = (http['body'] ?? {}) as TypedData;
  const body = objectIn(string ?? (bytes === undefined ? undefined : Buffer.from(bytes).toString()));
  const [query, params, headers] = [plain('Query'), plain('Params'), plain('Headers')];
  const lowerCase = (values: Record<string, unknown>): [string, unknown][] =>
    Object.entries(values).map(([name, value]) => [name.toLowerCase(), value]);
  return [
    ...lowerCase(body),
    ...lowerCase(query),
    ...lowerCase(params),
    ['query', query],
    ['headers', headers],
  ];
}

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
