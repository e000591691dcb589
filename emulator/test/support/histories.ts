import type { ExecutionStarted, HistoryEvent, InboundEvent } from '../../src/durable/history.js';
import type { Commit, CommitToken, InstanceRecord, Message } from '../../src/durable/task-hub.js';

export const AT = '2026-11-21T00:24:25.867Z';

export function started(
  instanceId: string,
  executionId = 'e1',
  over: Partial<ExecutionStarted> = {},
): ExecutionStarted {
  return {
    EventType: 'ExecutionStarted',
    EventId: -1,
    Timestamp: AT,
    Name: 'chain',
    Version: null,
    Input: '"in"',
    OrchestrationInstance: { InstanceId: instanceId, ExecutionId: executionId },
    ParentInstance: null,
    Generation: 0,
    ...over,
  };
}

/** The history of an instance that runs: its start and as many scheduled activities as asked for. */
export function running(instanceId: string, tasks: number, executionId = 'e1'): HistoryEvent[] {
  return [
    { EventType: 'OrchestratorStarted', EventId: -1, Timestamp: AT },
    started(instanceId, executionId),
    ...Array.from({ length: tasks }, (_, id): HistoryEvent => ({
      EventType: 'TaskScheduled',
      EventId: id,
      Timestamp: AT,
      Name: 'work',
      Input: `${id}`,
    })),
    { EventType: 'OrchestratorCompleted', EventId: -1, Timestamp: AT },
  ];
}

export function recordOf(instanceId: string, over: Partial<InstanceRecord> = {}): InstanceRecord {
  return {
    instanceId,
    executionId: 'e1',
    name: 'chain',
    version: null,
    runtimeStatus: 'Running',
    input: '"in"',
    output: null,
    customStatus: null,
    createdTime: AT,
    lastUpdatedTime: AT,
    completedTime: null,
    parent: null,
    ...over,
  };
}

export function commitOf(instanceId: string, token: CommitToken, over: Partial<Commit> = {}): Commit {
  return {
    instanceId,
    token,
    replace: false,
    append: running(instanceId, 1),
    consumed: [],
    record: recordOf(instanceId),
    memo: null,
    ...over,
  };
}

export function raised(name: string, input = '1'): InboundEvent {
  return { EventType: 'EventRaised', EventId: -1, Timestamp: AT, Name: name, Input: input };
}

export function message(id: string, input?: string): Message {
  return { id, event: raised(id, input) };
}
