/** Reads Bicep into what the checks ask about. It knows the language's shape and nothing of Azure. */
import { createRequire } from 'node:module';
import { Language, type Node, Parser } from 'web-tree-sitter';

interface Declaration {
  name: string;
  file: string;
  node: Node;
}

export interface Parameter extends Declaration {
  /** As written: `string`, `object`, ... */
  type: string;
  default: Node | undefined;
  required: boolean;
  secure: boolean;
  /** What `@allowed` lists. */
  allowed: string[] | undefined;
}

export interface Variable extends Declaration {
  value: Node;
}

export interface Resource extends Declaration {
  /** `Microsoft.Storage/storageAccounts`; a nested one has the type of its parent in front. */
  type: string;
  /** Nested resources may leave it to their parent. */
  version: string | undefined;
  existing: boolean;
  /** Deployed only when something holds. */
  conditional: boolean;
  body: Node;
}

export interface Module extends Declaration {
  /** As written, relative to its file. */
  path: string;
  conditional: boolean;
  body: Node;
  params: Map<string, Node>;
}

export interface Output extends Declaration {
  value: Node;
  secure: boolean;
}

export interface Bicep {
  path: string;
  root: Node;
  parameters: Map<string, Parameter>;
  variables: Map<string, Variable>;
  /** Nested ones too, by their own names. */
  resources: Map<string, Resource>;
  modules: Map<string, Module>;
  outputs: Map<string, Output>;
}

let parser: Promise<Parser> | undefined;

async function makeParser(): Promise<Parser> {
  await Parser.init();
  const made = new Parser();
  made.setLanguage(
    await Language.load(createRequire(import.meta.url).resolve('tree-sitter-bicep/tree-sitter-bicep.wasm')),
  );
  return made;
}

/** @param path how findings name the file */
export async function parseBicep(path: string, text: string): Promise<Bicep> {
  const tree = (await (parser ??= makeParser())).parse(text);
  if (tree === null) throw new Error(`${path} was not parsed.`);
  const root = tree.rootNode;
  const file: Bicep = {
    path,
    root,
    parameters: new Map(),
    variables: new Map(),
    resources: new Map(),
    modules: new Map(),
    outputs: new Map(),
  };
  for (const node of children(root)) declare(file, node);
  return file;
}

function declare(file: Bicep, node: Node): void {
  const name = children(node).find((child) => child.type === 'identifier')?.text ?? '';
  const declaration = { name, file: file.path, node };
  const last = children(node).at(-1);
  if (last === undefined) return;
  switch (node.type) {
    case 'parameter_declaration': {
      const type = children(node).find((child) => child.type === 'type');
      const value = last.equals(type ?? node) ? undefined : last;
      const allowed = decorator(node, 'allowed');
      file.parameters.set(name, {
        ...declaration,
        type: type?.text ?? '',
        default: value,
        required: value === undefined && type?.text.endsWith('?') !== true,
        secure: decorator(node, 'secure') !== undefined,
        allowed:
          allowed && children(children(allowed)[0] ?? allowed).map((item) => literal(item) ?? item.text),
      });
      break;
    }
    case 'variable_declaration':
      file.variables.set(name, { ...declaration, value: last });
      break;
    case 'output_declaration':
      file.outputs.set(name, {
        ...declaration,
        value: last,
        secure: decorator(node, 'secure') !== undefined,
      });
      break;
    case 'module_declaration': {
      const { body, conditional } = bodyOf(last);
      const params = get(body, 'params');
      file.modules.set(name, {
        ...declaration,
        path: literal(children(node)[1]) ?? '',
        body,
        conditional,
        params: params?.type === 'object' ? properties(params) : new Map<string, Node>(),
      });
      break;
    }
    case 'resource_declaration':
      declareResource(file, declaration, undefined);
      break;
    default:
  }
}

function declareResource(file: Bicep, declaration: Declaration, parent: Resource | undefined): void {
  const { node } = declaration;
  const { body, conditional } = bodyOf(children(node).at(-1)!);
  const [type = '', version] = (literal(children(node)[1]) ?? '').split('@');
  const resource: Resource = {
    ...declaration,
    type: parent ? `${parent.type}/${type}` : type,
    version: version ?? parent?.version,
    existing: node.children.some((child) => child.type === 'existing'),
    conditional: conditional || parent?.conditional === true,
    body,
  };
  file.resources.set(resource.name, resource);
  for (const property of children(body)) {
    const nested = children(property)[0];
    if (nested?.type !== 'resource_declaration') continue;
    declareResource(file, { name: children(nested)[0]?.text ?? '', file: file.path, node: nested }, resource);
  }
}

/** What is deployed, under its loop and its condition. */
function bodyOf(node: Node): { body: Node; conditional: boolean } {
  if (node.type === 'for_statement') return bodyOf(node.childForFieldName('body') ?? node);
  if (node.type === 'if_statement') return { body: children(node).at(-1)!, conditional: true };
  return { body: node, conditional: false };
}

/** The arguments of a decorator above a declaration. */
function decorator(declaration: Node, name: string): Node | undefined {
  let above = declaration.previousNamedSibling;
  while (above?.type === 'comment') above = above.previousNamedSibling;
  if (above?.type !== 'decorators') return undefined;
  const call = children(above)
    .map((item) => children(item)[0])
    .find((item) => item?.childForFieldName('function')?.text === name);
  return call?.childForFieldName('arguments') ?? undefined;
}

/** Without comments. */
export function children(node: Node): Node[] {
  return node.namedChildren.filter((child) => !child.isExtra);
}

/** The text of a string without interpolation. */
export function literal(node: Node | undefined): string | undefined {
  if (node?.type !== 'string') return undefined;
  const parts = children(node);
  return parts.every((part) => part.type === 'string_content')
    ? parts.map((part) => part.text).join('')
    : undefined;
}

/** Of an object, by name; keys with interpolation by their source text. */
export function properties(object: Node): Map<string, Node> {
  const found = new Map<string, Node>();
  for (const property of children(object)) {
    const [key, value] = children(property);
    if (property.type === 'object_property' && key && value) found.set(literal(key) ?? key.text, value);
  }
  return found;
}

/** @param path `properties.networkAcls.defaultAction` */
export function get(object: Node, path: string): Node | undefined {
  let node: Node | undefined = object;
  for (const name of path.split('.')) node = node?.type === 'object' ? properties(node).get(name) : undefined;
  return node;
}

/** The calls in an expression. */
export function calls(node: Node): { name: string; node: Node; args: Node[] }[] {
  return node.descendantsOfType('call_expression').map((call) => ({
    // Of `account.listKeys()` the last name; of `az.resourceGroup()` too.
    name: call.childForFieldName('function')?.text.split('.').at(-1) ?? '',
    node: call,
    args: children(call.childForFieldName('arguments') ?? call),
  }));
}

/** The names a loop around this node gives to what it goes through, and what that is. */
export function loopVariables(node: Node): Map<string, Node> {
  const found = new Map<string, Node>();
  for (let above = node.parent; above !== null; above = above.parent) {
    if (above.type !== 'for_statement') continue;
    const [first, iterated] = children(above);
    if (!first || !iterated) continue;
    const names =
      first.type === 'for_loop_parameters' ? children(first).map((name) => name.text) : [first.text];
    for (const name of names) if (!found.has(name)) found.set(name, iterated);
  }
  return found;
}
