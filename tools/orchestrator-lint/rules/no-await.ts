import type { FunctionNode, Node, Rule } from '../ast.ts';
import { orchestratorCode } from '../code.ts';

/** An orchestrator continues when the host gives it a result, not when a promise resolves. */
export const noAwait: Rule = {
  meta: {
    type: 'problem',
    docs: { description: 'Orchestrators wait by yielding tasks.' },
    messages: {
      await:
        'The host does not wait for promises, and a replay does not restore them. Await in an activity, and yield its task.',
      async:
        'Orchestrator code is synchronous: make an orchestrator a plain generator (function*) that yields tasks, and await in activities.',
      promise:
        'The host does not wait for promises. Yield context.df.Task.all() or context.df.Task.any() of tasks.',
      import:
        'A dynamic import is awaited, and the host does not wait for promises. Import at the top of the file.',
    },
  },
  create(context) {
    const inside = (node: Node): boolean => orchestratorCode(context)?.includes(node) === true;
    const check =
      (messageId: string) =>
      (node: Node): void => {
        if (inside(node)) context.report({ node, messageId });
      };
    const checkFunction = (node: FunctionNode): void => {
      if (node.async) check('async')(node);
    };
    return {
      AwaitExpression: check('await'),
      ImportExpression: check('import'),
      ForOfStatement: (node) => {
        if (node.await) check('await')(node);
      },
      FunctionDeclaration: checkFunction,
      FunctionExpression: checkFunction,
      ArrowFunctionExpression: checkFunction,
      Program: () => {
        const code = orchestratorCode(context);
        for (const node of code?.names.uses('Promise', code) ?? [])
          context.report({ node, messageId: 'promise' });
      },
    };
  },
};
