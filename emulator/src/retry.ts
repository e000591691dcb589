import { UnsupportedBindingError } from './triggers/bindings.js';
import type { InvocationOutcome } from './worker/types.js';
/**
 * Retry policies of functions, as `@azure/functions` registers them: `retry: { strategy: 'fixedDelay', ...
 * }`.
 */

export interface RetryPolicy {
  /** How many retries a function has; -1 for no limit. */
  maxRetryCount: number;
  /** The delay before a retry, in milliseconds. The first retry is 1. */
  delay(retry: number): number;
}

/** An exponential back-off multiplies its delay by a random factor between these two. */
const SPREAD = [0.8, 1.2] as const;

/**
 * @throws Error when the options lack a value that their strategy needs; the message is the end of a sentence
 */
export function retryPolicy(options: Readonly<Record<string, unknown>>): RetryPolicy {
  const { strategy, maxRetryCount } = options;
  if (typeof maxRetryCount !== 'number' || !Number.isInteger(maxRetryCount) || maxRetryCount < -1)
    throw new Error('its maxRetryCount is not a whole number from -1');
  const milliseconds = (name: string): number => {
    const { seconds } = (options[name] ?? {}) as { seconds?: number };
    if (seconds === undefined) throw new Error(`it has no ${name}`);
    return seconds * 1000;
  };
  switch (strategy) {
    case 'fixedDelay': {
      const fixed = milliseconds('delayInterval');
      return { maxRetryCount, delay: () => fixed };
    }
    case 'exponentialBackoff': {
      const [least, most] = [milliseconds('minimumInterval'), milliseconds('maximumInterval')];
      if (least > most) throw new Error('its minimumInterval is longer than its maximumInterval');
      return {
        maxRetryCount,
        delay: (retry) => {
          const more =
            retry === 1
              ? 0
              : (SPREAD[0] + Math.random() * (SPREAD[1] - SPREAD[0])) * 2 ** (retry - 2) * least;
          return Math.min(most, least + more);
        },
      };
    }
    default:
      throw new Error(`there is no strategy '${String(strategy)}'`);
  }
}

/** The retry policy of a function. @throws UnsupportedBindingError when it cannot be followed */
export function policyOf(name: string, options: Record<string, unknown>): RetryPolicy {
  try {
    return retryPolicy(options);
  } catch (error) {
    throw new UnsupportedBindingError(
      `The retry policy of the function '${name}' cannot be followed: ${(error as Error).message}.`,
      { cause: error },
    );
  }
}

/** The failure of the previous attempt, in the form in which a function gets it. */
export function rpcException(
  name: string,
  { message, stackTrace = '' }: Extract<InvocationOutcome, { ok: false }>,
): { message: string; stackTrace: string; source: string } {
  return {
    message: `Microsoft.Azure.WebJobs.Host.FunctionInvocationException : Exception while executing function: Functions.${name} ---> Microsoft.Azure.WebJobs.Script.Workers.Rpc.RpcException : Result: Failure\nException: ${message}\nStack: ${stackTrace}\n   End of inner exception`,
    stackTrace,
    source: 'System.Private.CoreLib',
  };
}
