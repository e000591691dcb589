/** Finds the app settings that the app's sources read. */
import { parseAst } from 'vite';

interface Node {
  type: string;
  start: number;
  end: number;
  [key: string]: unknown;
}

export interface SettingsRead {
  /** Names of settings. */
  names: Set<string>;
  /** Names of connections that a trigger or binding of the host uses, with what it uses them for: `queue`. */
  connections: Map<string, string>;
  /** Functions that are given the whole environment. */
  givenAll: Set<string>;
  /** Functions whose parameter is the environment; what they read of it is among the names. */
  takeAll: Set<string>;
  /** Where it cannot be told what is read: lines, from 1. */
  unclear: number[];
}

/** How the type of a parameter says that it is the environment. */
const ENVIRONMENT_TYPE = /^(?:Environment|ProcessEnv)$/;

/** Follows constants, and parameters whose type lists its texts; anything else is unclear. */
export function settingsRead(source: string): SettingsRead {
  const nodes = [...walk(parseAst(source, { lang: 'ts' }) as unknown as Node)];
  const read: SettingsRead = {
    names: new Set(),
    connections: new Map(),
    givenAll: new Set(),
    takeAll: new Set(),
    unclear: [],
  };
  const found = (names: string[] | undefined, { start }: Node): void => {
    if (names === undefined) read.unclear.push(source.slice(0, start).split('\n').length);
    for (const name of names ?? []) read.names.add(name);
  };

  for (const { node, parent, scope } of nodes) {
    const connection = connectionOf(node);
    if (connection) read.connections.set(...connection);
    if (isEnvironmentParameter(node)) read.takeAll.add(String((scope['id'] as Node | null)?.['name']));
    if (!isEnvironment(node) && !(node.type === 'Identifier' && isUseOfEnvironment(node, parent, nodes)))
      continue;
    if (
      parent?.type === 'CallExpression' &&
      parent['callee'] !== node &&
      (parent['callee'] as Node).type === 'Identifier'
    ) {
      read.givenAll.add((parent['callee'] as Node)['name'] as string);
    } else if (parent?.type === 'MemberExpression') {
      found(keyOf(parent['property'] as Node, parent['computed'] === true, nodes), parent);
    } else if (parent?.type === 'VariableDeclarator' && (parent['id'] as Node).type === 'ObjectPattern') {
      for (const property of (parent['id'] as Node)['properties'] as Node[]) {
        found(
          property.type === 'Property'
            ? keyOf(property['key'] as Node, property['computed'] === true, nodes)
            : undefined,
          property,
        );
      }
    } else {
      found(undefined, node);
    }
  }
  return read;
}

interface Placed {
  node: Node;
  parent: Node | undefined;
  /** The function around it, or the file. */
  scope: Node;
}

function* walk(node: Node, parent?: Node, scope = node): Generator<Placed> {
  yield { node, parent, scope };
  const inner = /Function/.test(node.type) ? node : scope;
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (typeof child === 'object' && child !== null && 'type' in child)
        yield* walk(child as Node, node, inner);
    }
  }
}

/** `process.env` */
function isEnvironment(node: Node): boolean {
  const { object, property } = node as Partial<Record<string, Node>>;
  return (
    node.type === 'MemberExpression' &&
    object?.['name'] === 'process' &&
    (property?.['name'] ?? property?.['value']) === 'env'
  );
}

/** `environment: Environment`, as a parameter */
function isEnvironmentParameter(node: Node): boolean {
  const type = (node['typeAnnotation'] as Node | null | undefined)?.['typeAnnotation'] as Node | undefined;
  const name = type?.type === 'TSTypeReference' ? (type['typeName'] as Node) : undefined;
  return (
    node.type === 'Identifier' &&
    ENVIRONMENT_TYPE.test(String(name?.['name'] ?? (name?.['right'] as Node | undefined)?.['name']))
  );
}

/** Whether a name is that of the environment which a function around it was given. */
function isUseOfEnvironment(node: Node, parent: Node | undefined, nodes: Placed[]): boolean {
  if (isEnvironmentParameter(node) || (parent?.type === 'MemberExpression' && parent['object'] !== node))
    return false;
  return nodes.some(
    (other) =>
      isEnvironmentParameter(other.node) &&
      other.node['name'] === node['name'] &&
      other.scope.start <= node.start &&
      node.end <= other.scope.end,
  );
}

/** `storageQueue('name', { connection: 'AppStorage', ... })` */
function connectionOf(node: Node): [connection: string, use: string] | undefined {
  if (node.type !== 'CallExpression') return undefined;
  const callee = node['callee'] as Node;
  const use = /^storage(Queue|Blob)$/.exec(
    String((callee['property'] as Node | undefined)?.['name'] ?? callee['name']),
  )?.[1];
  const options = (node['arguments'] as Node[]).find((argument) => argument.type === 'ObjectExpression');
  const connection = (options?.['properties'] as Node[] | undefined)?.find(
    (property) => (property['key'] as Node | undefined)?.['name'] === 'connection',
  );
  const name = (connection?.['value'] as Node | undefined)?.['value'];
  return use !== undefined && typeof name === 'string' ? [name, use.toLowerCase()] : undefined;
}

function keyOf(key: Node, computed: boolean, nodes: Placed[]): string[] | undefined {
  return computed || key.type !== 'Identifier' ? texts(key, nodes) : [key['name'] as string];
}

/** The texts an expression can be. */
function texts(node: Node, nodes: Placed[]): string[] | undefined {
  switch (node.type) {
    case 'Literal':
      return [String(node['value'])];
    case 'TemplateLiteral': {
      const expressions = (node['expressions'] as Node[]).map((expression) => texts(expression, nodes));
      return (node['quasis'] as { value: { cooked: string } }[]).reduce<string[] | undefined>(
        (all, { value: { cooked } }, i) => {
          if (i === 0) return [cooked];
          const between = expressions[i - 1];
          return between && all?.flatMap((text) => between.map((middle) => text + middle + cooked));
        },
        undefined,
      );
    }
    case 'Identifier':
      return ofName(node, node['name'] as string, nodes);
    case 'TSLiteralType':
      return texts(node['literal'] as Node, nodes);
    case 'TSUnionType': {
      const each = (node['types'] as Node[]).map((type) => texts(type, nodes));
      return each.every((type) => type !== undefined) ? each.flat() : undefined;
    }
    case 'TSTypeReference':
      return ofName(node, (node['typeName'] as Node)['name'] as string, nodes);
    default:
      return undefined;
  }
}

/** Of a constant, a type, or a parameter of a type, whichever stands nearest around the use. */
function ofName(use: Node, name: string, nodes: Placed[]): string[] | undefined {
  const around = nodes
    .filter(({ scope }) => scope.start <= use.start && use.end <= scope.end)
    .flatMap(({ node, parent, scope }) => {
      const id = node['id'] as Node | undefined;
      const type = node['typeAnnotation'] as Node | null | undefined;
      if (node.type === 'VariableDeclarator' && id?.['name'] === name)
        return { scope, says: parent?.['kind'] === 'const' ? (node['init'] as Node) : undefined };
      if (node.type === 'TSTypeAliasDeclaration' && id?.['name'] === name) return { scope, says: type };
      if (node.type === 'Identifier' && node['name'] === name && type)
        return { scope, says: type['typeAnnotation'] as Node };
      return [];
    });
  const nearest = around.toSorted((a, b) => a.scope.end - a.scope.start - (b.scope.end - b.scope.start))[0];
  return nearest?.says ? texts(nearest.says, nodes) : undefined;
}
