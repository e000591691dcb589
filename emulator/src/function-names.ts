import type { FunctionDefinition } from './worker/types.js';

export interface FunctionNamesOptions {
  /** The app's functions, with their settings filled in. */
  functions: readonly FunctionDefinition[];
  /** Whether a setting disables a function, so that it may not run. Default: none is disabled. */
  isDisabled?: (definition: FunctionDefinition) => boolean;
  /** Whether a handler runs in place of a function. It runs without the function's storage bindings. */
  isReplaced?: (functionName: string) => boolean;
}

/** The functions of an app by name, in any case, and whether they may run. */
export class FunctionNames {
  /** The functions that are not disabled. */
  readonly enabled: ReadonlyMap<string, FunctionDefinition>;
  readonly #all: ReadonlyMap<string, FunctionDefinition>;
  /** The settings that disable functions. */
  readonly #disabled: ReadonlyMap<string, string>;
  readonly #isReplaced: (functionName: string) => boolean;

  constructor({ functions, isDisabled = () => false, isReplaced = () => false }: FunctionNamesOptions) {
    this.#isReplaced = isReplaced;
    this.enabled = new Map(
      functions
        .filter((definition) => !isDisabled(definition))
        .map((definition) => [definition.name, definition]),
    );
    this.#all = new Map(functions.map((definition) => [definition.name.toLowerCase(), definition]));
    this.#disabled = new Map(
      functions.filter(isDisabled).map(({ name }) => [name.toLowerCase(), `AzureWebJobs.${name}.Disabled`]),
    );
  }

  /** Finds a function, also a disabled one. */
  get(name: string): FunctionDefinition | undefined {
    return this.#all.get(name.toLowerCase());
  }

  /** Finds a function that may run: it is not disabled, or a handler runs in its place. */
  find(name: string): FunctionDefinition | undefined {
    return this.disabledBy(name) === undefined ? this.get(name) : undefined;
  }

  /** The setting that disables a function; undefined when none does, or a handler runs in its place. */
  disabledBy(name: string): string | undefined {
    const definition = this.get(name);
    return definition !== undefined && this.isReplaced(definition)
      ? undefined
      : this.#disabled.get(name.toLowerCase());
  }

  isReplaced({ name }: FunctionDefinition): boolean {
    return this.#isReplaced(name);
  }
}
