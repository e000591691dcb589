import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * What an invocation sees in place of the process's own: its environment's time and settings.
 * Everything it awaits sees the same.
 */
export interface Scope {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Takes precedence over the process's variables; undefined hides one. */
  env: Readonly<Record<string, string | undefined>>;
}

const scopes = new AsyncLocalStorage<Scope>();
let installed = false;

/** The scope that the caller is in. */
export function currentScope(): Scope | undefined {
  return scopes.getStore();
}

/** Runs `task` with what {@link Scope} says. */
export function runInScope<T>(scope: Scope, task: () => T): T {
  return scopes.run(scope, task);
}

/**
 * Makes `Date` and `process.env` answer from the current scope, and as ever outside of one. Once a process, before the
 * app is loaded: code that keeps `Date.now` for itself before that goes on seeing the real time. `setTimeout` stays real.
 */
export function installScopes(): void {
  if (installed) return;
  installed = true;

  const RealDate = Date;
  const now = (): number => scopes.getStore()?.now() ?? RealDate.now();
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as Date,
    apply: () => new RealDate(now()).toString(),
    get: (target, property) => (property === 'now' ? now : (Reflect.get(target, property) as unknown)),
  });

  const realEnv = process.env;
  const overlaid = (property: string | symbol): Scope['env'] | undefined => {
    const env = typeof property === 'string' ? scopes.getStore()?.env : undefined;
    return env !== undefined && Object.hasOwn(env, property) ? env : undefined;
  };
  process.env = new Proxy(realEnv, {
    get: (target, property) =>
      overlaid(property)?.[property as string] ??
      (overlaid(property) === undefined ? (Reflect.get(target, property) as string) : undefined),
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
