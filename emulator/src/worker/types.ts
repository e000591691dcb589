/**
 * The seam between the host and the functions of an app. `worker/` stands where the Functions Node worker stands: it
 * answers `require('@azure/functions-core')`, loads the app and runs invocations, hooks included.
 */
import type { TraceContext } from '../tracing/trace-context.js';

/** A binding as `@azure/functions` registers it: `type`, `direction`, `name`, and what its type needs. */
export interface Binding {
  type: string;
  direction: 'in' | 'out' | 'inout';
  name: string;
  [property: string]: unknown;
}

/** A registered function. */
export interface FunctionDefinition {
  name: string;
  /** By binding name; the return binding's key is `$return`. */
  bindings: Record<string, Binding>;
  trigger: Binding;
  retryOptions?: Record<string, unknown>;
}

/** A value on its way in or out, as in the worker's protocol: the first defined field counts. */
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
  /** Default: a new one. */
  invocationId?: string;
  /** By binding name. */
  inputData: Record<string, TypedData>;
  triggerMetadata?: Record<string, TypedData>;
  /** For a function with a retry policy: the retries before this attempt, and what made the last one necessary. */
  retryContext?: {
    retryCount: number;
    maxRetryCount: number;
    exception?: { message: string; stackTrace: string; source: string };
  };
  /** Where the invocation belongs in a trace. Default: nowhere. */
  trace?: TraceContext | undefined;
  /**
   * Given to the function in place of the decoded trigger input, so that large inputs need no trip through JSON.
   * The function owns it: it must not be shared.
   */
  triggerValue?: unknown;
  /** True for a repetition that nobody should hear of: what the function logs goes nowhere. */
  silent?: boolean;
}

export type InvocationOutcome =
  | {
      ok: true;
      returnValue: TypedData | null | undefined;
      /** Output bindings by name, where the function set them. */
      outputData: Record<string, TypedData>;
      /** What the function returned, before conversion: the live object. */
      result: unknown;
      /** The library's context of the invocation. */
      context?: unknown;
    }
  | {
      ok: false;
      /** What was thrown, as it was thrown; hooks may have replaced it. */
      error: unknown;
      message: string;
      stackTrace: string | undefined;
      /** Set when the host gave it up, and the function threw nothing. */
      timedOut?: true;
      context?: unknown;
    };

/** Runs the functions of one app, for one host. */
export interface Worker {
  readonly functions: ReadonlyMap<string, FunctionDefinition>;
  /** Finds a function that may run, by its name in any case, as .NET does. */
  find(name: string): FunctionDefinition | undefined;
  /** The name of the setting that disables a function; undefined when none does. A worker without this method disables nothing. */
  disabledBy?(name: string): string | undefined;
  /** Runs one invocation to its end. Never rejects for what the function does. */
  invoke(request: InvocationRequest): Promise<InvocationOutcome>;
}
