/** The events and results that episodes begin and end with. */
import type { EpisodeResult } from './episode.js';
import type {
  ExecutionCompleted,
  ExecutionStarted,
  HistoryEvent,
  JsonText,
  OrchestratorStarted,
} from '../history.js';

/** An episode after which the execution has failed, whatever its orchestrator asked for. */
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

/** The output of an orchestration that failed, as the real host words it. */
export function orchestratorFailure(name: string, error: string): string {
  return `Orchestrator function '${name}' failed: ${error}`;
}

export function executionCompleted(
  id: number,
  status: ExecutionCompleted['OrchestrationStatus'],
  result: string | null,
  time: string,
): ExecutionCompleted {
  return {
    EventType: 'ExecutionCompleted',
    EventId: id,
    Timestamp: time,
    OrchestrationStatus: status,
    Result: result,
  };
}

/**
 * The first events of a new execution after continue-as-new, as recorded: an OrchestratorCompleted of its own
 * is among them.
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
