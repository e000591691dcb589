import type { EpisodeResult } from '../episode/episode.js';
import type { ExecutionStarted, HistoryEvent, JsonText, Timestamp } from '../history.js';
import type { InstanceRecord } from '../task-hub.js';

/** What is known of an instance after an episode. `output`: what stood there before. */
export function recordAfter(
  execution: ExecutionStarted,
  inbound: readonly HistoryEvent[],
  { completed, suspended, customStatus }: EpisodeResult,
  previous: InstanceRecord | undefined,
  output: JsonText,
  time: Timestamp,
): InstanceRecord {
  const generation = execution.Generation ?? previous?.generation;
  // The reasons for both stand where the output will, until something else does.
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
    input: execution.Input,
    output: completed?.Result ?? reasons.findLast((reason) => reason !== null) ?? output,
    customStatus:
      completed?.OrchestrationStatus === 'Terminated' ? (previous?.customStatus ?? null) : customStatus,
    createdTime: execution.Timestamp,
    lastUpdatedTime: time,
    completedTime: completed === undefined ? null : time,
    parent: execution.ParentInstance,
    ...(generation !== undefined && { generation }),
  };
}

/** Why an instance failed, for a person: without the .NET exceptions that come as JSON behind the text of one, and with the place in the code. */
export function reasonOf({ output }: InstanceRecord, { where = '' }: EpisodeResult): string {
  const reason = (output ?? '').replaceAll(/\s*\n\s*\{"\$type":.*/g, '');
  return reason.endsWith(where) ? reason : reason + where;
}
