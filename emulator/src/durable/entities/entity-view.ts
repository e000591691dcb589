import type { InstanceRecord } from '../task-hub.js';
import { readState } from './entity.js';

/** An entity as a developer looks at it. */
export interface EntityView {
  /** Whether it has a state. */
  exists: boolean;
  /** The decoded state; null when there is none. */
  state: unknown;
  /** The requests that wait for the end of the lock: the operation, and the instance that waits for it. */
  queue: { operation: string; from: string | null }[];
  /** The id of the orchestration that holds the lock. */
  lockedBy: string | null;
}

/** @returns an entity's state, lock and queue */
export function entityView({ input }: InstanceRecord): EntityView {
  const { state, queue = [], lockedBy } = readState(input);
  return {
    exists: state !== undefined,
    state: state === undefined ? null : (JSON.parse(state) as unknown),
    queue: queue.map(({ op, parent }) => ({ operation: op ?? 'lock', from: parent ?? null })),
    lockedBy: lockedBy ?? null,
  };
}
