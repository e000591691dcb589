/** Route templates of ASP.NET Core, and the order in which the Functions host tries them. */
import { pathSegments } from '../http-text.js';
import { parseConstraint } from './route-constraints.js';

/** Values by parameter name. A parameter that the path leaves out is absent, unless it has a default. */
export type RouteValues = Record<string, string>;

interface Literal {
  kind: 'literal';
  text: string;
}

interface Parameter {
  kind: 'parameter' | 'catchAll';
  name: string;
  optional: boolean;
  defaultValue: string | undefined;
  constraints: ((value: string) => boolean)[];
}

type Part = Literal | Parameter;

interface Segment {
  parts: Part[];
  /** Whether a path may end before this segment. */
  mayBeMissing: boolean;
  /** For segments of several parts, for example `{name}.{extension?}`; matched in this order. */
  patterns: RegExp[] | undefined;
}

/** A route template is invalid. The message is one line for a person. */
export class RouteTemplateError extends Error {
  override name = 'RouteTemplateError';
}

/** One route: a template, and the methods that it answers. */
export class Route<T> {
  /** Without slashes at its start and end. */
  readonly template: string;
  readonly #segments: Segment[];
  readonly #defaults: RouteValues = {};

  /** @throws RouteTemplateError */
  constructor(
    template: string,
    readonly methods: readonly string[],
    readonly target: T,
  ) {
    this.template = template.replace(/^\//, '').replace(/\/$/, '');
    this.#segments = splitSegments(this.template).map(parseSegment);
    for (const { parts } of this.#segments) {
      for (const part of parts)
        if (part.kind !== 'literal' && part.defaultValue !== undefined)
          this.#defaults[part.name] = part.defaultValue;
    }
    const names = this.#segments.flatMap(({ parts }) =>
      parts.flatMap((part) => (part.kind === 'literal' ? [] : [part.name.toLowerCase()])),
    );
    const repeated = names.find((name, index) => names.indexOf(name) < index);
    if (repeated !== undefined)
      throw new RouteTemplateError(`The parameter '${repeated}' is twice in '${template}'.`);
    const catchAll = this.#segments.findIndex(({ parts }) => parts.some(({ kind }) => kind === 'catchAll'));
    if (
      catchAll >= 0 &&
      (catchAll < this.#segments.length - 1 || this.#segments[catchAll]!.parts.length > 1)
    ) {
      throw new RouteTemplateError(
        `A catch-all parameter has to be the last segment of a route. It is not in '${template}'.`,
      );
    }
  }

  /** Whether the template has no parameters, so that it matches one path only. */
  get isLiteral(): boolean {
    return this.#segments.every(({ parts }) => parts.every(({ kind }) => kind === 'literal'));
  }

  /**
   * @param path the decoded segments, see {@link pathSegments}; a slash at the end makes an empty last one
   * @returns undefined when the path does not match
   */
  match(path: readonly string[]): RouteValues | undefined {
    const values: RouteValues = { ...this.#defaults };
    for (const [index, segment] of this.#segments.entries()) {
      const [first] = segment.parts;
      if (first!.kind === 'catchAll') {
        const rest = path.slice(index).join('/');
        if (rest.startsWith('/')) return undefined;
        if (rest !== '') values[first!.name] = rest;
        return this.#satisfied(values);
      }
      const text = path[index];
      if (text === undefined || text === '') {
        // A path may leave out its last segments only.
        if (!segment.mayBeMissing || path.length > index + 1) return undefined;
        continue;
      }
      if (!matchSegment(segment, text, values)) return undefined;
    }
    if (
      path.length > this.#segments.length &&
      !(path.length === this.#segments.length + 1 && path.at(-1) === '')
    )
      return undefined;
    return this.#satisfied(values);
  }

  /** @returns the values, if they satisfy the constraints of all parameters */
  #satisfied(values: RouteValues): RouteValues | undefined {
    return this.#segments.every(({ parts }) => parts.every((part) => satisfied(part, values)))
      ? values
      : undefined;
  }
}

function satisfied(part: Part, values: RouteValues): boolean {
  if (part.kind === 'literal' || part.constraints.length === 0) return true;
  const value = values[part.name];
  return value === undefined ? part.optional : part.constraints.every((holds) => holds(value));
}

function matchSegment({ parts, patterns }: Segment, text: string, values: RouteValues): boolean {
  const [first] = parts;
  if (patterns === undefined) {
    if (first!.kind === 'literal') return first!.text.toLowerCase() === text.toLowerCase();
    values[first!.name] = text;
    return true;
  }
  for (const pattern of patterns) {
    const found = pattern.exec(text);
    if (found === null) continue;
    const names = parts.filter((part) => part.kind !== 'literal').map(({ name }) => name);
    for (const [index, value] of found.slice(1).entries()) values[names[index]!] = value;
    return true;
  }
  return false;
}

/**
 * Chooses the function that answers a request.
 *
 * The Functions host does not use ASP.NET Core's precedence of templates. It tries the functions in the order
 * of their names, ignoring case, and takes the first one with a matching template and method
 * (`FunctionMetadataManager` sorts, `WebJobsRouteBuilder` makes a plain list). So the response to a known
 * path with another method is 404, never 405.
 */
export class Router<T> {
  readonly #routes: { name: string; route: Route<T> }[] = [];

  add(functionName: string, route: Route<T>): void {
    this.#routes.push({ name: functionName.toUpperCase(), route });
    this.#routes.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  find(method: string, path: readonly string[]): { target: T; values: RouteValues } | undefined {
    for (const { route } of this.#routes) {
      if (!route.methods.includes(method)) continue;
      const values = route.match(path);
      if (values !== undefined) return { target: route.target, values };
    }
    return undefined;
  }

  /**
   * Routes without parameters that never answer one of their methods, because another route comes before
   * them.
   */
  *shadowed(): Iterable<{ route: Route<T>; method: string; by: T }> {
    for (const { route } of this.#routes) {
      if (!route.isLiteral) continue;
      for (const method of route.methods) {
        const found = this.find(method, pathSegments(`/${route.template}`));
        if (found === undefined || found.target === route.target) continue;
        yield { route, method, by: found.target };
        break;
      }
    }
  }
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
  return template === '' ? [] : segments;
}

function parseSegment(text: string): Segment {
  const parts: Part[] = [];
  for (let rest = text; rest !== '';) {
    if (rest.startsWith('{')) {
      const end = closingBrace(rest);
      if (end < 0) throw new RouteTemplateError(`The route segment '${text}' has a '{' without a '}'.`);
      parts.push(parseParameter(rest.slice(1, end).replaceAll('{{', '{').replaceAll('}}', '}')));
      rest = rest.slice(end + 1);
    } else {
      const [literal] = /^[^{]*/.exec(rest)!;
      if (literal.includes('}'))
        throw new RouteTemplateError(`The route segment '${text}' has a '}' without a '{'.`);
      parts.push({ kind: 'literal', text: literal });
      rest = rest.slice(literal.length);
    }
  }
  if (parts.length === 0) throw new RouteTemplateError('A route has an empty segment: two slashes in a row.');
  const [only] = parts;
  const mayBeMissing =
    parts.length === 1 && only!.kind !== 'literal' && (only!.optional || only!.defaultValue !== undefined);
  return { parts, mayBeMissing, patterns: parts.length === 1 ? undefined : compositePatterns(parts) };
}

/**
 * Parameters match as much as they can, from the left. An optional last parameter may be missing, together
 * with the dot before it, but not without that dot.
 */
function compositePatterns(parts: readonly Part[]): RegExp[] {
  const pattern = (some: readonly Part[], ahead = ''): RegExp => {
    const sources = some.map((part) =>
      part.kind === 'literal' ? part.text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&') : '(.+)',
    );
    return new RegExp(`^${ahead}${sources.join('')}$`, 'is');
  };
  const last = parts.at(-1)!;
  return last.kind !== 'literal' && last.optional
    ? [pattern(parts), pattern(parts.slice(0, -2), '(?!.*\\.$)')]
    : [pattern(parts)];
}

/** Braces inside a parameter (in a regex) are doubled. */
function closingBrace(text: string): number {
  for (let index = 1; index < text.length; index++) {
    const character = text[index];
    if (character !== '{' && character !== '}') continue;
    if (text[index + 1] === character) index++;
    else if (character === '}') return index;
  }
  return -1;
}

function parseParameter(text: string): Parameter {
  const stars = /^\*{0,2}/.exec(text)![0].length;
  const optional = text.endsWith('?');
  const [head = '', ...constraints] = splitConstraints(text.slice(stars, optional ? -1 : undefined));
  let [, name = '', defaultValue] = /^([^=]*)(?:=(.*))?$/s.exec(head)!;
  const last = constraints.at(-1);
  const behind = last === undefined ? null : /^([^(=]*(?:\(.*\))?)=([^)]*)$/s.exec(last);
  if (behind !== null) {
    constraints[constraints.length - 1] = behind[1]!;
    defaultValue = behind[2];
  }
  name = name.trim();
  if (!/^[^/{}?*]+$/.test(name)) throw new RouteTemplateError(`'{${text}}' is not a route parameter.`);
  if (optional && defaultValue !== undefined)
    throw new RouteTemplateError(`The route parameter '{${text}}' is optional and has a default.`);
  return {
    kind: stars > 0 ? 'catchAll' : 'parameter',
    name,
    optional,
    defaultValue,
    constraints: constraints.map((constraint) => {
      try {
        return parseConstraint(constraint);
      } catch (error) {
        throw new RouteTemplateError(
          `The constraint '${constraint}' of the route parameter '{${text}}' cannot be read: ${(error as Error).message}`,
        );
      }
    }),
  };
}

/** Splits at colons outside parentheses. */
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
