/** Route templates of ASP.NET Core, as far as Azure Functions uses them. */

type Values = Record<string, string>;

interface Part {
  kind: 'literal' | 'parameter' | 'catchAll';
  /** The text of a literal, the name of a parameter. */
  text: string;
  optional: boolean;
  defaultValue: string | undefined;
  constraints: ((value: string) => boolean)[];
}

/** A route template that cannot be read. */
export class RouteTemplateError extends Error {
  override name = 'RouteTemplateError';
}

/** One route: a template and the methods it answers. */
export class Route<T> {
  readonly #pattern: RegExp;
  readonly #parameters: Part[] = [];
  /** For each segment how specific it is, 1 the most: the order in which ASP.NET Core tries routes. */
  readonly precedence: number[] = [];

  /** @throws RouteTemplateError */
  constructor(readonly template: string, readonly methods: readonly string[], readonly target: T) {
    const segments = splitSegments(template.replace(/^\//, '')).filter((segment) => segment !== '');
    let pattern = '';
    for (const segment of segments) {
      const parts = parseSegment(segment);
      if (parts.length === 0) continue;
      this.precedence.push(segmentPrecedence(parts));
      const [first] = parts;
      const optional = parts.length === 1 && first!.kind !== 'literal' && (first!.optional || first!.defaultValue !== undefined || first!.kind === 'catchAll');
      let inner = '';
      for (const part of parts) {
        if (part.kind === 'literal') {
          inner += escapeRegExp(part.text);
          continue;
        }
        this.#parameters.push(part);
        inner += part.kind === 'catchAll' ? '(.*)' : parts.length === 1 ? '([^/]+)' : '([^/]+?)';
      }
      pattern += optional ? `(?:/${inner})?` : `/${inner}`;
    }
    this.#pattern = new RegExp(`^${pattern}/?$`, 'i');
  }

  /** @returns the route's values, or undefined when the path does not match. `path` is encoded and begins with a slash. */
  match(path: string): Values | undefined {
    const found = this.#pattern.exec(path);
    if (found === null) return undefined;
    const values: Values = {};
    for (const [index, part] of this.#parameters.entries()) {
      const raw = found[index + 1];
      if (raw === undefined || raw === '') {
        if (part.defaultValue !== undefined) values[part.text] = part.defaultValue;
        continue;
      }
      // As ASP.NET does, an encoded slash stays encoded within a segment.
      const value = decode(raw);
      if (!part.constraints.every((holds) => holds(value))) return undefined;
      values[part.text] = value;
    }
    return values;
  }
}

/** The route that answers a request, chosen as ASP.NET Core does: the most specific template whose method fits. */
export class Router<T> {
  readonly #routes: Route<T>[] = [];

  add(route: Route<T>): void {
    this.#routes.push(route);
    this.#routes.sort((a, b) => comparePrecedence(a.precedence, b.precedence));
  }

  /** The Functions host makes methods part of the match: a known path with another method is 404, never 405. */
  find(method: string, path: string): { target: T; values: Values } | undefined {
    for (const route of this.#routes) {
      if (!route.methods.includes(method)) continue;
      const values = route.match(path);
      if (values !== undefined) return { target: route.target, values };
    }
    return undefined;
  }

  /** The methods that a path answers to, for CORS preflight. */
  methodsOf(path: string): string[] {
    return [...new Set(this.#routes.filter((route) => route.match(path) !== undefined).flatMap(({ methods }) => methods))];
  }
}

function comparePrecedence(a: readonly number[], b: readonly number[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** `RoutePrecedence.ComputeInbound`: literal, then constrained or composite, plain, constrained catch-all, catch-all. */
function segmentPrecedence(parts: readonly Part[]): number {
  const [first] = parts;
  if (parts.length > 1) return 2;
  const constrained = first!.constraints.length > 0;
  if (first!.kind === 'literal') return 1;
  if (first!.kind === 'catchAll') return constrained ? 4 : 5;
  return constrained ? 2 : 3;
}

/** Splits at slashes outside braces. */
function splitSegments(template: string): string[] {
  const segments = [''];
  let depth = 0;
  for (const character of template) {
    if (character === '{') depth++;
    if (character === '}') depth--;
    if (character === '/' && depth === 0) segments.push('');
    else segments[segments.length - 1] += character;
  }
  return segments;
}

function parseSegment(segment: string): Part[] {
  const parts: Part[] = [];
  let rest = segment;
  while (rest !== '') {
    if (!rest.startsWith('{')) {
      const end = rest.indexOf('{');
      const text = end < 0 ? rest : rest.slice(0, end);
      if (text.includes('}')) throw new RouteTemplateError(`There is a '}' without its '{' in the route segment '${segment}'.`);
      parts.push({ kind: 'literal', text, optional: false, defaultValue: undefined, constraints: [] });
      rest = rest.slice(text.length);
      continue;
    }
    const end = closingBrace(rest);
    if (end < 0) throw new RouteTemplateError(`There is a '{' without its '}' in the route segment '${segment}'.`);
    parts.push(parseParameter(rest.slice(1, end).replaceAll('{{', '{').replaceAll('}}', '}')));
    rest = rest.slice(end + 1);
  }
  return parts;
}

/** Braces inside a parameter (in a regex) are doubled. */
function closingBrace(text: string): number {
  for (let index = 1; index < text.length; index++) {
    if (text[index] === '{' && text[index + 1] === '{') index++;
    else if (text[index] === '}' && text[index + 1] === '}') index++;
    else if (text[index] === '}') return index;
  }
  return -1;
}

function parseParameter(text: string): Part {
  const catchAll = /^\*{1,2}/.exec(text);
  let rest = catchAll === null ? text : text.slice(catchAll[0].length);
  const optional = rest.endsWith('?');
  if (optional) rest = rest.slice(0, -1);
  const [head = '', ...constraints] = splitConstraints(rest);
  let [name = '', defaultValue] = split(head, '=');
  const last = constraints.at(-1);
  if (last !== undefined && defaultValue === undefined && !last.includes('(') && last.includes('=')) {
    const [constraint = '', value] = split(last, '=');
    constraints[constraints.length - 1] = constraint;
    defaultValue = value;
  }
  name = name.trim();
  if (!/^[^/{}?*]+$/.test(name)) throw new RouteTemplateError(`'${text}' is not a route parameter.`);
  return { kind: catchAll === null ? 'parameter' : 'catchAll', text: name, optional, defaultValue, constraints: constraints.map(parseConstraint) };
}

function split(text: string, separator: string): [string, string | undefined] {
  const index = text.indexOf(separator);
  return index < 0 ? [text, undefined] : [text.slice(0, index), text.slice(index + 1)];
}

function splitConstraints(text: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const character of text) {
    if (character === '(') depth++;
    if (character === ')') depth--;
    if (character === ':' && depth === 0) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts;
}

const INTEGER = /^\s*[-+]?\d+\s*$/;

function integerWithin(low: bigint, high: bigint): (value: string) => boolean {
  return (value) => INTEGER.test(value) && BigInt(value.trim().replace(/^\+/, '')) >= low && BigInt(value.trim().replace(/^\+/, '')) <= high;
}

const LONG = integerWithin(-(2n ** 63n), 2n ** 63n - 1n);

function parseConstraint(text: string): (value: string) => boolean {
  const [, name = '', , argument = ''] = /^([a-z]+)(\((.*)\))?$/is.exec(text.trim()) ?? [];
  const [first, second] = argument.split(',').map(Number);
  switch (name.toLowerCase()) {
    case 'int': return integerWithin(-(2n ** 31n), 2n ** 31n - 1n);
    case 'long': return LONG;
    case 'bool': return (value) => /^\s*(true|false)\s*$/i.test(value);
    case 'guid': return (value) => /^\s*(\{[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}|\([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\)|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32})\s*$/i.test(value);
    case 'alpha': return (value) => /^[a-z]*$/i.test(value);
    case 'decimal': return (value) => /^\s*[-+]?[\d,]*\.?\d+\s*$/.test(value);
    case 'double': case 'float': return (value) => value.trim() !== '' && Number.isFinite(Number(value));
    case 'datetime': return (value) => !Number.isNaN(Date.parse(value));
    case 'length': return (value) => (second === undefined ? value.length === first : value.length >= first! && value.length <= second);
    case 'minlength': return (value) => value.length >= first!;
    case 'maxlength': return (value) => value.length <= first!;
    case 'min': return (value) => LONG(value) && BigInt(value.trim()) >= BigInt(argument.trim());
    case 'max': return (value) => LONG(value) && BigInt(value.trim()) <= BigInt(argument.trim());
    case 'range': return (value) => LONG(value) && Number(value) >= first! && Number(value) <= second!;
    case 'required': return (value) => value !== '';
    case 'regex': {
      const pattern = new RegExp(argument, 'i');
      return (value) => pattern.test(value);
    }
    default: throw new RouteTemplateError(`The route constraint '${text}' is not known.`);
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll(/%2f/gi, '%252F'));
  } catch {
    return text;
  }
}

function escapeRegExp(text: string): string {
  return encodeURI(text).replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
