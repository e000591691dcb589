/**
 * The messages between instances. Their ids are derived from sender and step, so that a message sent twice
 * has no effect.
 */
import type {
  ExecutionCompleted,
  ExecutionStarted,
  JsonText,
  Rewind,
  SubOrchestrationInstanceCreated,
  Timestamp,
} from '../history.js';
import { derivedGuid } from '../derived-guid.js';
import { NON_DETERMINISTIC } from '../episode/non-determinism.js';
import { orchestratorFailure } from '../episode/results.js';
import type { InstanceRecord, Message } from '../task-hub.js';

/** The start of a sub-orchestration, made from its parent's record. */
export function startOf(
  child: SubOrchestrationInstanceCreated,
  { instanceId, executionId, name, version }: InstanceRecord,
): Message & { event: ExecutionStarted } {
  const childExecutionId = derivedGuid(executionId, child.EventId);
  return {
    id: `start-${childExecutionId}`,
    event: {
      EventType: 'ExecutionStarted',
      EventId: -1,
      Timestamp: child.Timestamp,
      Name: child.Name,
      Version: child.Version,
      Input: child.Input,
      OrchestrationInstance: { InstanceId: child.InstanceId, ExecutionId: childExecutionId },
      ParentInstance: {
        Name: name,
        OrchestrationInstance: { InstanceId: instanceId, ExecutionId: executionId },
        TaskScheduleId: child.EventId,
        Version: version,
      },
      Generation: null,
    },
  };
}

/**
 * The result of a sub-orchestration, for its parent. The record may show another output: the reason of a
 * suspension, or that of an instance that had the id before.
 *
 * @param completed the last event of its history
 * @returns undefined for an instance without a parent
 */
export function endOf(
  { parent, name, executionId, completedTime }: InstanceRecord,
  { OrchestrationStatus, Result, FailureDetails }: ExecutionCompleted,
): { to: string; message: Message } | undefined {
  if (parent === null) return undefined;
  const base = { EventId: -1, Timestamp: completedTime!, TaskScheduledId: parent.TaskScheduleId };
  const prefix = orchestratorFailure(name, '');
  const error = Result?.startsWith(prefix) === true ? Result.slice(prefix.length) : Result;
  return {
    to: parent.OrchestrationInstance.InstanceId,
    message: {
      id: `end-${executionId}`,
      executionId: parent.OrchestrationInstance.ExecutionId,
      event:
        OrchestrationStatus === 'Completed'
          ? { EventType: 'SubOrchestrationInstanceCompleted', ...base, Result }
          : {
              EventType: 'SubOrchestrationInstanceFailed',
              ...base,
              Reason: Result ?? '',
              FailureDetails: FailureDetails ?? null,
              Details: OrchestrationStatus === 'Terminated' ? null : detailsOf(error),
            },
    },
  };
}

/** The framework's details of a child's error. Code that does not follow its history fails outside of the extension. */
function detailsOf(error: JsonText): string {
  return error?.startsWith(NON_DETERMINISTIC) === true
    ? `Unhandled exception while executing orchestration: DurableTask.Core.Exceptions.NonDeterministicOrchestrationException: ${error}`
    : `Message: ${error}, StackTrace: `;
}

/** The failure of a call of a sub-orchestration that was not started, for its caller. */
export function failureOf(
  { OrchestrationInstance, ParentInstance }: ExecutionStarted,
  reason: string,
  time: Timestamp,
): Message {
  const {
    OrchestrationInstance: { ExecutionId: executionId },
    TaskScheduleId: TaskScheduledId,
  } = ParentInstance!;
  return {
    id: `lost-${OrchestrationInstance.ExecutionId}`,
    executionId,
    event: {
      EventType: 'SubOrchestrationInstanceFailed',
      EventId: -1,
      Timestamp: time,
      TaskScheduledId,
      Reason: reason,
      Details: `Message: ${reason}, StackTrace: `,
      FailureDetails: null,
    },
  };
}

export function rewindRequest(rewind: Rewind, time: Timestamp): Message {
  return {
    id: `rewind-${rewind.id}`,
    event: { EventType: 'GenericEvent', EventId: -1, Timestamp: time, Data: rewind.reason, Rewind: rewind },
  };
}
