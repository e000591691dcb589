import { expect, test } from 'vitest';
import {
  releaseMessage,
  requestMessage,
  type EntityRelease,
  type EntityRequest,
} from '../src/durable/entities/entity-messages.js';
import { runEntityBatch, type EntityBatchResult } from '../src/durable/entities/entity.js';
import type { ExecutionStarted, InboundEvent } from '../src/durable/history.js';

const time = '2026-03-01T08:00:00Z';

/** Runs batches of the entity `@door@1`, one after another. Its function does nothing. */
async function after(
  events: readonly InboundEvent[],
  before?: EntityBatchResult,
): Promise<EntityBatchResult & { status: unknown }> {
  const outcome = await runEntityBatch({
    instanceId: '@door@1',
    execution: before?.append[1] as ExecutionStarted | undefined,
    events,
    maxOperations: Infinity,
    now: () => Date.parse(time),
    run: async ({ batch }) => ({
      results: batch.map(() => ({ isError: false })),
      signals: [],
      exists: true,
      state: '1',
      warnings: [],
    }),
  });
  return { ...outcome, status: JSON.parse(outcome.record.customStatus!) as unknown };
}

function lock(id: string, parent: string): InboundEvent {
  const request: EntityRequest = {
    op: null,
    id,
    parent,
    parentExecution: 'e',
    Timestamp: time,
    Predecessor: time,
    lockset: [
      { name: 'door', key: '1' },
      { name: 'door', key: '2' },
    ],
  };
  return requestMessage(request, time).event;
}

function release(of: EntityRelease): InboundEvent {
  return releaseMessage(of.id, of, time).event;
}

test('A release that comes late does not end the lock that the same instance has now', async () => {
  const locked = await after([lock('second', 'o')]);
  expect(locked.status).toEqual({ lockedBy: 'o' });
  const still = await after([release({ id: 'first', parent: 'o' })], locked);
  expect(still.status).toEqual({ lockedBy: 'o' });
  expect((await after([release({ id: 'second', parent: 'o' })], still)).status).toEqual({});
});

test('The message that ends a lock which is not granted yet follows the request, and no further', async () => {
  const lockset = [
    { name: 'door', key: '1' },
    { name: 'door', key: '2' },
  ];
  const passedOn = await after([lock('a', 'o')]);
  expect(passedOn.outgoing.map(({ to }) => to)).toEqual(['@door@2']);
  // The request has gone to the second door. The message that ends it follows.
  expect(
    (await after([release({ id: 'a', parent: 'o', lockset })], passedOn)).outgoing.map(({ to }) => to),
  ).toEqual(['@door@2']);
  // A request that waits here is removed here.
  const waiting = await after([lock('b', 'p')], passedOn);
  expect(waiting.status).toEqual({ lockedBy: 'o', queueSize: 1 });
  expect(await after([release({ id: 'b', parent: 'p', lockset })], waiting)).toMatchObject({
    status: { lockedBy: 'o' },
    outgoing: [],
  });
});
