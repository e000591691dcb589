import { readState } from '../durable/entities/entity.js';
import type { InstanceRecord } from '../durable/task-hub.js';
import type { EntityView } from './view.js';

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
