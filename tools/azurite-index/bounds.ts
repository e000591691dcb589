import type { Keyed, Rows } from './rows.ts';

/** A node of the tree that Azurite's parser makes of a `$filter`. */
export interface QueryNode {
  readonly name: string;
  readonly left?: QueryNode;
  readonly right?: QueryNode;
  readonly identifier?: string;
  readonly value?: unknown;
}

interface Condition {
  column: string;
  operator: string;
  value: string;
}

const OPERATORS = new Set(['eq', 'gt', 'ge', 'lt', 'le']);

/**
 * The positions between which all entities are that a filter can match, `end` excluded. Only comparisons of a
 * key with a text, joined by `and`, narrow them: the caller applies the whole filter to what is between.
 */
export function bounds<Entity extends Keyed>(
  filter: QueryNode | undefined,
  rows: Rows<Entity>,
): { start: number; end: number } {
  const conditions = conditionsOf(filter);
  let start = 0;
  let end = rows.length;
  const from = (position: number): void => {
    start = Math.max(start, position);
  };
  const to = (position: number): void => {
    end = Math.min(end, position);
  };
  for (const { column, operator, value } of conditions) {
    if (column !== 'PartitionKey') continue;
    if (operator === 'eq' || operator === 'ge') from(rows.before(value, ''));
    if (operator === 'gt') from(rows.afterPartition(value));
    if (operator === 'eq' || operator === 'le') to(rows.afterPartition(value));
    if (operator === 'lt') to(rows.before(value, ''));
  }
  const partition = conditions.find(
    ({ column, operator }) => column === 'PartitionKey' && operator === 'eq',
  )?.value;
  if (partition === undefined) return { start, end };
  for (const { column, operator, value } of conditions) {
    if (column !== 'RowKey') continue;
    if (operator === 'eq' || operator === 'ge') from(rows.before(partition, value));
    if (operator === 'gt') from(rows.after(partition, value));
    if (operator === 'eq' || operator === 'le') to(rows.after(partition, value));
    if (operator === 'lt') to(rows.before(partition, value));
  }
  return { start, end };
}

function conditionsOf(node: QueryNode | undefined): Condition[] {
  if (node?.left === undefined || node.right === undefined) return [];
  const { name, left, right } = node;
  if (name === 'and') return [...conditionsOf(left), ...conditionsOf(right)];
  return OPERATORS.has(name) &&
    left.name === 'id' &&
    right.name === 'constant' &&
    typeof right.value === 'string'
    ? [{ column: left.identifier!, operator: name, value: right.value }]
    : [];
}
