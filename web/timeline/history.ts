/**
 * An event of a history, as the durable management API shows it with `showHistory=true`. Times are ISO 8601. `Input` is
 * JSON text; `Result` is JSON that is parsed already, and there only with `showHistoryOutput=true`. The host
 * shows an activity or a sub-orchestration that has ended as one event, with the time at which it was
 * scheduled.
 */
export interface HistoryEvent {
  EventType: string;
  Timestamp: string;
  /** Of what has ended: when it was scheduled. */
  ScheduledTime?: string;
  /** Of the start, and of what has ended. */
  FunctionName?: string | null;
  /** Of events, and of what has not ended. */
  Name?: string | null;
  InstanceId?: string | null;
  /** Of timers. */
  FireAt?: string;
  Input?: string | null;
  Result?: unknown;
  Reason?: string | null;
  Details?: string | null;
  /** Of a `GenericEvent`. */
  Data?: string | null;
}

/** The status of an instance with its history, as the durable management API answers. */
export interface Instance {
  instanceId: string;
  name: string;
  runtimeStatus: string;
  /** ISO 8601, to the second. */
  createdTime: string;
  lastUpdatedTime: string;
  historyEvents?: readonly HistoryEvent[] | null;
}

/** Whether an instance in this state does nothing any more. */
export function hasEnded(runtimeStatus: string): boolean {
  return ['Completed', 'Failed', 'Terminated', 'Canceled'].includes(runtimeStatus);
}

/** A request to an entity, or a lock of entities, in the input of an `EventSent`. */
export interface EntityRequest {
  id?: string;
  op?: string;
  signal?: boolean;
  /** JSON text. */
  input?: string;
}

/** The answer of an entity, in the input of an `EventRaised` whose name is the id of the request. */
export interface EntityResponse {
  /** JSON text; the text of the error when there is an `exceptionType`. */
  result?: string;
  exceptionType?: string;
}

/** Reads JSON text that the framework may have encoded twice; `undefined` when it is no object. */
export function readMessage<Message extends object>(text: string | null | undefined): Message | undefined {
  let value: unknown = text;
  try {
    for (let times = 0; times < 2 && typeof value === 'string'; times += 1) value = JSON.parse(value);
  } catch {
    return undefined;
  }
  return typeof value === 'object' && value !== null ? (value as Message) : undefined;
}
