/**
 * The type that the caller prefers, by `Accept` (RFC 9110, 12.5.1). Of equally preferred types, the first.
 *
 * @returns `undefined` when none is acceptable
 */
export function preferred<Type extends string>(
  accept: string | null,
  types: readonly Type[],
): Type | undefined {
  const ranges = (accept ?? '*/*').split(',').map((part) => {
    const [range = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    const q = parameters.find((parameter) => parameter.startsWith('q='));
    return { range, q: q === undefined ? 1 : Number(q.slice(2)) || 0 };
  });
  const weightOf = (type: string): number => {
    // The most specific range counts.
    const names = [type, `${type.split('/')[0]}/*`, '*/*'];
    const found = names.map((name) => ranges.find(({ range }) => range === name)).find((range) => range);
    return found?.q ?? 0;
  };
  return types.filter((type) => weightOf(type) > 0).toSorted((a, b) => weightOf(b) - weightOf(a))[0];
}
