import type { Node } from 'web-tree-sitter';
import {
  type Bicep,
  calls,
  children,
  literal,
  loopVariables,
  type Parameter,
  type Resource,
} from './bicep.ts';
import { callers, moduleFile, type Project } from './project.ts';

/** Where a value comes from in the end. */
export type Origin =
  | { kind: 'literal'; value: string; node: Node }
  | { kind: 'object'; node: Node; file: Bicep }
  | { kind: 'parameter'; parameter: Parameter }
  | { kind: 'resource'; resource: Resource; path: string }
  | { kind: 'other'; node: Node };

/** Follows an expression through variables, loops, conditions, parameters and outputs. An array stands for its items. */
export function origins(project: Project, file: Bicep, node: Node): Origin[] {
  const follow = (next: Node): Origin[] => origins(project, file, next);
  switch (node.type) {
    case 'string': {
      const value = literal(node);
      return [value === undefined ? { kind: 'other', node } : { kind: 'literal', value, node }];
    }
    case 'null':
      return [];
    case 'object':
      return [{ kind: 'object', node, file }];
    case 'array':
    case 'parenthesized_expression':
      return children(node).flatMap(follow);
    case 'for_statement':
      return follow(node.childForFieldName('body') ?? node);
    case 'ternary_expression':
      return [node.childForFieldName('consequence')!, node.childForFieldName('alternative')!].flatMap(follow);
    case 'call_expression': {
      const call = calls(node)[0];
      if (call && ['concat', 'union', 'coalesce'].includes(call.name)) return call.args.flatMap(follow);
      return call?.name === 'split' ? follow(call.args[0]!) : [{ kind: 'other', node }];
    }
    case 'resource_expression': {
      const resource = file.resources.get(children(node).at(-1)!.text);
      return [resource ? { kind: 'resource', resource, path: '' } : { kind: 'other', node }];
    }
    case 'identifier':
      return ofName(project, file, node);
    case 'member_expression':
      return ofMember(project, file, node);
    default:
      return [{ kind: 'other', node }];
  }
}

function ofName(project: Project, file: Bicep, node: Node): Origin[] {
  const iterated = loopVariables(node).get(node.text);
  if (iterated) return origins(project, file, iterated);
  const variable = file.variables.get(node.text);
  if (variable) return origins(project, file, variable.value);
  const resource = file.resources.get(node.text);
  if (resource) return [{ kind: 'resource', resource, path: '' }];
  const parameter = file.parameters.get(node.text);
  if (!parameter) return [{ kind: 'other', node }];
  const uses = callers(project, file.path);
  if (uses.length === 0) return [{ kind: 'parameter', parameter }];
  return uses.flatMap(({ from, module }) => {
    const given = module.params.get(parameter.name);
    if (given) return origins(project, from, given);
    return parameter.default ? origins(project, file, parameter.default) : [];
  });
}

function ofMember(project: Project, file: Bicep, node: Node): Origin[] {
  // `identity!.outputs.id`: the mark says that it is there, and changes nothing.
  const [root = '', ...path] = node.text.replaceAll(/[!?]/g, '').split('.');
  const module = file.modules.get(root);
  const target = module && moduleFile(project, module);
  const output = path[0] === 'outputs' ? target?.outputs.get(path[1] ?? '') : undefined;
  if (target && output) return origins(project, target, output.value);
  const resource = file.resources.get(root.split('::').at(-1)!);
  return [resource ? { kind: 'resource', resource, path: path.join('.') } : { kind: 'other', node }];
}
