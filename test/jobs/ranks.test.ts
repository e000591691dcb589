import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { select } from '../../src/jobs/ranks.js';
import { partsOf, rankOf } from '../../src/jobs/rules.js';

it('percentiles of many sorted parts are those of all values together', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.integer({ min: -5, max: 20 }), { maxLength: 12 }), { maxLength: 6 }),
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.double({ min: 0.01, max: 100, noNaN: true }), { maxLength: 5 }),
      async (parts, blockSize, percentiles) => {
        async function* blocks(values: number[]): AsyncGenerator<Float64Array, undefined> {
          const sorted = Float64Array.from(values).toSorted();
          for (let from = 0; from < sorted.length; from += blockSize)
            yield sorted.subarray(from, from + blockSize);
        }
        const all = parts.flat().toSorted((a, b) => a - b);
        const positions = percentiles
          .toSorted((a, b) => a - b)
          .map((percentile) => rankOf(percentile, all.length));
        expect(await select(parts.map(blocks), positions)).toEqual(
          all.length === 0 ? [] : positions.map((position) => all[position]),
        );
      },
    ),
  );
});

it.each([
  [50, 4, 1],
  [50, 5, 2],
  [99, 200, 197],
  [100, 7, 6],
  [0.1, 7, 0],
])('the %s. percentile of %i values is the one at %i', (percentile, count, position) => {
  expect(rankOf(percentile, count)).toBe(position);
});

it('a file of any length is read in at most 128 parts, each chunk once', () => {
  for (const chunks of [0, 1, 31, 32, 33, 4096, 4097, 100_000]) {
    const parts = partsOf(chunks);
    expect(parts.length).toBeLessThanOrEqual(128);
    expect(parts.map(({ from }) => from)).toEqual([
      ...(chunks > 0 ? [0] : []),
      ...parts.slice(0, -1).map(({ to }) => to),
    ]);
    expect(parts.at(-1)?.to ?? 0).toBe(chunks);
  }
});
