/**
 * The interface between the host and the functions of an app. `worker/` takes the place of the Functions Node
 * worker: it supplies `require('@azure/functions-core')`, loads the app, and runs invocations with their
 * hooks.
 */
import type { TraceContext } from '../tracing/trace-context.js';

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
}

/** An input or output value in the worker's protocol. The first defined field counts. */
export interface TypedData {
  string?: string;
  json?: string;
  bytes?: Uint8Array;
  int?: number;
  double?: number;
  http?: Record<string, unknown>;
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
}

export type InvocationOutcome =
  | {
      ok: true;
      returnValue: TypedData | null | undefined;
      /** The values of output bindings by name, when the function has set them. */
      outputData: Record<string, TypedData>;
      /** The object that the function returned, before conversion. */
      result: unknown;
      /** The library's context of the invocation. */
      context?: unknown;
    }
  | {
      ok: false;
      /** The thrown value; hooks may have replaced it. */
      error: unknown;
      message: string;
      stackTrace: string | undefined;
      /** True when the function took too long. It threw nothing. */
      timedOut?: true;
      context?: unknown;
    };

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
