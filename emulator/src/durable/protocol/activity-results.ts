/** The results of activities, as the Durable Task Framework stores them. */
import type { InvocationOutcome, TypedData } from '../../worker/types.js';
import type { FailureDetails, JsonText } from '../history.js';
import { withoutCredentials } from '../../worker/credentials.js';
import { dotnetException } from './dotnet-exception.js';
import type { ActivityResult } from './functions.js';
import { withoutTypeName } from './sdk-values.js';

/** The result that the real host stores for a value that an activity returned. */
export function resultText(value: TypedData | null | undefined): JsonText {
  if (value === null || value === undefined) return null;
  if (value.string !== undefined) return JSON.stringify(value.string);
  if (value.json !== undefined) return withoutTypeName(value.json);
  if (value.bytes !== undefined) return JSON.stringify(Buffer.from(value.bytes).toString('base64'));
  if (value.int !== undefined) return wholeNumber(value.int);
  const number = value.double;
  if (number === undefined) return null;
  // Newtonsoft.Json writes NaN and infinities as text.
  return Number.isFinite(number) ? String(number) : JSON.stringify(String(number));
}

/** The protocol between worker and host has 64 bits for a whole number: a larger one becomes the largest. */
function wholeNumber(value: number): string {
  const limit = 2n ** 63n;
  const whole = Number.isFinite(value) ? BigInt(value) : 0n;
  return String(whole >= limit ? limit - 1n : whole < -limit ? -limit : whole);
}

export function activityFailure(
  name: string,
  failure: Extract<InvocationOutcome, { ok: false }>,
): ActivityResult {
  if (failure.timedOut === true)
    return hostFailure(name, failure.message, 'Microsoft.Azure.WebJobs.Host', 'FunctionTimeoutException');
  if (failure.exit !== undefined)
    return hostFailure(
      name,
      failure.message,
      'Microsoft.Azure.WebJobs.Script',
      'Workers.WorkerProcessExitException',
    );
  const failureDetails = structuredFailure(failure.message);
  const message = withoutCredentials(failure.message);
  const stack = failure.stackTrace ?? '';
  const details = dotnetException('System.Exception', 'System.Private.CoreLib', message, {
    $type: 'Microsoft.Azure.WebJobs.Script.Workers.Rpc.RpcException, Microsoft.Azure.WebJobs.Script',
    IsUserException: false,
    RemoteStackTrace: stack,
    RemoteMessage: message,
    RemoteTypeName: null,
    Message: `Result: Failure\nException: ${message}\nStack: ${stack}`,
    Data: { $type: 'System.Collections.ListDictionaryInternal, System.Private.CoreLib' },
    InnerException: null,
    HelpLink: null,
    Source: 'System.Private.CoreLib',
    HResult: -2146233088,
    StackTrace: '',
  });
  return { ok: false, reason: `Activity function '${name}' failed: ${message}`, details, failureDetails };
}

export function missingActivity(name: string): ActivityResult {
  return hostFailure(
    name,
    `Activity function '${name}' does not exist.`,
    'Microsoft.Azure.WebJobs.Extensions.DurableTask',
    'FunctionFailedException',
  );
}

/** A failure by the host, not by the function. */
function hostFailure(name: string, message: string, namespace: string, exception: string): ActivityResult {
  return {
    ok: false,
    reason: `Activity function '${name}' failed: ${message}`,
    failureDetails: null,
    details: dotnetException(`${namespace}.${exception}`, namespace, message, null),
  };
}

/** The failure that an app with an exception properties provider describes in the message of its error. */
function structuredFailure(message: string): FailureDetails | null {
  if (!message.startsWith('{"errorType"')) return null;
  try {
    return toFailureDetails(JSON.parse(message) as Record<string, unknown>);
  } catch {
    return null;
  }
}

function toFailureDetails(from: Record<string, unknown>): FailureDetails {
  const inner = from['innerFailure'] as Record<string, unknown> | null | undefined;
  return {
    ErrorType: String(from['errorType']),
    ErrorMessage: String(from['errorMessage']),
    StackTrace: (from['stackTrace'] as string | undefined) ?? null,
    IsNonRetriable: from['isNonRetriable'] === true,
    InnerFailure: inner ? toFailureDetails(inner) : null,
    Properties: (from['properties'] as Record<string, unknown> | undefined) ?? null,
  };
}
