/**
 * The interface between the host and the functions of an app. `worker/` takes the place of the Functions Node
 * worker: it supplies `require('@azure/functions-core')`, loads the app, and runs invocations with their
 * hooks.
 */
import type { TraceContext } from '../tracing/trace-context.js';
import type { AnswerClient } from './client-requests.js';

/**
 * A binding as `@azure/functions` registers it: `type`, `direction`, `name`, and the properties of its type.
 */
export interface Binding {
  type: string;
  direction: 'in' | 'out' | 'inout';
  name: string;
  [property: string]: unknown;
}

/** A registered function. */
export interface FunctionDefinition {
  name: string;
  /** Bindings by name. The return binding has the name `$return`. */
  bindings: Record<string, Binding>;
  trigger: Binding;
  retryOptions?: Record<string, unknown>;
  /** Why the function cannot run here, as a sentence. Others run. */
  problem?: string;
}

/** An input or output value in the worker's protocol. The first defined field counts. */
export interface TypedData {
  string?: string;
  json?: string;
  bytes?: Uint8Array;
  int?: number;
  double?: number;
  http?: Record<string, unknown>;
  /** What a library of the app makes a client of an SDK from. */
  modelBindingData?: { version: string; source: string; contentType: string; content: Uint8Array };
}

export interface InvocationRequest {
  functionName: string;
  /** Default: a new id. */
  invocationId?: string;
  /** Inputs by binding name. */
  inputData: Record<string, TypedData>;
  triggerMetadata?: Record<string, TypedData>;
  /** For a function with a retry policy: the retries before this attempt, and the last failure. */
  retryContext?: {
    retryCount: number;
    maxRetryCount: number;
    exception?: { message: string; stackTrace: string; source: string };
  };
  /** The invocation's place in a trace. Default: none. */
  trace?: TraceContext | undefined;
  /**
   * The function gets this value in place of the decoded trigger input, so that large inputs are not
   * converted to JSON and back. The function may change it, so it must not be shared.
   */
  triggerValue?: unknown;
  /** True for a repetition: the log records of the function are dropped. */
  silent?: boolean;
  /** Has the outcome say where in the app's code the function waits, or threw. That costs some ten milliseconds. */
  locate?: Locating;
  /** For an orchestrator function: keeps this run in memory, or continues one that was kept. */
  session?: SessionRequest;
}

/**
 * A run of an orchestrator function that stays in memory after its invocation, so that a later invocation
 * continues it and gets only the new events.
 */
export interface SessionRequest {
  /** Chosen by the host, and used once in a process. */
  id: number;
  /** `resume`: the trigger value is the list of the new events. */
  action: 'keep' | 'resume';
}

/** In an outcome: the run is kept. After a resumption the result then has only what is new. */
export interface SessionState {
  /** How many task ids the SDK has assigned. */
  sequenceNumber: number;
  /**
   * Positions of the timers, among all timers of the orchestrator in order, that were cancelled since the last
   * outcome.
   */
  cancelled: number[];
}

/** How the place of a suspended generator is found: {@link InvocationOutcome.place}. */
export interface Locating {
  /** The name of the function that runs the app's code: errors that are thrown elsewhere do not count. */
  within: string;
  /** The properties that lead from the invocation's context to the generator. */
  generator: readonly string[];
}

/**
 * The worker part died while the function ran. `again`: the function did not cause it, so what has no side
 * effects, such as a replay, may run again. `counts`: the function has failed.
 */
export type WorkerExit = 'again' | 'counts';

export type InvocationOutcome =
  | {
      ok: true;
      returnValue: TypedData | null | undefined;
      /** The values of output bindings by name, when the function has set them. */
      outputData: Record<string, TypedData>;
      /** The object that the function returned, before conversion. */
      result: unknown;
      /** See {@link InvocationRequest.locate}: `src/orders.ts:12:3`. */
      place?: string | undefined;
      /** Absent when the run is not kept. */
      session?: SessionState;
    }
  | {
      ok: false;
      /** The thrown value; hooks may have replaced it. */
      error: unknown;
      message: string;
      stackTrace: string | undefined;
      /** True when the function took too long. It threw nothing. */
      timedOut?: true;
      /** Set when the worker part died. The function threw nothing. */
      exit?: WorkerExit;
      /** True when the host did not run the function: {@link FunctionDefinition.problem}. */
      refused?: true;
      /** True when the run to resume is not in memory, or cannot be continued. */
      lost?: true;
      place?: string | undefined;
    };

/** The host stops, and the invocation has no outcome: the next host runs the function again. */
export class WorkerStoppedError extends Error {
  override name = 'WorkerStoppedError';
}

/** Runs the functions of one app, for one host. */
export interface Worker {
  readonly functions: ReadonlyMap<string, FunctionDefinition>;
  /** Finds a function that may run, by its name in any case, as .NET does. */
  find(name: string): FunctionDefinition | undefined;
  /**
   * The name of the setting that disables a function; undefined when none does. A worker without this method
   * disables nothing.
   */
  disabledBy?(name: string): string | undefined;
  /** Runs one invocation to its end. It does not reject when the function fails. */
  invoke(request: InvocationRequest): Promise<InvocationOutcome>;
}

/** The worker part of a host: a loaded app, in this process or in one of its own. */
export interface AppWorker extends Worker {
  /** Where the app serves its HTTP functions itself; undefined when it uses no HTTP streams. */
  readonly streamAddress: (() => Promise<string>) | undefined;
  /**
   * Ends the worker part as a crash does: the functions that run fail, and the app is loaded again.
   * @param during the name of a function: the crash comes when it runs next. Default: now
   */
  crash(during?: string): void;
  /** Has the host answer the requests of the SDK's client to addresses that begin with `address`. */
  connect(address: string, answer: AnswerClient): void;
  /** Ends the process of the app, because a function does not end. A worker in this process has no such method. */
  restart?(): void;
  /**
   * Called when the host stops. Replays for which the app is not loaded end with {@link WorkerStoppedError}
   * then.
   */
  hostStops(): void;
}
