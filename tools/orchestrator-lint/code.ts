/** Finds the orchestrator code of a file. */
import path from 'node:path';
import type { Context, FunctionNode, Node, NodeOf, SourceCode, Variable } from './ast.ts';
import { ancestors, isFunction, isType, memberName, propertyName, unwrap, within } from './ast.ts';
import { Names } from './names.ts';

/** The rules' settings: `settings.orchestrators` of the linter's configuration. */
export interface Settings {
  /**
   * Globs of files that contain only orchestrator code, relative to the linter's working directory. Default:
   * none.
   */
  files: readonly string[];
  /**
   * Functions that take orchestrators, by the end of their name: `app.orchestration` matches
   * `df.app.orchestration` too.
   */
  wrappers: readonly string[];
  /**
   * Names of parameters that hold the orchestrator's context, for code without types. Default: `context`,
   * `ctx`.
   */
  contexts: readonly string[];
  /**
   * Functions that take the context and return no task, so that their result may be ignored. Default: none.
   */
  effects: readonly string[];
  /** Functions other than `createTimer` that make a timer. Default: none. */
  timers: readonly string[];
  /** Functions other than `Task.any` that wait for the first of several tasks. Default: none. */
  races: readonly string[];
  /**
   * Packages that do I/O, or whose results differ in each replay: only activities may use them. Default:
   * {@link IMPURE}.
   */
  impurePackages: readonly string[];
}

const IMPURE = [
  'axios',
  'got',
  'ky',
  'node-fetch',
  'undici',
  '@azure/storage-*',
  '@azure/data-tables',
  '@azure/identity',
  '@azure/cosmos',
  '@azure/service-bus',
];

const DEFAULTS: Settings = {
  files: [],
  wrappers: ['app.orchestration', 'orchestrator'],
  contexts: ['context', 'ctx'],
  effects: [],
  timers: [],
  races: [],
  impurePackages: IMPURE,
};

/** The orchestrator code of one file. */
export interface OrchestratorCode {
  readonly settings: Settings;
  readonly names: Names;
  /** Whether the whole file is orchestrator code. */
  readonly whole: boolean;
  includes(node: Node): boolean;
}

const files = new WeakMap<Node, OrchestratorCode | undefined>();

/**
 * The file's orchestrator code; undefined when it has none. All rules share the result, so each file is
 * searched once.
 */
export function orchestratorCode({
  filename,
  cwd,
  settings: all,
  sourceCode,
}: Context): OrchestratorCode | undefined {
  const { ast } = sourceCode;
  if (!files.has(ast)) {
    const settings = { ...DEFAULTS, ...(all['orchestrators'] as Partial<Settings> | undefined) };
    const file = path.relative(cwd, path.resolve(cwd, filename));
    const whole = settings.files.some((pattern) => path.matchesGlob(file, pattern));
    // Most files have no orchestrator code.
    const mayHave =
      whole || settings.wrappers.some((wrapper) => sourceCode.text.includes(wrapper.split('.').at(-1)!));
    files.set(ast, mayHave ? find(sourceCode, settings, whole) : undefined);
  }
  return files.get(ast);
}

function find(sourceCode: SourceCode, settings: Settings, whole: boolean): OrchestratorCode | undefined {
  const bodies = new Set<Node>();
  const roots = new Set<Node>();
  const names = new Names(sourceCode, (variable) =>
    isContext(variable, roots, settings) ? 'context' : undefined,
  );
  for (const call of within(sourceCode.ast, sourceCode.visitorKeys)) {
    if (call.type === 'CallExpression' && isCalled(call.callee, settings.wrappers))
      for (const body of given(call, names)) roots.add(body);
  }
  if (!whole && roots.size === 0) return undefined;

  const includes = (node: Node): boolean =>
    whole || bodies.has(node) || ancestors(node).some((ancestor) => bodies.has(ancestor));
  // A function that orchestrator code calls or passes on is orchestrator code too.
  const queue: Node[] = whole ? [] : [...roots];
  for (let body = queue.pop(); body !== undefined; body = queue.pop()) {
    if (bodies.has(body)) continue;
    bodies.add(body);
    for (const { identifier, resolved } of names.references) {
      if (
        resolved === null ||
        isType(identifier) ||
        !(identifier === body || ancestors(identifier).includes(body))
      )
        continue;
      const reached = declared(resolved);
      if (reached !== undefined && !includes(reached) && !(isFunction(reached) && isNameOnly(identifier)))
        queue.push(reached);
    }
  }
  return { settings, names, whole, includes };
}

/** The function, class, or object with functions that a variable holds. */
function declared({ defs: [definition] }: Variable): Node | undefined {
  const node = definition?.node;
  if (isFunction(node) && definition!.type === 'FunctionName') return node;
  if (node?.type === 'ClassDeclaration' || node?.type === 'ClassExpression') return node;
  const value =
    node?.type === 'VariableDeclarator' && node.init !== null && node.id.type === 'Identifier'
      ? unwrap(node.init)
      : undefined;
  return isFunction(value) || value?.type === 'ClassExpression' || value?.type === 'ObjectExpression'
    ? value
    : undefined;
}

/** The function of this file that an expression refers to, if there is one. */
export function localFunction(node: Node, names: Names): FunctionNode | undefined {
  const expression = unwrap(node);
  if (isFunction(expression)) return expression;
  const variable = names.variable(expression);
  const found = variable === undefined ? undefined : declared(variable);
  return isFunction(found) ? found : undefined;
}

/** Whether code only reads a property of a function: `sayHello.name` does not call it. */
function isNameOnly(identifier: Node): boolean {
  const { parent } = identifier;
  return (
    parent?.type === 'MemberExpression' &&
    parent.object === identifier &&
    !['call', 'apply', 'bind'].includes(memberName(parent) ?? '')
  );
}

/** Whether a callee's name ends with one of those names. */
export function isCalled(callee: Node, names: readonly string[]): boolean {
  const written = dotted(callee);
  return written !== undefined && names.some((name) => written === name || written.endsWith(`.${name}`));
}

function dotted(from: Node): string | undefined {
  const node = unwrap(from);
  if (node.type === 'Identifier') return node.name;
  if (node.type !== 'MemberExpression') return undefined;
  return `${dotted(node.object) ?? ''}.${memberName(node) ?? ''}`;
}

/** The functions that a call gets: directly, by name, as `handler`, or inside another call. */
function* given(call: NodeOf<'CallExpression'>, names: Names): Generator<FunctionNode> {
  for (const argument of call.arguments) {
    const node = unwrap(argument);
    const handler =
      node.type !== 'ObjectExpression'
        ? node
        : node.properties.find(
            (property) =>
              property.type === 'Property' && propertyName(property.key, property.computed) === 'handler',
          );
    if (node.type === 'CallExpression') yield* given(node, names);
    const found =
      handler === undefined
        ? undefined
        : localFunction(handler.type === 'Property' ? handler.value : handler, names);
    if (found !== undefined) yield found;
  }
}

/**
 * Whether a variable is a parameter that holds an orchestrator's context: by its type, by the function that
 * it belongs to, or by its name.
 */
function isContext(
  { name, defs: [definition] }: Variable,
  roots: ReadonlySet<Node>,
  { contexts }: Settings,
): boolean {
  if (definition?.type !== 'Parameter') return false;
  const type = definition.name.typeAnnotation?.typeAnnotation;
  if (type?.type === 'TSTypeReference') return typeName(type.typeName) === 'OrchestrationContext';
  if (roots.has(definition.node))
    return isFunction(definition.node) && definition.node.params[0] === definition.name;
  return contexts.includes(name);
}

function typeName(name: Node): string | undefined {
  return name.type === 'Identifier'
    ? name.name
    : name.type === 'TSQualifiedName'
      ? name.right.name
      : undefined;
}
