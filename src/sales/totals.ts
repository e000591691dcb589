import { MINOR_UNITS, type SalesLine } from './line.js';
import { CHUNK_SIZE } from './split.js';

/** Sums of lines, pieces, and minor units. */
export type Sums = [lines: number, quantity: number, amount: number];

/** The dimensions of totals. */
export type Dimension = 'store' | 'sku';

/** One total. {@link keyOf} makes the key. */
export type Total = [key: string, ...sums: Sums];

/**
 * The number of totals in a block. Files are read and merged block by block, so their size does not matter.
 */
const BLOCK = 512;

const prefixes = { store: '0', sku: '1' } as const satisfies Record<Dimension, string>;

/** Orders totals: all stores by name, then all articles. */
export const keyOf = (dimension: Dimension, name: string): string => prefixes[dimension] + name;

/** The meaning of a key. */
export function nameOf(key: string): { dimension: Dimension; name: string } {
  return { dimension: key.startsWith(prefixes.store) ? 'store' : 'sku', name: key.slice(1) };
}

/** {@link Totals} with more names are full. */
const MOST_NAMES = 16 * 1024;

/** Adds up the lines of chunks. */
export class Totals {
  readonly #stores = new Map<string, Sums>();
  readonly #skus = new Map<string, Sums>();
  /** The sum of the amounts without their signs: no total is larger. */
  #magnitude = 0;

  /** Whether one chunk more could take too much memory, or make a sum too large to be exact. Never before the first. */
  get areFull(): boolean {
    return (
      this.#stores.size + this.#skus.size > MOST_NAMES ||
      this.#magnitude + CHUNK_SIZE.records * MINOR_UNITS > Number.MAX_SAFE_INTEGER
    );
  }

  add({ store, sku, quantity, amount }: SalesLine): void {
    this.#magnitude += Math.abs(amount);
    add(this.#stores, store, 1, quantity, amount);
    add(this.#skus, sku, 1, quantity, amount);
  }

  /** The totals, ordered by key. */
  *blocks(): Generator<Total[]> {
    yield* blocksOf([...sorted(this.#stores, prefixes.store), ...sorted(this.#skus, prefixes.sku)]);
  }
}

function add(sums: Map<string, Sums>, name: string, lines: number, quantity: number, amount: number): void {
  const sum = sums.get(name);
  if (sum === undefined) {
    sums.set(name, [lines, quantity, amount]);
  } else {
    sum[0] += lines;
    sum[1] += quantity;
    sum[2] += amount;
  }
}

/** Compares by code units. No two keys are the same. */
function sorted(sums: ReadonlyMap<string, Sums>, prefix = ''): Total[] {
  const totals: Total[] = [];
  for (const [name, [lines, quantity, amount]] of sums) totals.push([prefix + name, lines, quantity, amount]);
  return totals.toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function* blocksOf(totals: readonly Total[]): Generator<Total[]> {
  for (let from = 0; from < totals.length; from += BLOCK) yield totals.slice(from, from + BLOCK);
}

/** A sum exceeds the exact range of numbers. The sums of {@link Totals} that are not full before a chunk are below it. */
export class SumTooLargeError extends Error {
  override readonly name = 'SumTooLargeError';

  constructor(key: string) {
    const { dimension, name } = nameOf(key);
    super(`The total of the ${dimension} ${name} is larger than ${Number.MAX_SAFE_INTEGER}`);
  }
}

/**
 * Merges totals that are ordered by key, adding those with the same key. It keeps one block of each source in
 * memory, whatever their size.
 *
 * @throws {SumTooLargeError}
 */
export async function* mergeTotals(sources: readonly AsyncIterable<Total[]>[]): AsyncGenerator<Total[]> {
  const heads = await Promise.all(sources.map((source) => Head.of(source)));
  for (
    let open = heads.filter((head) => head.isOpen);
    open.length > 0;
    open = open.filter((head) => head.isOpen)
  ) {
    // All totals that are still unread have keys after the last key of the block that ends first.
    const bound = open.map((head) => head.lastKey).reduce((least, key) => (key < least ? key : least));
    const sums = new Map<string, Sums>();
    for (const head of open) {
      for (const [key, lines, quantity, amount] of head.upTo(bound)) add(sums, key, lines, quantity, amount);
    }
    for (const [key, sum] of sums) if (!sum.every(Number.isSafeInteger)) throw new SumTooLargeError(key);
    yield* blocksOf(sorted(sums));
    await Promise.all(open.map((head) => head.refill()));
  }
}

/** The block of a source that is being merged. */
class Head {
  #block: Total[] = [];
  #at = 0;

  private constructor(readonly source: AsyncIterator<Total[]>) {}

  static async of(source: AsyncIterable<Total[]>): Promise<Head> {
    const head = new Head(source[Symbol.asyncIterator]());
    await head.refill();
    return head;
  }

  get isOpen(): boolean {
    return this.#at < this.#block.length;
  }

  get lastKey(): string {
    return this.#block.at(-1)![0];
  }

  *upTo(key: string): Generator<Total> {
    for (; this.#at < this.#block.length && this.#block[this.#at]![0] <= key; this.#at++) {
      yield this.#block[this.#at]!;
    }
  }

  /** Reads the next block at the end of this one. */
  async refill(): Promise<void> {
    while (!this.isOpen) {
      const next = await this.source.next();
      if (next.done === true) return;
      [this.#block, this.#at] = [next.value, 0];
    }
  }
}

/** A block as a line of a file. */
export const encodeBlock = (block: readonly Total[]): string => `${JSON.stringify(block)}\n`;

/** A line of a file as a block. */
export const decodeBlock = (line: string): Total[] => JSON.parse(line) as Total[];
