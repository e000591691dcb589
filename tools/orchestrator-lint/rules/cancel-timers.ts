import type { Node, NodeOf, Rule, Variable } from '../ast.ts';
import { memberName, unwrap, wrapped } from '../ast.ts';
import type { OrchestratorCode } from '../code.ts';
import { isCalled, orchestratorCode } from '../code.ts';

/** A timer that loses a race keeps its instance Running until it fires. */
export const cancelTimers: Rule = {
  meta: {
    type: 'problem',
    docs: { description: 'Cancel a timer when another task wins the race against it.' },
    messages: {
      unnamed:
        'If another task wins, no code can cancel this timer, and the instance stays Running until it fires. Keep it in a variable, and cancel() it.',
      uncancelled:
        "If another task wins, the timer '{{name}}' keeps the instance Running until it fires. Call {{name}}.cancel() then.",
    },
  },
  create: (context) => ({
    CallExpression: (call) => {
      const code = orchestratorCode(context);
      if (code?.includes(call) !== true || !isRace(call, code)) return;
      const raced = [...runners(tasksOf(call), code)];
      const left = raced.filter(
        ({ timer, variable }) => timer && (variable === undefined || !isCancelled(variable, code)),
      );
      // Where all tasks are timers, the one that wins needs no cancel().
      if (left.length === 1 && raced.every(({ timer }) => timer)) return;
      for (const { node, variable } of left) {
        context.report(
          variable === undefined
            ? { node, messageId: 'unnamed' }
            : { node, messageId: 'uncancelled', data: { name: variable.name } },
        );
      }
    },
  }),
};

function isRace({ callee }: NodeOf<'CallExpression'>, { names, settings }: OrchestratorCode): boolean {
  return names.of(callee) === 'context.df.Task.any' || isCalled(callee, settings.races);
}

function isCompound(node: Node, code: OrchestratorCode): node is NodeOf<'CallExpression'> {
  return (
    node.type === 'CallExpression' &&
    (code.names.of(node.callee) === 'context.df.Task.all' || isRace(node, code))
  );
}

function isTimer(node: Node, { names, settings }: OrchestratorCode): boolean {
  return (
    node.type === 'CallExpression' &&
    (names.of(node.callee) === 'context.df.createTimer' || isCalled(node.callee, settings.timers))
  );
}

/** The list of tasks among the arguments of a race, at any position. */
function tasksOf(call: NodeOf<'CallExpression'>): Node[] {
  return call.arguments.map((argument) =>
    unwrap(argument.type === 'SpreadElement' ? argument.argument : argument),
  );
}

interface Runner {
  /** The expression in the race. */
  node: Node;
  /** The variable that holds it. */
  variable?: Variable;
  timer: boolean;
}

/**
 * The tasks of a race: expressions, the values of variables, the elements of lists and of nested compounds.
 */
function* runners(
  tasks: readonly Node[],
  code: OrchestratorCode,
  seen: ReadonlySet<Variable> = new Set(),
): Generator<Runner> {
  for (const node of tasks) {
    if (isTimer(node, code)) yield { node, timer: true };
    else if (isCompound(node, code)) yield* runners(tasksOf(node), code, seen);
    else if (node.type === 'ArrayExpression') {
      yield* runners(
        node.elements.flatMap((element) =>
          element === null ? [] : unwrap(element.type === 'SpreadElement' ? element.argument : element),
        ),
        code,
        seen,
      );
    } else {
      const variable = code.names.variable(node);
      const held = variable === undefined || seen.has(variable) ? [] : [...values(variable)];
      if (held.some((value) => isTimer(value, code))) yield { node, variable: variable!, timer: true };
      // Follow other names to the expressions that made them.
      else if (held.length > 0) yield* runners(held, code, new Set([...seen, variable!]));
      else if (code.names.of(node) !== 'context') yield { node, timer: false };
    }
  }
}

/** The values that are assigned to a variable, or pushed into it. */
function* values({ references }: Variable): Generator<Node> {
  for (const { identifier, writeExpr } of references) {
    const written =
      writeExpr === null || writeExpr === undefined ? undefined : part(identifier, unwrap(writeExpr));
    if (written !== undefined) yield written;
    const call = wrapped(identifier).parent?.parent;
    if (call?.type === 'CallExpression' && isPush(call) && unwrap(call.callee.object) === identifier)
      for (const argument of call.arguments) yield unwrap(argument);
  }
}

/** The part of a value that a name gets: the whole value, or an element where both are written as lists. */
function part(identifier: Node, value: Node): Node | undefined {
  const pattern = identifier.parent!;
  if (pattern.type !== 'ArrayPattern')
    return pattern.type === 'Property' || pattern.type === 'RestElement' ? undefined : value;
  const element =
    value.type === 'ArrayExpression'
      ? value.elements[pattern.elements.findIndex((each) => each === identifier)]
      : undefined;
  return element === null || element === undefined ? undefined : unwrap(element);
}

/** Whether code cancels a timer, or passes it to code that may. Comparing it and yielding it do not count. */
function isCancelled({ references }: Variable, code: OrchestratorCode): boolean {
  return references.some(({ identifier, init }) => {
    const node = wrapped(identifier);
    const parent = node.parent!;
    if (init) return false;
    switch (parent.type) {
      case 'MemberExpression':
        return parent.object === node && memberName(parent) === 'cancel';
      case 'CallExpression':
        return parent.callee !== node && !isCompound(parent, code) && !isPush(parent);
      case 'ReturnStatement':
      case 'Property':
        return true;
      default:
        return false;
    }
  });
}

function isPush(
  call: NodeOf<'CallExpression'>,
): call is NodeOf<'CallExpression'> & { callee: NodeOf<'MemberExpression'> } {
  return call.callee.type === 'MemberExpression' && memberName(call.callee) === 'push';
}
