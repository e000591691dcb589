/** What was thrown, as an error. The real worker writes an object as JSON. */
export function asError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  // oxlint-disable-next-line typescript/no-base-to-string -- it is no object
  if (typeof thrown !== 'object') return new Error(String(thrown));
  const ancestors = new Set<unknown>();
  return new Error(
    JSON.stringify(thrown, (_key, value: unknown) => {
      if (typeof value === 'bigint') return String(value);
      if (typeof value !== 'object' || value === null) return value;
      if (ancestors.has(value)) return '[Circular]';
      ancestors.add(value);
      return value;
    }),
  );
}
