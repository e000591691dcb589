import type { EpisodeResult } from '../episode/episode.js';
import type { ExecutionStarted, HistoryEvent, JsonText, Timestamp } from '../history.js';
import { outputOf } from '../episode/results.js';
import type { InstanceRecord } from '../task-hub.js';

/**
 * The record of an instance after an episode. `output`: its output before; `input`: what the status shows,
 * which is not the execution's after a `continueAsNew` without an input.
 */
export function recordAfter(
  execution: ExecutionStarted,
  input: JsonText,
  inbound: readonly HistoryEvent[],
  { completed, suspended, customStatus }: EpisodeResult,
  previous: InstanceRecord | undefined,
  output: JsonText,
  time: Timestamp,
): InstanceRecord {
  const generation = execution.Generation ?? previous?.generation;
  // The reason of a suspension or resumption is the output until there is another one.
  const reasons = inbound.flatMap((event) =>
    event.EventType === 'ExecutionSuspended' || event.EventType === 'ExecutionResumed' ? [event.Reason] : [],
  );
  return {
    instanceId: execution.OrchestrationInstance.InstanceId,
    executionId: execution.OrchestrationInstance.ExecutionId,
    name: execution.Name,
    version: execution.Version,
    runtimeStatus:
      completed !== undefined ? completed.OrchestrationStatus : suspended ? 'Suspended' : 'Running',
    input,
    output: (completed && outputOf(completed)) ?? reasons.findLast((reason) => reason !== null) ?? output,
    customStatus:
      completed?.OrchestrationStatus === 'Terminated' ? (previous?.customStatus ?? null) : customStatus,
    createdTime: execution.Timestamp,
    lastUpdatedTime: time,
    completedTime: completed === undefined ? null : time,
    parent: execution.ParentInstance,
    ...(generation !== undefined && { generation }),
  };
}

/**
 * Why an instance failed, for the log: with the place in the code, and without the JSON of .NET exceptions
 * that follows their texts.
 */
export function reasonOf({ output }: InstanceRecord, { where = '' }: EpisodeResult): string {
  const reason = (output ?? '').replaceAll(/\s*\n\s*\{"\$type":.*/g, '');
  return reason.endsWith(where) ? reason : reason + where;
}
