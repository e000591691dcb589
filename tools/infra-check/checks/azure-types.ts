/** Resources as Azure publishes them. */
import type { Node } from 'web-tree-sitter';
import type { Bicep } from '../bicep.ts';
import { calls, children, get, literal, properties } from '../bicep.ts';
import type { Check, Report } from '../check.ts';
import { kindOf } from '../names.ts';
import { type Origin, origins } from '../origins.ts';
import type { Project } from '../project.ts';
import type { ObjectShape, Shape } from '../types.ts';

/** Bicep's own, in the body of any resource. */
const OF_BICEP = new Set(['scope', 'parent', 'dependsOn']);
const KIND_OF_SHAPE: Record<string, string> = {
  string: 'string',
  int: 'int',
  bool: 'bool',
  oneOf: 'string',
  items: 'array',
  properties: 'object',
  by: 'object',
};

export const typesPublished: Check = {
  title:
    'Every resource has a published API version, the properties that this version has and requires, and values of their types',
  run: (project, report) => {
    let seen = 0;
    for (const [path, file] of project.files) {
      for (const { type, version, node, body, existing } of file.resources.values()) {
        const shape = project.types.resources[`${type}@${version}`];
        if (shape === undefined) {
          report(
            path,
            node,
            `${type}@${version} is not in types.json: if it is published, update-types.ts adds it`,
          );
          continue;
        }
        if (existing) {
          const written = [...properties(body).keys()];
          for (const name of written)
            if (name !== 'name' && !OF_BICEP.has(name))
              report(path, node, `${name} says nothing about what exists already`);
          if (!written.includes('name')) report(path, node, 'which one it is has to be said: name');
          continue;
        }
        const look = new Look(project, file, report);
        look.value(body, shape, '');
        seen += look.seen;
      }
    }
    return `${seen} properties against Azure/bicep-types-az ${project.types.commit.slice(0, 7)}`;
  },
};

export const readsPublished: Check = {
  title: 'Whatever is read of a resource, a variable or what a loop goes through is there to be read',
  run: (project, report) => {
    let reads = 0;
    for (const [path, file] of project.files) {
      for (const node of file.root.descendantsOfType('member_expression')) {
        if (node.parent?.type === 'member_expression') continue;
        let from = node;
        while (from.type === 'member_expression') from = children(from)[0]!;
        const names = node.descendantsOfType('property_identifier').map((name) => name.text);
        for (const origin of origins(project, file, from)) {
          const missing = absent(project, origin, names);
          if (missing === undefined) continue;
          reads += 1;
          if (missing !== '') report(path, node, `there is no ${missing} to be read`);
        }
      }
    }
    return `${reads} values read`;
  },
};

/** The first of these names that is not there; '' when all are, `undefined` where it cannot be told. */
function absent(project: Project, origin: Origin, names: string[]): string | undefined {
  if (origin.kind === 'object') return properties(origin.node).has(names[0]!) ? '' : names[0];
  if (origin.kind !== 'resource') return undefined;
  let shape = project.types.resources[`${origin.resource.type}@${origin.resource.version}`];
  for (const name of [...origin.path.split('.').filter(Boolean), ...names]) {
    if (typeof shape !== 'object' || !('properties' in shape)) return shape === 'any' ? '' : undefined;
    const { properties: known, others }: ObjectShape = shape;
    shape = Object.hasOwn(known, name) ? known[name] : others;
    if (shape === undefined) return name;
  }
  return '';
}

class Look {
  seen = 0;
  readonly #project: Project;
  readonly #file: Bicep;
  readonly #report: Report;

  constructor(project: Project, file: Bicep, report: Report) {
    this.#project = project;
    this.#file = file;
    this.#report = report;
  }

  #say(node: Node, message: string): void {
    this.#report(this.#file.path, node, message);
  }

  /** @param path where in the resource: `properties.sku` */
  value(node: Node, shape: Shape, path: string): void {
    if (shape === 'any' || node.type === 'null') return;
    if (shape === 'cut') {
      this.#say(node, `${path} is not in types.json: run update-types.ts`);
      return;
    }
    if (node.type === 'object' && typeof shape === 'object' && ('properties' in shape || 'by' in shape)) {
      this.#object(node, 'by' in shape ? shape.variants[literal(get(node, shape.by)) ?? ''] : shape, path);
      return;
    }
    if (node.type === 'ternary_expression') {
      for (const branch of ['consequence', 'alternative'])
        this.value(node.childForFieldName(branch)!, shape, path);
      return;
    }
    if (node.type === 'identifier') {
      const variable = this.#file.variables.get(node.text);
      if (variable) {
        this.value(variable.value, shape, path);
        return;
      }
    }
    if (node.type === 'call_expression' && ['concat', 'union'].includes(calls(node)[0]?.name ?? '')) {
      for (const argument of calls(node)[0]!.args) this.value(argument, shape, path);
      return;
    }
    if (typeof shape === 'object' && 'items' in shape) {
      if (node.type === 'array') for (const item of children(node)) this.value(item, shape.items, path);
      if (node.type === 'for_statement') this.value(node.childForFieldName('body')!, shape.items, path);
    }
    const wanted = KIND_OF_SHAPE[typeof shape === 'string' ? shape : Object.keys(shape)[0]!];
    const kind = kindOf(this.#file, node);
    if (kind !== undefined && wanted !== undefined && kind !== wanted)
      this.#say(node, `${path} takes ${wanted}, and gets ${kind}`);
    if (typeof shape === 'object' && 'oneOf' in shape) this.#text(node, shape.oneOf, path);
  }

  #object(node: Node, shape: Shape | undefined, path: string): void {
    if (typeof shape !== 'object' || !('properties' in shape)) return;
    const { properties: known, required = [], readOnly = [], others }: ObjectShape = shape;
    const written = properties(node);
    for (const [name, value] of written) {
      if (path === '' && OF_BICEP.has(name)) continue;
      this.seen += 1;
      const inner = path === '' ? name : `${path}.${name}`;
      const taken = Object.hasOwn(known, name) ? known[name]! : others;
      if (taken === undefined) this.#say(value, `there is no property ${inner}`);
      else if (readOnly.includes(name)) this.#say(value, `${inner} cannot be written`);
      else this.value(value, taken, inner);
    }
    for (const name of required)
      if (!written.has(name) && !readOnly.includes(name))
        this.#say(node, `${path === '' ? name : `${path}.${name}`} is required`);
  }

  #text(node: Node, allowed: string[], path: string): void {
    for (const origin of origins(this.#project, this.#file, node)) {
      const texts =
        origin.kind === 'literal'
          ? [origin.value]
          : origin.kind === 'parameter'
            ? (origin.parameter.allowed ?? [])
            : [];
      for (const text of texts)
        if (!allowed.includes(text))
          this.#say(node, `${path} takes ${allowed.join(', ')}, and gets '${text}'`);
    }
  }
}
