/**
 * Answers `require('@azure/functions-core')`, the one thing that `@azure/functions` asks of the process it runs in.
 * There is no such package: the Functions Node worker supplies it in the same way.
 */
import Module from 'node:module';
import type { LogLevel } from '../log.js';

/** What `@azure/functions` says of itself, and the conversions it does. */
export interface ProgrammingModel {
  name: string;
  version: string;
  getInvocationModel(context: CoreInvocationContext): InvocationModel;
  getCapabilities(defaults: Record<string, string>): Promise<Record<string, string>> | Record<string, string>;
}

export interface InvocationModel {
  getArguments(): Promise<{ context: unknown; inputs: unknown[] }>;
  invokeFunction(context: unknown, inputs: unknown[], handler: Handler): Promise<unknown>;
  getResponse(
    context: unknown,
    result: unknown,
  ): Promise<{ returnValue?: unknown; outputData?: { name: string; data: unknown }[] }>;
}

export type Handler = (...inputs: unknown[]) => unknown;

/** The worker's side of an invocation; the library wraps it for the function. */
export interface CoreInvocationContext {
  invocationId: string;
  metadata: Record<string, unknown>;
  /** Where the invocation is: the library tells by it whether a log record comes too late. */
  state: 'preInvocationHooks' | 'invocation' | 'postInvocationHooks' | undefined;
  request: Record<string, unknown>;
  log(level: LogLevel, category: 'user' | 'system', message: string): void;
}

export type HookName = 'appStart' | 'appTerminate' | 'preInvocation' | 'postInvocation' | 'log';
export type Hook = (context: Record<string, unknown>) => unknown;

/** Everything one app registered while it was loaded. */
export interface Registrations {
  model: ProgrammingModel | undefined;
  functions: Map<string, { metadata: Record<string, unknown>; handler: Handler }>;
  hooks: Map<HookName, Hook[]>;
  /** Where the app serves its http functions itself, when it asks for HTTP streams. */
  httpAddress: string | undefined;
  /** Given to every hook, for what the app's hooks want to share. */
  appHookData: Record<string, unknown>;
  /** Given to appStart and appTerminate alone. */
  appLevelHookData: Record<string, unknown>;
  /** What the library and this process have to say, until a host takes it. */
  records: { level: LogLevel; message: string }[];
  /** Takes what they say once a host is there. */
  log: ((level: LogLevel, message: string) => void) | undefined;
  /** False once the app is loaded: nothing may be registered any more. */
  open: boolean;
}

const HOOKS: readonly string[] = [
  'appStart',
  'appTerminate',
  'preInvocation',
  'postInvocation',
  'log',
] satisfies HookName[];

/** Marks an error as the worker's own: `@azure/functions` looks at it. */
function systemError<E extends Error>(error: E): E {
  return Object.assign(error, { isAzureFunctionsSystemError: true });
}

class Disposable {
  readonly #dispose: () => unknown;
  constructor(dispose: () => unknown) {
    this.#dispose = dispose;
  }

  static from(...disposables: { dispose(): unknown }[]): Disposable {
    return new Disposable(() => {
      for (const disposable of disposables) disposable.dispose();
    });
  }

  dispose(): unknown {
    return this.#dispose();
  }
}

let registrations: Registrations | undefined;

/**
 * Puts the core API in place, once a process, and returns what will be registered through it. `@azure/functions` keeps
 * the first API it was given for ever, so there is one set of registrations in a process.
 */
export function installCoreApi(): Registrations {
  if (registrations !== undefined) return registrations;
  const current: Registrations = {
    model: undefined,
    functions: new Map(),
    hooks: new Map(),
    httpAddress: undefined,
    appHookData: {},
    appLevelHookData: {},
    records: [],
    log: undefined,
    open: true,
  };
  registrations = current;
  const say = (level: LogLevel, message: string): void => {
    if (current.log === undefined) current.records.push({ level, message });
    else current.log(level, message);
  };

  const api = {
    version: '3.9.1',
    hostVersion: '4.1037.0.0',
    Disposable,
    setProgrammingModel(model: ProgrammingModel): void {
      if (current.model !== undefined && current.model !== model) {
        say(
          'warning',
          `Two copies of @azure/functions are loaded (${current.model.version} and ${model.version}). The settings of one do not reach the other: let npm dedupe them.`,
        );
      }
      current.model = model;
    },
    getProgrammingModel: (): ProgrammingModel | undefined => current.model,
    registerFunction(metadata: Record<string, unknown>, handler: Handler): Disposable {
      const name = String(metadata['name']);
      if (!current.open)
        throw systemError(new Error('A function can only be registered during app startup.'));
      if (current.functions.has(name))
        throw systemError(new Error(`A function with id "${name}" has already been registered.`));
      current.functions.set(name, { metadata, handler });
      return new Disposable(() => {
        if (!current.open)
          throw systemError(new Error('A function can only be disposed during app startup.'));
        current.functions.delete(name);
      });
    },
    registerHook(name: string, hook: Hook): Disposable {
      if (!HOOKS.includes(name)) throw systemError(new RangeError(`Unrecognized hook "${name}"`));
      const hooks = current.hooks.get(name as HookName) ?? [];
      current.hooks.set(name as HookName, hooks);
      hooks.push(hook);
      return new Disposable(() => {
        const index = hooks.indexOf(hook);
        if (index >= 0) hooks.splice(index, 1);
      });
    },
    log: (level: LogLevel, _category: string, message: string): void => {
      say(level, message);
    },
  };

  // The technique of the real worker. A load hook would need flags, and could not answer a package that is not there.
  const prototype = Module.prototype as unknown as { require: (id: string) => unknown };
  prototype.require = new Proxy(prototype.require, {
    apply: (original, module, [id]: [string]) =>
      id === '@azure/functions-core' ? api : Reflect.apply(original, module, [id]),
  });
  return current;
}
