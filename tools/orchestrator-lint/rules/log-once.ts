import type { Node, Rule } from '../ast.ts';
import { isFunction, memberName, unwrap, wrapped } from '../ast.ts';
import type { OrchestratorCode } from '../code.ts';
import { orchestratorCode } from '../code.ts';

const LOGS: ReadonlySet<string | undefined> = new Set(
  ['log', 'trace', 'debug', 'info', 'warn', 'error'].map((level) => `context.${level}`),
);

/** A replay logs each line again. */
export const logOnce: Rule = {
  meta: {
    type: 'problem',
    docs: { description: 'Orchestrators log only while they are not replaying.' },
    messages: {
      console:
        "Each replay runs '{{name}}' again, and its line belongs to no function's log. Write 'if (!context.df.isReplaying) context.log(...)', or log in an activity.",
      replayed:
        "Each replay runs '{{name}}' again. Write 'if (!context.df.isReplaying) {{name}}(...)', or log in an activity.",
    },
  },
  create: (context) => ({
    Program: () => {
      const code = orchestratorCode(context);
      if (code === undefined) return;
      for (const node of code.names.uses('console', code)) {
        const parent = wrapped(node).parent!;
        const level = parent.type === 'MemberExpression' ? memberName(parent) : undefined;
        context.report({
          node,
          messageId: 'console',
          data: { name: level === undefined ? 'console' : `console.${level}` },
        });
      }
    },
    CallExpression: (call) => {
      const code = orchestratorCode(context);
      if (code?.includes(call) !== true || !LOGS.has(code.names.of(call.callee)) || isGuarded(call, code))
        return;
      context.report({
        node: call,
        messageId: 'replayed',
        data: { name: context.sourceCode.getText(call.callee) },
      });
    },
  }),
};

/** Whether a node runs only while the orchestrator is not replaying. */
function isGuarded(node: Node, code: OrchestratorCode): boolean {
  for (
    let child = node, parent = node.parent;
    parent !== null && parent !== undefined;
    child = parent, parent = parent.parent
  ) {
    switch (parent.type) {
      case 'IfStatement':
      case 'ConditionalExpression':
        if (child === parent.consequent && tellsNew(parent.test, true, code)) return true;
        if (child === parent.alternate && tellsNew(parent.test, false, code)) return true;
        break;
      case 'LogicalExpression':
        if (
          child === parent.right &&
          parent.operator !== '??' &&
          tellsNew(parent.left, parent.operator === '&&', code)
        )
          return true;
        break;
      case 'BlockStatement': {
        // A helper may return early while replaying. An orchestrator that did so would not be deterministic.
        if (!isFunction(parent.parent) || parent.parent.generator) break;
        const before = parent.body.slice(0, parent.body.indexOf(child as (typeof parent.body)[number]));
        if (
          before.some(
            (statement) =>
              statement.type === 'IfStatement' &&
              returns(statement.consequent) &&
              tellsNew(statement.test, false, code),
          )
        )
          return true;
        break;
      }
      default:
        break;
    }
  }
  return false;
}

function returns(statement: Node): boolean {
  return (
    statement.type === 'ReturnStatement' ||
    (statement.type === 'BlockStatement' && statement.body.at(-1)?.type === 'ReturnStatement')
  );
}

/** Whether the outcome of a test shows that the orchestrator is not replaying. */
function tellsNew(from: Node, outcome: boolean, code: OrchestratorCode): boolean {
  const test = unwrap(from);
  switch (test.type) {
    case 'UnaryExpression':
      return test.operator === '!' && tellsNew(test.argument, !outcome, code);
    case 'LogicalExpression': {
      const sides = [test.left, test.right].map((side) => tellsNew(side, outcome, code));
      // If `a && b` is true, both are. If it is false, one of them is.
      return (test.operator === '&&') === outcome ? sides.includes(true) : !sides.includes(false);
    }
    case 'BinaryExpression': {
      const value = [test.left, test.right].map(unwrap).find((side) => side.type === 'Literal');
      const other = [test.left, test.right].map(unwrap).find((side) => side.type !== 'Literal');
      if (value?.type !== 'Literal' || typeof value.value !== 'boolean' || other === undefined) return false;
      const equal = test.operator === '===' || test.operator === '==';
      if (!equal && test.operator !== '!==' && test.operator !== '!=') return false;
      return tellsNew(other, (outcome === equal) === value.value, code);
    }
    default:
      return !outcome && code.names.of(test) === 'context.df.isReplaying';
  }
}
