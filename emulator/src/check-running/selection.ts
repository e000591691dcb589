import type { ListedInstance } from './management-client.js';

/** The live instances of one orchestrator, of one version, in one status. */
interface Group {
  count: number;
  /** Those that are kept: at least the oldest and the newest. */
  instances: ListedInstance[];
}

/**
 * Selects instances to check: of each orchestrator, version and status the oldest and the newest. It keeps a bounded number
 * of each, however many there are.
 */
export class Selection {
  readonly #max: number;
  readonly #groups = new Map<string, Group>();

  /** @param max how many of each orchestrator, version and status */
  constructor(max: number) {
    this.#max = max;
  }

  add(instance: ListedInstance): void {
    const { name, version, runtimeStatus } = instance;
    const key = JSON.stringify([name, version, runtimeStatus]);
    let group = this.#groups.get(key);
    if (group === undefined) this.#groups.set(key, (group = { count: 0, instances: [] }));
    group.count++;
    group.instances.push(instance);
    if (group.instances.length > 4 * this.#max) group.instances = this.#ends(group.instances);
  }

  /** How many instances there are, selected or not. */
  get count(): number {
    return [...this.#groups.values()].reduce((sum, { count }) => sum + count, 0);
  }

  /** The oldest and the newest instances, by the names of their orchestrators. */
  selected(): ListedInstance[] {
    return [...this.#groups]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([, { instances }]) => this.#ends(instances));
  }

  #ends(instances: readonly ListedInstance[]): ListedInstance[] {
    const byAge = instances.toSorted((a, b) => (a.createdTime < b.createdTime ? -1 : 1));
    const newest = Math.floor(this.#max / 2);
    return byAge.length <= this.#max
      ? byAge
      : [...byAge.slice(0, this.#max - newest), ...byAge.slice(byAge.length - newest)];
  }
}
