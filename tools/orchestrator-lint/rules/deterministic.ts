import { isBuiltin } from 'node:module';
import path from 'node:path';
import type { Context, Node, Rule } from '../ast.ts';
import { isType, memberName, propertyName, stringValue, unwrap, wrapped } from '../ast.ts';
import type { OrchestratorCode } from '../code.ts';
import { orchestratorCode } from '../code.ts';
import { canonicalModule, joined, packageOf } from '../names.ts';

const messages = {
  clock: "'{{name}}' reads the clock, and each replay reads another time. Use context.df.currentUtcDateTime.",
  random:
    "'{{name}}' gives another result in each replay. Use context.df.newGuid() for ids, and an activity for other random values.",
  timer:
    "'{{name}}' is not a task of the workflow: the orchestrator has ended this run when it fires. Yield context.df.createTimer().",
  outside:
    "'{{name}}' does I/O, and each replay would do it again. Do it in an activity, or yield context.df.callHttp().",
  environment:
    "'{{name}}' can differ on the machine that replays the workflow. Read it in an activity, or put it into the workflow's input.",
  import:
    "'{{name}}' is for activities: each replay would run it again, or get another result. Call an activity that uses it.",
  crypto:
    "'{{name}}' is for activities: most of its results differ in each replay. Use context.df.newGuid() for ids, and an activity for the rest.",
};
type Message = keyof typeof messages;

/** Reported in every use. */
const USED: Readonly<Record<string, Message>> = {
  'Date.now': 'clock',
  performance: 'clock',
  'Temporal.Now': 'clock',
  'import(moment).now': 'clock',
  'import(luxon).DateTime.now': 'clock',
  'Math.random': 'random',
  crypto: 'random',
  ...Object.fromEntries(['v1', 'v4', 'v6', 'v7'].map((version) => [`import(uuid).${version}`, 'random'])),
  'import(nanoid)': 'random',
  'import(ulid)': 'random',
  setTimeout: 'timer',
  setInterval: 'timer',
  setImmediate: 'timer',
  queueMicrotask: 'timer',
  scheduler: 'timer',
  fetch: 'outside',
  XMLHttpRequest: 'outside',
  WebSocket: 'outside',
  EventSource: 'outside',
  process: 'environment',
  navigator: 'environment',
  __dirname: 'environment',
  __filename: 'environment',
};

/** Reported when called or constructed without arguments. */
const BARE: ReadonlySet<string> = new Set([
  'Date',
  'import(moment)',
  'import(moment).utc',
  'import(moment).parseZone',
  'import(moment-timezone)',
  'import(moment-timezone).utc',
  'import(moment-timezone).tz',
  'import(dayjs)',
  'import(dayjs).utc',
  'import(luxon).DateTime.local',
  'import(luxon).DateTime.utc',
]);

/** Modules of Node whose results depend on their arguments only. */
const PURE: ReadonlySet<string> = new Set(
  [
    'assert',
    'assert/strict',
    'buffer',
    'path',
    'path/posix',
    'path/win32',
    'punycode',
    'querystring',
    'string_decoder',
    'url',
    'util',
    'util/types',
  ].map((name) => `node:${name}`),
);

/** Modules for which orchestrators have a replacement. */
const INSTEAD: Readonly<Record<string, Message>> = {
  'node:crypto': 'crypto',
  'node:perf_hooks': 'clock',
  'node:process': 'environment',
  'node:timers': 'timer',
  'node:timers/promises': 'timer',
};

/** The clock, randomness, the environment and I/O differ when a workflow is replayed. */
export const deterministic: Rule = {
  meta: {
    type: 'problem',
    docs: {
      description: 'An orchestrator depends only on its input and on the results of its tasks.',
    },
    messages,
  },
  create: (context) => ({
    Program: () => {
      const code = orchestratorCode(context);
      if (code !== undefined) check(context, code);
    },
  }),
};

function check(context: Context, code: OrchestratorCode): void {
  const report = (node: Node, messageId: Message, name: string): void => {
    context.report({ node, messageId, data: { name: name.replace(/^import\((.*?)\)/, '$1') } });
  };
  const isImpure = (name: string): boolean => {
    const module = canonicalModule(name);
    return isBuiltin(module)
      ? !PURE.has(module)
      : code.settings.impurePackages.some(
          (pattern) => path.matchesGlob(module, pattern) || path.matchesGlob(module, `${pattern}/**`),
        );
  };

  /**
   * Follows an expression through its members and calls, and reports the first name that orchestrators must
   * not use.
   */
  const follow = (from: Node, name: string): void => {
    const node = wrapped(from);
    const parent = node.parent!;
    const used = usedAs(name);
    if (used !== undefined)
      return parent.type === 'UnaryExpression' && parent.operator === 'typeof'
        ? undefined
        : report(node, used, name);
    const module = packageOf(name);
    if (module !== undefined && isImpure(module)) return report(node, onImport(module), name);
    if (BARE.has(name)) {
      const called =
        (parent.type === 'CallExpression' || parent.type === 'NewExpression') && parent.callee === node;
      if (
        called &&
        (parent.arguments.every(isUndefined) || (name === 'Date' && parent.type === 'CallExpression'))
      )
        return report(parent, 'clock', name);
      // The one argument is the zone, so it reads the current time.
      if (called && name === 'import(moment-timezone).tz' && parent.arguments.length === 1)
        return report(parent, 'clock', name);
    }
    if (parent.type === 'MemberExpression' && parent.object === node) {
      const whole = joined(name, memberName(parent));
      return whole === undefined ? undefined : follow(parent, whole);
    }
    const pattern =
      parent.type === 'VariableDeclarator' && parent.init === node
        ? parent.id
        : parent.type === 'AssignmentExpression' && parent.right === node
          ? parent.left
          : parent.type === 'AssignmentPattern' && parent.right === node
            ? parent.left
            : undefined;
    if (pattern !== undefined) destructure(pattern, name);
  };
  const destructure = (pattern: Node, name: string): void => {
    if (pattern.type !== 'ObjectPattern') return;
    for (const property of pattern.properties) {
      if (property.type !== 'Property') continue;
      const whole = joined(name, propertyName(property.key, property.computed));
      if (whole === undefined) continue;
      const used = usedAs(whole);
      if (used !== undefined) report(property, used, whole);
      else
        destructure(
          property.value.type === 'AssignmentPattern' ? property.value.left : property.value,
          whole,
        );
    }
  };

  for (const { identifier, resolved } of code.names.references) {
    if (isType(identifier) || !code.includes(identifier)) continue;
    const name = code.names.of(identifier);
    if (name === undefined || name === 'context') continue;
    const declaration = resolved?.defs[0]?.node;
    if (declaration !== undefined && code.includes(declaration)) {
      // The declaration of an alias or an import has been reported already.
      const module = packageOf(name);
      if (
        (declaration.type === 'VariableDeclarator' && usedAs(name) !== undefined) ||
        (module !== undefined && isImpure(module))
      )
        continue;
    }
    if (name === 'require') {
      const call = wrapped(identifier).parent!;
      const module = call.type === 'CallExpression' ? stringValue(call.arguments[0]) : undefined;
      if (module !== undefined && isImpure(module)) report(call, onImport(module), module);
      else if (module !== undefined) follow(call, code.names.of(call)!);
    } else {
      follow(identifier, name);
    }
  }
  if (!code.whole) return;
  for (const statement of context.sourceCode.ast.body) {
    if (
      statement.type === 'ImportDeclaration' &&
      statement.importKind !== 'type' &&
      isImpure(statement.source.value)
    ) {
      const types =
        statement.specifiers.length > 0 &&
        statement.specifiers.every((one) => one.type === 'ImportSpecifier' && one.importKind === 'type');
      if (!types) report(statement, onImport(statement.source.value), statement.source.value);
    } else if (
      statement.type === 'TSImportEqualsDeclaration' &&
      statement.importKind !== 'type' &&
      statement.moduleReference.type === 'TSExternalModuleReference' &&
      isImpure(statement.moduleReference.expression.value)
    ) {
      report(
        statement,
        onImport(statement.moduleReference.expression.value),
        statement.moduleReference.expression.value,
      );
    }
  }
}

/** Why a name is forbidden: the name itself is, or the object that it is a part of. */
function usedAs(name: string): Message | undefined {
  return USED[name] ?? (name.includes('.') ? usedAs(name.slice(0, name.lastIndexOf('.'))) : undefined);
}

function onImport(module: string): Message {
  return INSTEAD[canonicalModule(module)] ?? 'import';
}

function isUndefined(argument: Node): boolean {
  const node = unwrap(argument);
  return node.type === 'Identifier' && node.name === 'undefined';
}
