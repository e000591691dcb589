/** The keys of an entity, by which a table is ordered. */
export interface Keyed {
  PartitionKey: string;
  RowKey: string;
}

/** The entities of one table in the order of their keys: one is found, and a range begins, in O(log n). */
export class Rows<Entity extends Keyed> {
  readonly #rows: Entity[];

  constructor(entities: Iterable<Entity>) {
    this.#rows = [...entities].toSorted((a, b) => compare(a, b.PartitionKey, b.RowKey));
  }

  get length(): number {
    return this.#rows.length;
  }

  at(position: number): Entity {
    return this.#rows[position]!;
  }

  get(partitionKey: string, rowKey: string): Entity | undefined {
    const row = this.#rows[this.before(partitionKey, rowKey)];
    return row?.PartitionKey === partitionKey && row.RowKey === rowKey ? row : undefined;
  }

  add(entity: Entity): void {
    this.#rows.splice(this.after(entity.PartitionKey, entity.RowKey), 0, entity);
  }

  remove(entity: Entity): void {
    const position = this.#positionOf(entity);
    if (position >= 0) this.#rows.splice(position, 1);
  }

  /** Puts an entity in the place of one with the same keys. */
  replace(before: Entity, entity: Entity): void {
    const position = this.#positionOf(before);
    if (position >= 0) this.#rows[position] = entity;
  }

  /** The position of the first entity that is not before these keys. */
  before(partitionKey: string, rowKey: string): number {
    return this.#first((row) => compare(row, partitionKey, rowKey) >= 0);
  }

  /** The position of the first entity after these keys. */
  after(partitionKey: string, rowKey: string): number {
    return this.#first((row) => compare(row, partitionKey, rowKey) > 0);
  }

  /** The position of the first entity after a partition. */
  afterPartition(partitionKey: string): number {
    return this.#first((row) => row.PartitionKey > partitionKey);
  }

  #positionOf(entity: Entity): number {
    return this.#rows.indexOf(entity, this.before(entity.PartitionKey, entity.RowKey));
  }

  /** The first position from which on `holds` is true. */
  #first(holds: (row: Entity) => boolean): number {
    let low = 0;
    let high = this.#rows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (holds(this.#rows[middle]!)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** The order of Azurite's answers: by UTF-16 units. */
function compare({ PartitionKey, RowKey }: Keyed, partitionKey: string, rowKey: string): number {
  if (PartitionKey !== partitionKey) return PartitionKey < partitionKey ? -1 : 1;
  if (RowKey === rowKey) return 0;
  return RowKey < rowKey ? -1 : 1;
}
