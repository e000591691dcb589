/**
 * Supplies `require('@azure/functions-core')`, which `@azure/functions` needs from its process. No such
 * package exists: the Functions Node worker supplies it in the same way.
 */
import Module from 'node:module';
import type { LogLevel } from '../log.js';
import { isDeferred, packageOfClients } from './deferred-modules.js';

/** The part of `@azure/functions` that a worker calls. */
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

/** The worker's context of an invocation. The library makes the function's context from it. */
export interface CoreInvocationContext {
  invocationId: string;
  metadata: Record<string, unknown>;
  /** The phase of the invocation. By it, the library warns about log records that come too late. */
  state: 'preInvocationHooks' | 'invocation' | 'postInvocationHooks' | undefined;
  request: Record<string, unknown>;
  log(level: LogLevel, category: 'user' | 'system', message: string): void;
}

export type HookName = 'appStart' | 'appTerminate' | 'preInvocation' | 'postInvocation' | 'log';
export type Hook = (context: Record<string, unknown>) => unknown;

/** Everything that an app has registered. */
export interface Registrations {
  model: ProgrammingModel | undefined;
  functions: Map<string, { metadata: Record<string, unknown>; handler: Handler }>;
  hooks: Map<HookName, Hook[]>;
  /** Where the app serves its HTTP functions itself, when it uses HTTP streams. */
  httpAddress: string | undefined;
  /** Data that all hooks of the app share. */
  appHookData: Record<string, unknown>;
  /** Data that the appStart and appTerminate hooks share. */
  appLevelHookData: Record<string, unknown>;
  /** Log records of the library from before a host exists. */
  records: { level: LogLevel; message: string }[];
  /** Takes log records of the library once a host exists. */
  log: ((level: LogLevel, message: string) => void) | undefined;
  /** False when the app is loaded. Then it may register nothing more. */
  open: boolean;
}

const HOOKS: readonly string[] = [
  'appStart',
  'appTerminate',
  'preInvocation',
  'postInvocation',
  'log',
] satisfies HookName[];

/** Marks an error as one of the worker. `@azure/functions` reads the mark. */
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
 * Installs the core API, once a process, and returns the registrations that are made through it.
 * `@azure/functions` keeps the first API that it gets, so a process has one set of registrations.
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
          `Two copies of @azure/functions are loaded (${current.model.version} and ${model.version}). The settings of one do not reach the other. Run npm dedupe.`,
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

  // The real worker does the same. A module hook needs flags, and cannot supply a package that does not
  // exist.
  const prototype = Module.prototype as unknown as { require: (id: string) => unknown };
  prototype.require = new Proxy(prototype.require, {
    apply: (original, module: { filename?: unknown }, [id]: [string]) => {
      if (id === '@azure/functions-core') return api;
      if (isDeferred(id, module.filename))
        return packageOfClients(id, () => Reflect.apply(original, module, [id]));
      // No frame between: the stack of an error of a package that is missing has to reach the app's line.
      return Reflect.apply(original, module, [id]);
    },
  });
  return current;
}
