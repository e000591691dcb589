/**
 * One batch of an entity, without I/O of its own. An entity is an instance that continues as new after each
 * batch, with its state as the input of the next execution. The provider's tables and the management API show
 * it that way.
 */
import { randomUUID } from 'node:crypto';
import {
  entityInstanceId,
  isEntity,
  parseEntityId,
  releaseMessage,
  requestMessage,
  responseMessage,
  type EntityRelease,
  type EntityRequest,
  type Outgoing,
} from './entity-messages.js';
import type { ExecutionStarted, HistoryEvent, InboundEvent, JsonText, Timestamp } from '../history.js';
import { timestamp } from '../history.js';
import { label, recordReceived, type MessageSorter } from './message-labels.js';
import { continuedExecution } from '../episode/results.js';
import type { EntityAnswer, EntityRun } from '../protocol/functions.js';
import type { InstanceRecord } from '../task-hub.js';

/** The state of an entity, with the names of the extension's JSON. */
interface EntityState {
  exists?: true;
  state?: string;
  /** Requests that wait until the entity is unlocked. */
  queue?: EntityRequest[];
  /** The id of the orchestration that holds the lock. */
  lockedBy?: string;
  /**
   * The id of its lock request. Only the emulator keeps it, so that a late release does not end the lock of
   * the next execution.
   */
  lockRequest?: string;
  sorter: MessageSorter;
}

export interface EntityBatch {
  instanceId: string;
  /** The start of the current execution; undefined for an entity that was never called. */
  execution: ExecutionStarted | undefined;
  events: readonly InboundEvent[];
  /** How many operations one invocation of the function gets at most. */
  maxOperations: number;
  /** Milliseconds since the epoch. */
  now: () => number;
  run: (run: EntityRun) => Promise<EntityAnswer>;
}

export interface EntityBatchResult {
  append: HistoryEvent[];
  record: InstanceRecord;
  outgoing: Outgoing[];
  warnings: string[];
}

/**
 * The state of an entity. As in production, an entity without a state does not exist: one that was never
 * called, that was deleted, or whose operations have set none or `undefined`.
 */
export function entityState(record: InstanceRecord | undefined): { state: string } | undefined {
  if (record === undefined || !isEntity(record.instanceId)) return undefined;
  const { state } = readState(record.input);
  return state === undefined ? undefined : { state };
}

/** Whether an entity was called and not deleted since, with a state or without. */
export function hasEntity({ instanceId, input }: InstanceRecord): boolean {
  return isEntity(instanceId) && readState(input).exists === true;
}

/** Takes in the events of a batch, and runs the operations that may run now. */
export async function runEntityBatch({
  instanceId,
  execution,
  events,
  maxOperations,
  now,
  run,
}: EntityBatch): Promise<EntityBatchResult> {
  const state = readState(execution?.Input ?? null);
  const { queue, released } = receive(state, events);

  // A lock request is the last of its batch: requests after it wait for the release.
  const operations: EntityRequest[] = [];
  let lock: EntityRequest | undefined;
  while (
    lock === undefined &&
    queue.length > 0 &&
    (state.lockedBy === undefined || queue[0]!.parent === state.lockedBy)
  ) {
    const request = queue.shift()!;
    if (request.lockset === undefined) operations.push(request);
    else lock = request;
  }

  const warnings: string[] = [];
  const outgoing: Outgoing[] = [];
  while (operations.length > 0) {
    const batch = operations.splice(0, maxOperations);
    const answer = await run({
      entity: parseEntityId(instanceId),
      exists: state.exists === true,
      state: state.state ?? null,
      batch: batch.map(({ op, input, signal, id }) => ({
        name: op ?? '',
        input: input ?? null,
        isSignal: signal === true,
        id,
      })),
    });
    const time = timestamp(now());
    warnings.push(...answer.warnings);
    apply(state, answer);
    for (const [index, request] of batch.entries()) {
      const { isError, result } = answer.results[index]!;
      if (isError) warnings.push(`Error in operation '${request.op}': ${result}`);
      if (request.signal !== true) outgoing.push(responseMessage(request, result ?? null, isError, time));
    }
    for (const { target, name, input } of answer.signals) {
      const to = entityInstanceId(target);
      const request: EntityRequest = {
        op: name,
        signal: true,
        input,
        id: randomUUID(),
        parent: instanceId,
        ...label(time, undefined),
      };
      outgoing.push({ to, message: requestMessage(request, time) });
    }
  }
  const time = timestamp(now());
  for (const release of released) {
    const { lockset = [], pos = 0 } = release;
    const next = lockset[pos + 1];
    if (next !== undefined)
      outgoing.push({
        to: entityInstanceId(next),
        message: releaseMessage(release.id, { ...release, pos: pos + 1 }, time),
      });
  }
  if (lock !== undefined) {
    state.lockedBy = lock.parent!;
    state.lockRequest = lock.id;
    const position = (lock.pos ?? 0) + 1;
    const next = lock.lockset![position];
    outgoing.push(
      next === undefined
        ? responseMessage(lock, 'Lock Acquisition Completed', false, time)
        : { to: entityInstanceId(next), message: requestMessage({ ...lock, pos: position }, time) },
    );
  }

  if (queue.length > 0) state.queue = queue;
  const append = nextExecution(instanceId, execution, state, time);
  return { append, record: recordOf(instanceId, append[1] as ExecutionStarted, state), outgoing, warnings };
}

/**
 * The result of a batch that cannot be run: its calls are answered with an error, the entity keeps its state,
 * and its instance is Failed until the next batch.
 */
export function failedBatch(
  { instanceId, execution, events, now }: Omit<EntityBatch, 'run' | 'maxOperations'>,
  error: string,
): EntityBatchResult {
  const time = timestamp(now());
  const state = readState(execution?.Input ?? null);
  const { queue } = receive(state, events);
  const append = nextExecution(instanceId, execution, state, time);
  const record = recordOf(instanceId, append[1] as ExecutionStarted, state);
  return {
    append,
    record: { ...record, runtimeStatus: 'Failed', output: error },
    outgoing: queue.flatMap((request) =>
      request.signal === true ? [] : [responseMessage(request, JSON.stringify(error), true, time)],
    ),
    warnings: [],
  };
}

function nextExecution(
  instanceId: string,
  execution: ExecutionStarted | undefined,
  state: EntityState,
  time: Timestamp,
): HistoryEvent[] {
  return continuedExecution(
    execution ?? firstExecution(instanceId),
    randomUUID().replaceAll('-', ''),
    text(state),
    time,
  );
}

/**
 * @returns the requests that wait now, those of the lock's holder first, and the releases that ended a lock
 */
function receive(
  state: EntityState,
  events: readonly InboundEvent[],
): { queue: EntityRequest[]; released: EntityRelease[] } {
  const released: EntityRelease[] = [];
  let queue = state.queue ?? [];
  delete state.queue;
  const ofHolder: EntityRequest[] = [];
  for (const event of events) {
    if (event.EventType !== 'EventRaised' || event.Input === null) continue;
    if (event.Name === 'op') {
      const request = JSON.parse(event.Input) as EntityRequest & { $type?: string };
      delete request.$type;
      recordReceived(state.sorter, request);
      if (state.lockedBy !== undefined && request.parent === state.lockedBy) ofHolder.push(request);
      else queue.push(request);
    } else if (event.Name === 'release') {
      const release = JSON.parse(event.Input) as EntityRelease;
      if (state.lockRequest === release.id) {
        delete state.lockedBy;
        delete state.lockRequest;
        released.push(release);
      } else {
        queue = queue.filter(({ id }) => id !== release.id);
      }
    }
  }
  return { queue: [...ofHolder, ...queue], released };
}

function apply(state: EntityState, answer: EntityAnswer): void {
  delete state.exists;
  delete state.state;
  if (answer.exists) state.exists = true;
  if (answer.state !== null) state.state = answer.state;
}

/** The state in an entity's record. */
export function readState(input: JsonText): EntityState {
  return input === null ? { sorter: {} } : (JSON.parse(input) as EntityState);
}

/** The state as JSON text, in the order of the extension's keys. */
function text({ exists, state, queue, lockedBy, lockRequest, sorter }: EntityState): string {
  const { ReceivedFromInstance, ReceiveHorizon } = sorter;
  return JSON.stringify({
    exists,
    state,
    queue,
    lockedBy,
    lockRequest,
    sorter: { ReceivedFromInstance, ReceiveHorizon },
  });
}

function firstExecution(instanceId: string): ExecutionStarted {
  return {
    EventType: 'ExecutionStarted',
    EventId: -1,
    Timestamp: '',
    Name: instanceId,
    Version: '',
    Input: null,
    OrchestrationInstance: { InstanceId: instanceId, ExecutionId: '' },
    ParentInstance: null,
    Generation: null,
  };
}

function recordOf(
  instanceId: string,
  { Input, Timestamp, OrchestrationInstance, Version }: ExecutionStarted,
  state: EntityState,
): InstanceRecord {
  return {
    instanceId,
    executionId: OrchestrationInstance.ExecutionId,
    name: instanceId,
    version: Version,
    runtimeStatus: 'Running',
    input: Input,
    output: null,
    customStatus: JSON.stringify({
      entityExists: state.exists,
      queueSize: state.queue?.length,
      lockedBy: state.lockedBy,
    }),
    createdTime: Timestamp,
    lastUpdatedTime: Timestamp,
    completedTime: null,
    parent: null,
  };
}
