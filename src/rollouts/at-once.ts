/** How many requests to storage are made at once. */
const AT_ONCE = 16;

/** Does the same for each, several at once. @returns the results in their order */
export async function atOnce<Each, Result>(
  all: readonly Each[],
  work: (each: Each) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let from = 0; from < all.length; from += AT_ONCE) {
    results.push(...(await Promise.all(all.slice(from, from + AT_ONCE).map(work))));
  }
  return results;
}
