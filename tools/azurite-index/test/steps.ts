/** Random requests to a table of Azurite. */
import * as fc from 'fast-check';

export type Write =
  | { verb: 'insert'; keys: Keys; columns: Record<string, string> }
  | { verb: 'replace' | 'merge'; keys: Keys; columns: Record<string, string>; etag: Etag }
  | { verb: 'delete'; keys: Keys; etag: Etag };
type Keys = [partitionKey: string, rowKey: string];
/** Undefined: none, so that a put inserts what is missing. */
type Etag = 'current' | 'old' | '*' | undefined;
export type Step =
  | Write
  | { verb: 'batch'; writes: Write[] }
  | { verb: 'get'; keys: Keys }
  | { verb: 'query'; filter: string | undefined; top: number }
  | { verb: 'recreate' };

export const PARTITIONS = ['', 'a', 'aa', 'B', "it's", '\u{1f600}'];
export const ROWS = ['', '0', '00', 'message-1', 'sentinel'];
const partitionKey = fc.constantFrom(...PARTITIONS);
const rowKey = fc.constantFrom(...ROWS);
const keys = fc.tuple(partitionKey, rowKey);
const columns = fc.dictionary(fc.constantFrom('N', 'Name', 'Other'), fc.constantFrom('1', '2', 'x'));
const etag = fc.constantFrom('current' as const, 'old' as const, '*' as const, undefined);
const write = (of: fc.Arbitrary<Keys>): fc.Arbitrary<Write> =>
  fc.oneof(
    fc.record({ verb: fc.constant('insert' as const), keys: of, columns }),
    fc.record({ verb: fc.constantFrom('replace' as const, 'merge' as const), keys: of, columns, etag }),
    fc.record({ verb: fc.constant('delete' as const), keys: of, etag }),
  );
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const comparison = fc
  .tuple(
    fc.constantFrom('eq', 'ne', 'gt', 'ge', 'lt', 'le'),
    fc.oneof(
      partitionKey.map((key) => ['PartitionKey', key] as const),
      rowKey.map((key) => ['RowKey', key] as const),
      fc.constantFrom(['N', '1'] as const, ['Name', 'x'] as const),
    ),
    fc.boolean(),
  )
  .map(([operator, [column, value], turned]) =>
    turned ? `${literal(value)} ${operator} ${column}` : `${column} ${operator} ${literal(value)}`,
  );
const { filter } = fc.letrec<{ filter: string }>((tie) => ({
  filter: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { arbitrary: comparison, weight: 3 },
    {
      arbitrary: fc
        .tuple(tie('filter'), fc.constantFrom('and', 'and', 'or'), tie('filter'))
        .map(([left, operator, right]) => `(${left}) ${operator} (${right})`),
      weight: 4,
    },
    { arbitrary: tie('filter').map((inner) => `not (${inner})`), weight: 1 },
    { arbitrary: fc.constantFrom('true', 'PartitionKey', "PartitionKey eq 'a' and", 'N eq 1'), weight: 1 },
  ),
}));
/** A filter as programs make it: a range of rows of one partition, or of partitions. */
const operator = fc.constantFrom('eq', 'gt', 'ge', 'lt', 'le');
const range = fc.oneof(
  fc
    .tuple(partitionKey, operator, rowKey, operator, rowKey)
    .map(
      ([partition, first, from, second, to]) =>
        `PartitionKey eq ${literal(partition)} and RowKey ${first} ${literal(from)} and RowKey ${second} ${literal(to)}`,
    ),
  fc
    .tuple(operator, partitionKey, operator, partitionKey)
    .map(
      ([first, from, second, to]) =>
        `PartitionKey ${first} ${literal(from)} and PartitionKey ${second} ${literal(to)}`,
    ),
);
const batch = partitionKey.chain((partition) =>
  fc.record({
    verb: fc.constant('batch' as const),
    writes: fc.array(write(rowKey.map((row): Keys => [partition, row])), { minLength: 1, maxLength: 6 }),
  }),
);
export const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: write(keys), weight: 8 },
  { arbitrary: batch, weight: 3 },
  { arbitrary: fc.record({ verb: fc.constant('get' as const), keys }), weight: 2 },
  {
    arbitrary: fc.record({
      verb: fc.constant('query' as const),
      filter: fc.oneof(filter, range, fc.constant(undefined)),
      top: fc.constantFrom(1, 2, 3, 1000),
    }),
    weight: 8,
  },
  { arbitrary: fc.constant({ verb: 'recreate' as const }), weight: 1 },
);
