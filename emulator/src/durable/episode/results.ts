/** The first and last events of episodes, and their results. */
import type { EpisodeResult } from './episode.js';
import type {
  ExecutionCompleted,
  ExecutionStarted,
  FailureDetails,
  HistoryEvent,
  JsonText,
  OrchestratorStarted,
} from '../history.js';

/** An episode after which the execution is Failed, whatever the orchestrator's actions are. */
export function failedEpisode(inbound: readonly HistoryEvent[], text: string, time: string): EpisodeResult {
  const completed = executionCompleted(-1, 'Failed', text, time);
  return {
    ...emptyResult(),
    append: [...inbound, completed, { EventType: 'OrchestratorCompleted', EventId: -1, Timestamp: time }],
    completed,
  };
}

export function emptyResult(): EpisodeResult {
  return {
    append: [],
    activities: [],
    subOrchestrations: [],
    timers: [],
    outgoing: [],
    cancelledTimers: new Set(),
    completed: undefined,
    continueAsNew: undefined,
    suspended: false,
    customStatus: null,
    awaiting: [],
    idTaking: new Set(),
    warnings: [],
    notes: [],
  };
}

/** The output of a failed orchestration, in the real host's words. */
export function orchestratorFailure(name: string, error: string): string {
  return `Orchestrator function '${name}' failed: ${error}`;
}

/** The output of an instance. With structured failure it is that of .NET's `FailureDetails`, without the function's name. */
export function outputOf({ Result, FailureDetails }: ExecutionCompleted): string | null {
  return FailureDetails === undefined
    ? Result
    : `${FailureDetails.ErrorType}: ${FailureDetails.ErrorMessage}`;
}

export function executionCompleted(
  id: number,
  status: ExecutionCompleted['OrchestrationStatus'],
  result: string | null,
  time: string,
  failureDetails?: FailureDetails,
): ExecutionCompleted {
  return {
    EventType: 'ExecutionCompleted',
    EventId: id,
    Timestamp: time,
    OrchestrationStatus: status,
    Result: result,
    ...(failureDetails && { FailureDetails: failureDetails }),
  };
}

/**
 * The first events of a new execution after continue-as-new, as on a real host. They include an
 * OrchestratorCompleted.
 */
export function continuedExecution(
  previous: ExecutionStarted,
  executionId: string,
  input: JsonText,
  time: string,
): HistoryEvent[] {
  const base = { EventId: -1, Timestamp: time };
  return [
    { EventType: 'OrchestratorStarted', ...base },
    {
      ...previous,
      ...base,
      Input: input,
      Generation: null,
      OrchestrationInstance: {
        InstanceId: previous.OrchestrationInstance.InstanceId,
        ExecutionId: executionId,
      },
    },
    { EventType: 'OrchestratorCompleted', ...base, Continuation: true },
  ];
}

export function orchestratorStarted(time: string): OrchestratorStarted {
  return { EventType: 'OrchestratorStarted', EventId: -1, Timestamp: time };
}
