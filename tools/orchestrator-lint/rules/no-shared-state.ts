import type { Node, Reference, Rule, Variable } from '../ast.ts';
import { ancestors, functionAround, isFunction, isType, memberName, unwrap, wrapped } from '../ast.ts';
import type { OrchestratorCode } from '../code.ts';
import { orchestratorCode } from '../code.ts';

const CHANGING: ReadonlySet<string> = new Set([
  'push',
  'pop',
  'shift',
  'unshift',
  'splice',
  'sort',
  'reverse',
  'fill',
  'copyWithin',
  'delete',
  'clear',
]);
/**
 * These change a Map, a Set or a moment. An immutable object, such as one of dayjs, returns a new object
 * instead, and the code then uses that.
 */
const PERHAPS_CHANGING: ReadonlySet<string> = new Set(['set', 'add', 'subtract']);

/** All instances, and all replays of each, share the variables outside an orchestrator. */
export const noSharedState: Rule = {
  meta: {
    type: 'problem',
    docs: { description: 'An orchestrator keeps its state in its own variables.' },
    messages: {
      state:
        "'{{name}}' changes, but all instances and all their replays share it. Keep it in a variable of the orchestrator, in its input " +
        '(continueAsNew), in an entity, or in a record that activities read and write.',
    },
  },
  create: (context) => ({
    Program: () => {
      const code = orchestratorCode(context);
      if (code === undefined) return;
      const reported = new Set<Variable>();
      for (const { identifier, resolved } of code.names.references) {
        if (resolved === null || reported.has(resolved) || isType(identifier) || !code.includes(identifier))
          continue;
        if (
          !isOutside(resolved, code) ||
          !resolved.references.some((reference) => changesLater(reference, resolved, code))
        )
          continue;
        reported.add(resolved);
        const declared = resolved.defs[0]!.name;
        context.report({
          node: code.whole ? declared : identifier,
          messageId: 'state',
          data: { name: resolved.name },
        });
      }
    },
  }),
};

/**
 * Whether a variable outlives a replay: it belongs to the module, or to a function that is not orchestrator
 * code.
 */
function isOutside({ scope, defs: [definition] }: Variable, code: OrchestratorCode): boolean {
  if (definition === undefined) return false;
  return code.whole
    ? !isFunction(scope.block) && !ancestors(scope.block).some(isFunction)
    : !code.includes(scope.block);
}

/**
 * Whether a reference changes what a variable holds when a function runs, not only while the module is
 * loaded.
 */
function changesLater(
  reference: Reference,
  { defs: [definition], scope }: Variable,
  { names }: OrchestratorCode,
): boolean {
  const { identifier } = reference;
  const around = functionAround(identifier);
  // A function may fill its own variable before it registers the orchestrator.
  if (
    around === undefined ||
    around === (isFunction(scope.block) ? scope.block : functionAround(scope.block))
  )
    return false;
  if (reference.isWrite() && !reference.init) return true;
  const node = wrapped(identifier);
  const assigned =
    node.parent?.type === 'CallExpression' &&
    node.parent.arguments[0] === node &&
    names.of(node.parent.callee) === 'Object.assign';
  return assigned || isChanged(node, definition!.type === 'ImportBinding');
}

/**
 * Whether code writes or deletes a property of an expression, or calls a method that changes it. Packages
 * have functions of such names.
 */
function isChanged(node: Node, isImport: boolean): boolean {
  const { parent } = node;
  if (parent?.type !== 'MemberExpression' || parent.object !== node) return false;
  const member = wrapped(parent);
  const user = member.parent!;
  switch (user.type) {
    case 'AssignmentExpression':
      return user.left === member;
    case 'UpdateExpression':
      return true;
    case 'UnaryExpression':
      return user.operator === 'delete';
    case 'CallExpression':
      return user.callee === member && !isImport && changes(memberName(parent) ?? '', user);
    case 'MemberExpression':
      return unwrap(user.object) === parent && isChanged(member, isImport);
    default:
      return false;
  }
}

function changes(method: string, call: Node): boolean {
  return (
    CHANGING.has(method) ||
    (PERHAPS_CHANGING.has(method) && wrapped(call).parent?.type === 'ExpressionStatement')
  );
}
