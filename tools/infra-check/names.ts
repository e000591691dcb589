/** What stands where in an expression. */
import type { Node } from 'web-tree-sitter';
import { type Bicep, children, loopVariables } from './bicep.ts';

/** What an identifier does where it stands. */
export function placeOf(node: Node): 'declares' | 'calls' | 'uses' {
  const parent = node.parent!;
  const isFirst = children(parent)[0]?.equals(node) === true;
  if (parent.type === 'call_expression' && parent.childForFieldName('function')?.equals(node)) {
    // Decorators are the parser's business.
    return parent.parent?.type === 'decorator' ? 'declares' : 'calls';
  }
  if (parent.type === 'object_property' && isFirst) return 'declares';
  if (parent.type === 'lambda_expression' && isFirst) return 'declares';
  if (parent.type.endsWith('_declaration') && isFirst) return 'declares';
  return 'uses';
}

/** Whether a loop or a lambda around it gives this name. */
export function isLocal(node: Node): boolean {
  if (loopVariables(node).has(node.text)) return true;
  for (let above = node.parent; above !== null; above = above.parent) {
    if (above.type !== 'lambda_expression') continue;
    const [first] = children(above);
    if (first && (first.text === node.text || children(first).some((name) => name.text === node.text)))
      return true;
  }
  return false;
}

const KINDS: Record<string, string> = {
  string: 'string',
  number: 'int',
  boolean: 'bool',
  array: 'array',
  object: 'object',
  for_statement: 'array',
};

/** `undefined` where it cannot be told without knowing all of Bicep. */
export function kindOf(file: Bicep, node: Node): string | undefined {
  if (node.type === 'identifier' && !isLocal(node)) {
    const variable = file.variables.get(node.text);
    return variable ? kindOf(file, variable.value) : file.parameters.get(node.text)?.type;
  }
  if (node.type === 'ternary_expression') {
    const [a, b] = [node.childForFieldName('consequence')!, node.childForFieldName('alternative')!].map(
      (branch) => kindOf(file, branch),
    );
    return a === b ? a : undefined;
  }
  return KINDS[node.type];
}
