import type { Context, FunctionNode, Node, NodeOf, Rule } from '../ast.ts';
import { isFunction, unwrap, within } from '../ast.ts';
import type { OrchestratorCode } from '../code.ts';
import { isCalled, localFunction, orchestratorCode } from '../code.ts';

/** The SDK's functions that return a task. A task is scheduled only when it is yielded. */
const TASKS: ReadonlySet<string | undefined> = new Set(
  [
    'callActivity',
    'callActivityWithRetry',
    'callSubOrchestrator',
    'callSubOrchestratorWithRetry',
    'callHttp',
    'callEntity',
    'createTimer',
    'waitForExternalEvent',
    'lock',
    'Task.all',
    'Task.any',
  ].map((name) => `context.df.${name}`),
);

/** A task, or a generator of tasks, that is never yielded does nothing. */
export const noLostTask: Rule = {
  meta: {
    type: 'problem',
    docs: { description: 'Yield, assign, return or pass on the result of each call with the context.' },
    messages: {
      task: "This task is not yielded, so it is never scheduled. Write 'yield {{call}}', or keep it for context.df.Task.all() or any().",
      context:
        "The result of '{{call}}' is ignored, and a task that is not yielded is never scheduled. Write 'yield* {{call}}' (or 'yield'), or keep it; " +
        'if it returns no task, name it in settings.orchestrators.effects.',
      generator: "A generator does nothing until it is iterated. Write 'yield* {{call}}'.",
      star: "This yields the generator itself, which the host does not understand. Write 'yield* {{call}}'.",
    },
  },
  create(context) {
    const report = (call: NodeOf<'CallExpression'>, messageId: string): void => {
      context.report({
        node: call,
        messageId,
        data: { call: `${context.sourceCode.getText(call.callee)}(...)` },
      });
    };
    return {
      ExpressionStatement: ({ expression }) => {
        const code = orchestratorCode(context);
        if (code?.includes(expression) !== true) return;
        for (const call of discarded(expression)) {
          const messageId = lost(call, code, context);
          if (messageId !== undefined) report(call, messageId);
        }
      },
      YieldExpression: ({ delegate, argument }) => {
        const code = orchestratorCode(context);
        const call = argument === null ? undefined : unwrap(argument);
        if (delegate || call?.type !== 'CallExpression' || code?.includes(call) !== true) return;
        if (isGenerator(localFunction(call.callee, code.names))) report(call, 'star');
      },
    };
  },
};

/** The calls whose results an expression statement ignores. */
function* discarded(from: Node): Generator<NodeOf<'CallExpression'>> {
  if (from.type === 'SequenceExpression') {
    for (const expression of from.expressions) yield* discarded(expression);
    return;
  }
  const node = unwrap(from);
  switch (node.type) {
    case 'CallExpression':
      yield node;
      break;
    case 'SequenceExpression':
      yield* discarded(node);
      break;
    case 'UnaryExpression':
      yield* discarded(node.argument);
      break;
    case 'LogicalExpression':
      yield* discarded(node.right);
      break;
    case 'ConditionalExpression':
      yield* discarded(node.consequent);
      yield* discarded(node.alternate);
      break;
    default:
      break;
  }
}

function lost(
  { callee, arguments: [first] }: NodeOf<'CallExpression'>,
  { names, settings }: OrchestratorCode,
  { sourceCode }: Context,
): string | undefined {
  const name = names.of(callee);
  if (TASKS.has(name)) return 'task';
  const called = localFunction(callee, names);
  if (isGenerator(called)) return 'generator';
  if (first === undefined || names.of(first) !== 'context') return undefined;
  // JavaScript's own functions, and those of the context itself, return no tasks.
  const root = name?.split('.')[0];
  if (root !== undefined && (root === 'context' || root in globalThis)) return undefined;
  if (called !== undefined ? !returns(called, sourceCode.visitorKeys) : isCalled(callee, settings.effects))
    return undefined;
  return 'context';
}

function isGenerator(called: FunctionNode | undefined): boolean {
  return called !== undefined && called.generator && !called.async;
}

/** Whether a function returns a value. */
function returns({ body, returnType }: FunctionNode, keys: Context['sourceCode']['visitorKeys']): boolean {
  if (returnType?.typeAnnotation.type === 'TSVoidKeyword') return false;
  if (body === null) return true;
  return (
    body.type !== 'BlockStatement' ||
    within(body, keys, isFunction).some((node) => node.type === 'ReturnStatement' && node.argument !== null)
  );
}
