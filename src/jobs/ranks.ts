import { nameOf, type Dimension, type Total } from '../sales/index.js';
import type { Ranked, SalesReport } from './model.js';

/** The totals of a report. */
export type Ranks = Pick<SalesReport, 'total' | 'topStores' | 'topSkus'>;

/**
 * Finds the largest totals of each dimension, and the sum of all. It keeps a few more than `top` of each in
 * memory.
 */
export async function rank(blocks: AsyncIterable<Total[]>, top: number): Promise<Ranks> {
  const total = { lines: 0, quantity: 0, amount: 0 };
  const largest: Record<Dimension, Ranked[]> = { store: [], sku: [] };
  for await (const block of blocks) {
    for (const [key, lines, quantity, amount] of block) {
      const { dimension, name } = nameOf(key);
      largest[dimension].push({ name, lines, quantity, amount });
      // Each line is in one total of each dimension.
      if (dimension === 'store') {
        total.lines += lines;
        total.quantity += quantity;
        total.amount += amount;
      }
    }
    for (const dimension of ['store', 'sku'] as const) largest[dimension] = best(largest[dimension], top);
  }
  return { total, topStores: largest.store, topSkus: largest.sku };
}

/** Orders by amount, then by name. */
function best(ranked: readonly Ranked[], top: number): Ranked[] {
  return ranked.toSorted((a, b) => b.amount - a.amount || (a.name < b.name ? -1 : 1)).slice(0, top);
}

/**
 * The values at some positions among all values of several sources, each in ascending order. It keeps one
 * block of each in memory.
 *
 * @param positions in ascending order, from 0
 */
export async function select(
  sources: readonly AsyncIterator<Float64Array, undefined>[],
  positions: readonly number[],
): Promise<number[]> {
  const found: number[] = [];
  let passed = 0;
  const heads = await Promise.all(sources.map(async (source) => ({ source, block: await next(source) })));
  while (found.length < positions.length) {
    const open = heads.filter(({ block }) => block.length > 0);
    if (open.length === 0) break;
    // No unread value is less than the last value of the block that ends first.
    const bound = Math.min(...open.map(({ block }) => block.at(-1)!));
    const taken = open.map((head) => {
      const end = behind(head.block, bound);
      const part = head.block.subarray(0, end);
      head.block = head.block.subarray(end);
      return part;
    });
    const merged = new Float64Array(taken.reduce((sum, part) => sum + part.length, 0));
    taken.reduce((at, part) => (merged.set(part, at), at + part.length), 0);
    merged.sort();
    for (
      let position = positions[found.length];
      position !== undefined && position < passed + merged.length;
      position = positions[found.length]
    ) {
      found.push(merged[position - passed]!);
    }
    passed += merged.length;
    for (const head of open) if (head.block.length === 0) head.block = await next(head.source);
  }
  return found;
}

/** The number of values that are at most `bound`. */
function behind(block: Float64Array, bound: number): number {
  let [low, high] = [0, block.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (block[middle]! <= bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

async function next(source: AsyncIterator<Float64Array, undefined>): Promise<Float64Array> {
  return (await source.next()).value ?? new Float64Array();
}
