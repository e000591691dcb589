/** The syntax tree as oxlint gives it to rules, and functions that several rules need. */
import type { RuleTester } from 'oxlint/plugins-dev';

type AnyRule = Parameters<RuleTester['run']>[1];
export type Rule = Exclude<AnyRule, { createOnce: unknown }>;
export type Context = Parameters<Rule['create']>[0];
export type Visitor = ReturnType<Rule['create']>;
export type SourceCode = Context['sourceCode'];
type Scope = SourceCode['scopeManager']['scopes'][number];
export type Node = Scope['block'];
type OfType<Each, Type> = Each extends { type: infer Own }
  ? [Extract<Own, Type>] extends [never]
    ? never
    : Each
  : never;
/** Some kinds of nodes share an interface, whose `type` is a union. */
export type NodeOf<Type extends Node['type']> = OfType<Node, Type>;
export type Reference = Scope['references'][number];
export type Variable = NonNullable<Reference['resolved']>;
export type FunctionNode = NodeOf<'FunctionDeclaration' | 'FunctionExpression' | 'ArrowFunctionExpression'>;

export function isFunction(node: Node | null | undefined): node is FunctionNode {
  return (
    node?.type === 'FunctionDeclaration' ||
    node?.type === 'FunctionExpression' ||
    node?.type === 'ArrowFunctionExpression'
  );
}

/**
 * An expression without the parts that do not change its value: parentheses, types, `?.`, all but the last of
 * a sequence.
 */
export function unwrap(node: Node): Node {
  switch (node.type) {
    case 'ParenthesizedExpression':
    case 'ChainExpression':
    case 'TSAsExpression':
    case 'TSSatisfiesExpression':
    case 'TSNonNullExpression':
    case 'TSTypeAssertion':
    case 'TSInstantiationExpression':
      return unwrap(node.expression);
    case 'SequenceExpression':
      return unwrap(node.expressions.at(-1)!);
    default:
      return node;
  }
}

/** The outermost node that is the same expression as `node`: the reverse of {@link unwrap}. */
export function wrapped(node: Node): Node {
  const { parent } = node;
  return parent !== null && unwrap(parent) === unwrap(node) ? wrapped(parent) : node;
}

/** The name of a property, if the code shows it: `.name`, `['name']`, `{ name }`. */
export function propertyName(key: Node, computed: boolean): string | undefined {
  if (!computed && (key.type === 'Identifier' || key.type === 'PrivateIdentifier')) return key.name;
  if (key.type === 'Literal') return String(key.value);
  return key.type === 'TemplateLiteral' && key.expressions.length === 0
    ? (key.quasis[0]!.value.cooked ?? undefined)
    : undefined;
}

export function memberName(node: NodeOf<'MemberExpression'>): string | undefined {
  return propertyName(node.property, node.computed);
}

/** The text of a string literal. */
export function stringValue(node: Node | undefined): string | undefined {
  return node?.type === 'Literal' && typeof node.value === 'string' ? node.value : undefined;
}

/** The nodes that contain a node, the innermost first. */
export function ancestors(node: Node): Node[] {
  const around: Node[] = [];
  for (let { parent } = node; parent !== null; { parent } = parent) around.push(parent);
  return around;
}

/** The innermost function that contains a node in its body or parameters. */
export function functionAround(node: Node): FunctionNode | undefined {
  return ancestors(node).find(isFunction);
}

/**
 * A node and all nodes below it. A node for which `leaveOut` is true is left out, with all nodes below it.
 */
export function within(
  node: Node,
  keys: SourceCode['visitorKeys'],
  leaveOut: (node: Node) => boolean = () => false,
): Node[] {
  const children = (keys[node.type] ?? []).flatMap(
    (key) => (node as unknown as Record<string, Node | (Node | null)[] | null | undefined>)[key] ?? [],
  );
  return [
    node,
    ...children.flatMap((child) => (child === null || leaveOut(child) ? [] : within(child, keys, leaveOut))),
  ];
}

/** Whether a name is used as a type. */
export function isType(identifier: Node): boolean {
  const parent = identifier.parent!;
  switch (parent.type) {
    case 'TSAsExpression':
    case 'TSSatisfiesExpression':
    case 'TSNonNullExpression':
    case 'TSTypeAssertion':
    case 'TSInstantiationExpression':
    case 'TSExportAssignment':
    case 'TSEnumMember':
      return false;
    default:
      return parent.type.startsWith('TS');
  }
}
