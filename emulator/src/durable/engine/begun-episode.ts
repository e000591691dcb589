import { orchestratorStarted } from '../episode/results.js';
import type { ExecutionStarted, HistoryEvent, InboundEvent, Timestamp } from '../history.js';
import type { CommittedState } from './instance/committed-state.js';
import { rewoundHistory } from './rewind.js';

/** What an episode starts from. It changes while the orchestrator continues as new. */
export interface Episode {
  execution: ExecutionStarted;
  /** The last input that was not null since the start of the instance. As in production, the status shows it. */
  input: string | null;
  history: HistoryEvent[];
  inbound: HistoryEvent[];
  /** Whether the commit begins a new history. */
  replace: boolean;
  /** The history after a rewind, which the commit writes in the place of the one before. */
  rewound: HistoryEvent[];
}

/** @param inbound the events of the episode, at least one */
export function beginEpisode(
  state: CommittedState,
  inbound: readonly InboundEvent[],
  now: Timestamp,
): Episode {
  const first = inbound[0]!;
  const started = orchestratorStarted(now);
  const whole = { inbound: [started, ...inbound], rewound: [] };
  if (first.EventType === 'ExecutionStarted')
    return {
      ...whole,
      execution: first,
      // A sub-orchestration without input leaves that of the instance that had its id before.
      input: first.Input ?? (first.ParentInstance === null ? null : (state.record?.input ?? null)),
      history: [],
      replace: state.history.length > 0,
    };
  const execution = state.execution!;
  const input = execution.Input ?? state.record!.input;
  const rewind = first.EventType === 'GenericEvent' ? first.Rewind : undefined;
  if (rewind === undefined) return { ...whole, execution, input, history: state.history, replace: false };
  const rewound = rewoundHistory(state.history, rewind);
  const request: HistoryEvent = {
    EventType: 'GenericEvent',
    EventId: -1,
    Timestamp: first.Timestamp,
    Data: rewind.reason,
  };
  return {
    execution,
    input,
    history: rewound,
    inbound: [started, request, ...inbound.slice(1)],
    replace: true,
    rewound,
  };
}
