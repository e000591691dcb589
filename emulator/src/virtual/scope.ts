import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * The time and the settings of an invocation, in place of those of the process. All that the invocation
 * awaits has the same.
 */
export interface Scope {
  /** Milliseconds since the epoch. */
  now(): number;
  /** These variables take precedence over those of the process. The value undefined hides a variable. */
  env: Readonly<Record<string, string | undefined>>;
  /** Takes what code of this scope throws outside any call. */
  failed?: (thrown: unknown) => void;
}

const scopes = new AsyncLocalStorage<Scope>();
let installed = false;

/** The scope of the caller. */
export function currentScope(): Scope | undefined {
  return scopes.getStore();
}

/** Runs `task` in a scope. */
export function runInScope<T>(scope: Scope, task: () => T): T {
  return scopes.run(scope, task);
}

/**
 * Makes `Date` and `process.env` answer from the current scope; outside of a scope they stay as they are. It
 * has to run once, before the app is loaded: code that has kept `Date.now` in a variable before gets the real
 * time. `setTimeout` stays real.
 */
export function installScopes(): void {
  if (installed) return;
  installed = true;

  const RealDate = Date;
  const now = (): number => scopes.getStore()?.now() ?? RealDate.now();
  const VirtualDate = new Proxy(RealDate, {
    construct: (target, args: unknown[], newTarget): Date => {
      if (args.length === 0) args = [now()];
      // Reflect.construct would read the prototype through this proxy, which takes longer than all the rest.
      return newTarget === VirtualDate
        ? new target(...(args as [number]))
        : (Reflect.construct(target, args, newTarget) as Date);
    },
    apply: () => new RealDate(now()).toString(),
    get: (target, property) => (property === 'now' ? now : (Reflect.get(target, property) as unknown)),
  });
  globalThis.Date = VirtualDate;

  const realEnv = process.env;
  const overlaid = (property: string | symbol): Scope['env'] | undefined => {
    const env = typeof property === 'string' ? scopes.getStore()?.env : undefined;
    return env !== undefined && Object.hasOwn(env, property) ? env : undefined;
  };
  process.env = new Proxy(realEnv, {
    get: (target, property) => {
      const env = overlaid(property);
      return env === undefined ? (Reflect.get(target, property) as string) : env[property as string];
    },
    // Without this trap, Node refuses what a proxy defines on the environment.
    set: (target, property, value: unknown) => {
      const env = overlaid(property) as Record<string | symbol, unknown> | undefined;
      return Reflect.set(env ?? target, property, env === undefined ? value : String(value));
    },
    has: (target, property) => {
      const env = overlaid(property);
      return env === undefined ? Reflect.has(target, property) : env[property as string] !== undefined;
    },
    ownKeys: (target) => {
      const env = scopes.getStore()?.env ?? {};
      return [
        ...new Set([
          ...Reflect.ownKeys(target).filter((key) => overlaid(key) === undefined),
          ...Object.keys(env).filter((key) => env[key] !== undefined),
        ]),
      ];
    },
    getOwnPropertyDescriptor: (target, property) => {
      const env = overlaid(property);
      if (env === undefined) return Reflect.getOwnPropertyDescriptor(target, property);
      const value = env[property as string];
      return value === undefined
        ? undefined
        : { value, enumerable: true, configurable: true, writable: true };
    },
  });
}
