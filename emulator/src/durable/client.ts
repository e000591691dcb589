import type { TraceContext } from '../tracing/trace-context.js';
import type { EntityId } from './entities/entity-messages.js';
import type { HistoryEvent, JsonText, RuntimeStatus } from './history.js';
import type { InstancePage, InstanceQuery, InstanceRecord } from './task-hub.js';

/** The result of a request to one instance. `gone`: the instance has finished, so nothing was done. */
export type RequestResult = 'accepted' | 'notFound' | 'gone';

export interface StartRequest {
  name: string;
  /** Chosen by the caller, or made here (32 hexadecimal digits, as the real host makes them). */
  instanceId?: string;
  input: JsonText;
  version?: string;
  /** Whether an unknown orchestrator is an error. If not, its instance starts and fails. */
  known?: boolean;
  /** The trace of the caller. */
  trace?: TraceContext | undefined;
}

/** Which finished instances to purge. Times are inclusive, in milliseconds since the epoch. */
export interface PurgeFilter {
  createdTimeFrom: number;
  createdTimeTo?: number;
  /** Any of these; empty or absent means all. */
  runtimeStatus?: readonly RuntimeStatus[];
}

/**
 * The engine's operations for the management API and the SDK's client. Each is durable when it resolves.
 */
export interface DurableClient {
  readonly taskHubName: string;
  /**
   * @throws InstanceExistsError when a live instance has that id (simultaneous starts of one id may all
   * succeed), UnknownFunctionError.
   */
  startInstance(request: StartRequest): Promise<string>;
  getRecord(instanceId: string): Promise<InstanceRecord | undefined>;
  /** The current execution's history, or undefined for an unknown instance. */
  getHistory(instanceId: string): Promise<readonly HistoryEvent[] | undefined>;
  query(query: InstanceQuery): Promise<InstancePage>;
  raiseEvent(instanceId: string, name: string, input: JsonText): Promise<RequestResult>;
  terminate(instanceId: string, reason: string | null): Promise<RequestResult>;
  /** @throws InvalidStateError when it is suspended already. */
  suspend(instanceId: string, reason: string | null): Promise<RequestResult>;
  resume(instanceId: string, reason: string | null): Promise<RequestResult>;
  /** Makes a failed instance run its failed tasks again. `gone`: it has not failed. */
  rewind(instanceId: string, reason: string | null): Promise<RequestResult>;
  /** @throws UnknownFunctionError when the app has no entity function of that name. */
  signalEntity(entity: EntityId, operation: string, input: JsonText): Promise<void>;
  /** A live instance is not purged (`live`). */
  purge(instanceId: string): Promise<'purged' | 'notFound' | 'live'>;
  /** Purges the finished instances that match. @returns how many */
  purgeBy(filter: PurgeFilter): Promise<number>;
}

/** The app has no such function; the message is the real host's. */
export class UnknownFunctionError extends Error {
  override name = 'UnknownFunctionError';
}

/**
 * Production's message about a function that the app does not have.
 *
 * @param known the functions of that kind
 * @param orchestrators how many orchestrators there are: production uses this number for entities too
 */
export function missingFunction(
  kind: 'orchestrator' | 'entity',
  name: string,
  known: readonly string[],
  orchestrators: number,
): string {
  return (
    `The function '${name}' doesn't exist, is disabled, or is not an ${kind} function. Additional info: ` +
    (orchestrators > 0
      ? `The following are the known ${kind} functions: '${known.join("', '")}'.`
      : `No ${kind} functions are currently registered!`)
  );
}

/** A live instance has the id. */
export class InstanceExistsError extends Error {
  override name = 'InstanceExistsError';
  constructor(readonly status: RuntimeStatus) {
    super(`An Orchestration instance with the status ${status} already exists.`);
  }
}

/** The operation does not fit the instance's state; the message is the real host's. */
export class InvalidStateError extends Error {
  override name = 'InvalidStateError';
}
