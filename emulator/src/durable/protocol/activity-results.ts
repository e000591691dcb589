/** The results of activities, as the Durable Task Framework stores them. */
import type { InvocationOutcome, TypedData } from '../../worker/types.js';
import type { FailureDetails, JsonText } from '../history.js';
import { dotnetException } from './dotnet-exception.js';
import type { ActivityResult } from './functions.js';

/** The result that the real host stores for a value that an activity returned. */
export function resultText(value: TypedData | null | undefined): JsonText {
  if (value === null || value === undefined) return null;
  if (value.string !== undefined) return JSON.stringify(value.string);
  if (value.json !== undefined) return value.json;
  if (value.bytes !== undefined) return JSON.stringify(Buffer.from(value.bytes).toString('base64'));
  const number = value.int ?? value.double;
  if (number === undefined) return null;
  // Newtonsoft.Json writes NaN and infinities as text.
  return Number.isFinite(number) ? String(number) : JSON.stringify(String(number));
}

export function activityFailure(
  name: string,
  failure: Extract<InvocationOutcome, { ok: false }>,
): ActivityResult {
  const { message, stackTrace } = failure;
  if (failure.timedOut === true)
    return hostFailure(name, message, 'Microsoft.Azure.WebJobs.Host', 'FunctionTimeoutException');
  if (failure.exit !== undefined)
    return hostFailure(name, message, 'Microsoft.Azure.WebJobs.Script', 'Workers.WorkerProcessExitException');
  const failureDetails = structuredFailure(message);
  const stack = stackTrace ?? '';
  const details = dotnetException('System.Exception', 'System.Private.CoreLib', ` ${message}`, {
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
  return { ok: false, reason: `Activity function '${name}' failed:  ${message}`, details, failureDetails };
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
