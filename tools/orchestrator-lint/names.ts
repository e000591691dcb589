import { builtinModules } from 'node:module';
import type { Node, Reference, SourceCode, Variable } from './ast.ts';
import { isType, memberName, propertyName, stringValue, unwrap, wrapped } from './ast.ts';

const GLOBAL_OBJECTS: ReadonlySet<string> = new Set(['globalThis', 'global', 'window', 'self']);

/**
 * Gives a name to a variable that cannot be resolved further, e.g. `context` for an orchestrator's context.
 */
type KnownVariable = (variable: Variable) => string | undefined;

/**
 * Resolves the name of an expression through aliases, destructuring, imports and `require`. `Math.random` is
 * the name of `random` after `const { random } = Math`, and of `globalThis['Math'].random`, but not of a
 * local variable `random`. An export of a package is `import(package).name`; its default export, and the
 * package as a whole, are `import(package)`.
 */
export class Names {
  readonly references: readonly Reference[];
  readonly #byIdentifier: ReadonlyMap<Node, Reference>;
  readonly #known: KnownVariable;

  constructor(sourceCode: SourceCode, known: KnownVariable) {
    this.references = sourceCode.scopeManager.scopes.flatMap(({ references }) => references);
    this.#byIdentifier = new Map(
      this.references.map((reference) => [reference.identifier as Node, reference]),
    );
    this.#known = known;
  }

  /** The variable that an identifier refers to; undefined for globals and for other nodes. */
  variable(node: Node): Variable | undefined {
    const resolved = this.#byIdentifier.get(unwrap(node))?.resolved;
    // A global that the linter's configuration declares is a variable without a definition.
    return resolved === null || resolved === undefined || resolved.defs.length === 0 ? undefined : resolved;
  }

  of(node: Node): string | undefined {
    return this.#of(node, new Set());
  }

  /** The expressions in `code` that resolve to `name`. */
  uses(name: string, code: { includes(node: Node): boolean }): Node[] {
    return this.references.flatMap(({ identifier }) => {
      if (isType(identifier) || !code.includes(identifier)) return [];
      // The root of `globalThis.console` is not `console`.
      const node = this.of(identifier) === '' ? wrapped(identifier).parent! : identifier;
      return this.of(node) === name ? [node] : [];
    });
  }

  #of(from: Node, seen: Set<Variable>): string | undefined {
    const node = unwrap(from);
    switch (node.type) {
      case 'Identifier': {
        const variable = this.variable(node);
        if (variable !== undefined) return this.#ofVariable(variable, seen);
        // The name of a property is an identifier, but no reference.
        return !this.#byIdentifier.has(node) || isType(node)
          ? undefined
          : GLOBAL_OBJECTS.has(node.name)
            ? ''
            : node.name;
      }
      case 'MemberExpression':
        return joined(this.#of(node.object, seen), memberName(node));
      case 'CallExpression': {
        const required =
          this.#of(node.callee, seen) === 'require' ? stringValue(node.arguments[0]) : undefined;
        return required === undefined ? undefined : packageName(required);
      }
      default:
        return undefined;
    }
  }

  #ofVariable(variable: Variable, seen: Set<Variable>): string | undefined {
    const known = this.#known(variable);
    if (known !== undefined) return known;
    const [definition] = variable.defs;
    if (definition === undefined || variable.defs.length > 1 || seen.has(variable)) return undefined;
    seen.add(variable);
    const { node } = definition;
    switch (node.type) {
      case 'VariableDeclarator':
        return node.init === null
          ? undefined
          : joined(this.#of(node.init, seen), ...patternPath(definition.name, node.id));
      case 'ImportSpecifier':
        return imported(
          definition.parent,
          node.importKind,
          node.imported.type === 'Literal' ? node.imported.value : node.imported.name,
        );
      case 'ImportDefaultSpecifier':
      case 'ImportNamespaceSpecifier':
        return imported(definition.parent, undefined);
      case 'TSImportEqualsDeclaration':
        return node.moduleReference.type === 'TSExternalModuleReference'
          ? packageName(node.moduleReference.expression.value)
          : this.#of(node.moduleReference, seen);
      default:
        return undefined;
    }
  }
}

/** The package in a name that {@link Names} has resolved. */
export function packageOf(name: string): string | undefined {
  return /^import\((.*?)\)/.exec(name)?.[1];
}

/** Joins names. The default export of a package and the package itself get one name, as in CommonJS. */
export function joined(name: string | undefined, ...properties: (string | undefined)[]): string | undefined {
  let whole = name;
  for (const property of properties) {
    if (whole === undefined || property === undefined) return undefined;
    if (property === 'default' && /^import\([^)]*\)$/.test(whole)) continue;
    whole = whole === '' ? property : `${whole}.${property}`;
  }
  return whole;
}

function imported(declaration: Node | null, kind: string | undefined, name = 'default'): string | undefined {
  if (declaration?.type !== 'ImportDeclaration' || declaration.importKind === 'type' || kind === 'type')
    return undefined;
  return joined(packageName(declaration.source.value), name);
}

function packageName(specifier: string): string {
  return `import(${canonicalModule(specifier)})`;
}

/** A module's name, with the prefix `node:` if it is a module of Node. */
export function canonicalModule(specifier: string): string {
  return builtinModules.includes(specifier) ? `node:${specifier}` : specifier;
}

/** The properties on the way from a pattern to a name in it; undefined where the code does not show them. */
function patternPath(name: Node, pattern: Node): (string | undefined)[] {
  const path: (string | undefined)[] = [];
  for (let node = name; node !== pattern; node = node.parent!) {
    const parent = node.parent!;
    if (parent.type === 'Property') path.unshift(propertyName(parent.key, parent.computed));
    else if (parent.type === 'ArrayPattern' || parent.type === 'RestElement') path.unshift(undefined);
  }
  return path;
}
