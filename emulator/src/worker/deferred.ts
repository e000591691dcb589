/** Stands for what a module exports, and loads it when a property is read or when it is called. */
export function deferred(load: () => unknown): unknown {
  let exported: { of: unknown } | undefined;
  const loaded = () => (exported ??= { of: load() }).of as (...args: unknown[]) => unknown;
  return new Proxy(() => {}, {
    get: (_, property) => Reflect.get(loaded(), property) as unknown,
    apply: (_, self, args: unknown[]) => Reflect.apply(loaded(), self, args),
  });
}
