/** The answers of orchestrator functions of durable-functions 3.x, read into the emulator's own form. */
import type { InvocationOutcome } from '../../worker/types.js';
import { withoutCredentials } from '../../worker/credentials.js';
import { entityInstanceId, type EntityId } from '../entities/entity-messages.js';
import {
  OrchestratorError,
  type Action,
  type Answer,
  type Compound,
  type RetryOptions,
} from '../episode/actions.js';
import type { FailureDetails } from '../history.js';
import { textHeaders } from '../http/http-call.js';
import { ACTION, UnreadableActionError, type SdkAction } from './sdk-action-types.js';
import { readRetryOptions } from './sdk-retry-options.js';
import { activityInput, jsonText, withoutTypeName } from './sdk-values.js';

interface SdkState {
  isDone: boolean;
  actions: SdkAction[][];
  output?: unknown;
  error?: string;
  /** The failure that an uncaught `TaskFailedError` carries. */
  failureDetails?: FailureDetails;
  customStatus?: unknown;
}

/** In the message of a failed orchestrator's error, its state follows this marker. */
const FAILURE_MARKER = '\n\n$OutOfProcData$:';

/** The beginning of the SDK's error about a `yield` of something that is no task. */
const NOT_A_TASK = 'Durable Functions programming constraint violation';

function isState(result: unknown): result is SdkState {
  return Array.isArray((result as SdkState | null | undefined)?.actions);
}

/** An answer of which nothing counts but the text. */
function unreadable(text: string, warnings: string[] = []): Answer {
  return { done: false, actions: [], output: null, unreadable: text, customStatus: null, warnings };
}

/** The extension's text about an invocation whose error it cannot read. */
function invocationFailure({ message, stackTrace }: Extract<InvocationOutcome, { ok: false }>): string {
  return `One or more errors occurred. (Result: Failure\nException: ${message}\nStack: ${stackTrace ?? ''})`;
}

/** What the reader of an answer remembers for the answers that continue it: those have only new actions. */
export class Reading {
  readonly seen = new Set<SdkAction>();
  /** The entities of the last lock. */
  locked: EntityId[] = [];
  /** The timers, in order. */
  readonly timers: Extract<Action, { kind: 'timer' }>[] = [];
}

/**
 * Reads what the worker returned for an orchestrator function.
 * @param reading of the answers before this one, when it continues them
 * @throws UnsupportedActionError
 */
export function readAnswer(outcome: InvocationOutcome, reading = new Reading()): Answer {
  try {
    return read(outcome, reading);
  } catch (error) {
    if (error instanceof UnreadableActionError) return unreadable(error.message, [error.cause]);
    throw error;
  }
}

function read(outcome: InvocationOutcome, reading: Reading): Answer {
  const warnings: string[] = [];
  let state: SdkState;
  if (outcome.ok) {
    if (!isState(outcome.result))
      return unreadable('The function returned no answer of the SDK: register it with df.app.orchestration.');
    state = outcome.result;
  } else {
    // The function has not answered at all: the worker part died, or the host cannot run the function.
    if (outcome.exit !== undefined || outcome.refused === true) return unreadable(outcome.message);
    const marker = outcome.message.indexOf(FAILURE_MARKER);
    // Without the marker the error is the SDK's own, e.g. about a history event that it could not read, or a
    // result that is no JSON.
    if (marker < 0) return unreadable(invocationFailure(outcome), [ofSdk(outcome.message)]);
    state = JSON.parse(outcome.message.slice(marker + FAILURE_MARKER.length)) as SdkState;
    if (!state.error) return unreadable(invocationFailure({ ...outcome, stackTrace: '' }), [NO_ERROR]);
    if (state.actions.flat().at(-1)?.actionType === ACTION.ContinueAsNew)
      return unreadable(state.error, [
        `The orchestrator threw after continueAsNew: ${state.error} The host ends the instance with a text that does not contain the error.`,
      ]);
  }
  const actions: Action[] = [];
  const compounds: NonNullable<Answer['compounds']> = [];
  for (const [index, list] of state.actions.entries())
    flatten(list, `actions[${index}]`, { actions, reading, warnings }, (compound) => {
      if (hasAll(compound)) compounds.push({ compound, next: actions.length });
    });
  if (outcome.ok)
    for (const position of outcome.session?.cancelled ?? []) reading.timers[position]!.cancelled = true;
  return {
    done: state.isDone,
    actions,
    compounds,
    output: withoutTypeName(jsonText(state.output)),
    customStatus: state.customStatus === undefined ? null : withoutTypeName(jsonText(state.customStatus)),
    ...(state.error && {
      error: withoutCredentials(state.error),
      yieldedNonTask: state.error.startsWith(NOT_A_TASK),
    }),
    ...(state.failureDetails && { failureDetails: whole(state.failureDetails) }),
    warnings,
  };
}

const NO_ERROR =
  'The orchestrator threw something that is no Error, or an Error without a message. The host cannot read it, and ends the instance with ' +
  'a text that does not contain it: throw an Error that says something.';

function ofSdk(message: string): string {
  return `The SDK failed: ${message} The host ends the instance with a text that does not contain this.`;
}

function hasAll({ all, of }: Compound): boolean {
  return all || of.some((part) => 'of' in part && hasAll(part));
}

/**
 * @param place the path of the list in the SDK's JSON
 * @param compounded called after each compound of the list
 * @returns the list, with compounds
 */
function flatten(
  from: readonly SdkAction[],
  place: string,
  into: { actions: Action[]; reading: Reading; warnings: string[] },
  compounded: (compound: Compound) => void = () => {},
): Compound['of'] {
  const { actions, reading } = into;
  const { seen } = reading;
  const parts: Compound['of'] = [];
  const add = (...added: Action[]): void => {
    actions.push(...added);
    parts.push(...added);
  };
  for (const [index, action] of from.entries()) {
    const path = `${place}[${index}]`;
    if (action.compoundActions !== undefined) {
      const compound = {
        all: action.actionType === ACTION.WhenAll,
        of: flatten(action.compoundActions, `${path}.compoundActions`, into),
      };
      parts.push(compound);
      compounded(compound);
      continue;
    }
    if (seen.has(action) && action.actionType === ACTION.WaitForExternalEvent) {
      add({ kind: 'event', name: action.externalEventName!, again: true });
      continue;
    }
    if (seen.has(action)) {
      into.warnings.push(
        'A task was yielded a second time inside another Task.any or Task.all. The host schedules it again, the SDK does not count it again: ' +
          'from here on results reach the wrong tasks, and the instance will hang (azure-functions-durable-js issues 574, 577). Make a new task each time.',
      );
    }
    seen.add(action);
    if (action.actionType === ACTION.LockEntities) reading.locked = action.lockSet!;
    // One action for all locks, and one task id for each.
    if (action.actionType === ACTION.ReleaseEntities)
      add(...reading.locked.map((entity): Action => ({ kind: 'release', target: entityInstanceId(entity) })));
    else {
      const neutralAction = neutral(action, path);
      if (neutralAction.kind === 'timer') reading.timers.push(neutralAction);
      add(neutralAction);
    }
  }
  return parts;
}

/** .NET's `DateTime` has the years 1 to 9999. */
const FIRST_DATE = Date.parse('0001-01-01T00:00:00Z');
const LAST_DATE = Date.parse('9999-12-31T23:59:59.999Z');
/** An HTTP method: a token of RFC 9110. */
const METHOD = /^[!#$%&'*+.^`|~\w-]+$/;

function neutral(action: SdkAction, path: string): Action {
  switch (action.actionType) {
    case ACTION.CallActivity:
    case ACTION.CallActivityWithRetry:
      return {
        kind: 'activity',
        name: action.functionName!,
        input: activityInput(action.input),
        ...retry(action),
      };
    case ACTION.CallSubOrchestrator:
    case ACTION.CallSubOrchestratorWithRetry:
      return {
        kind: 'subOrchestration',
        name: action.functionName!,
        input: jsonText(action.input),
        ...retry(action),
        ...(action.instanceId && { instanceId: action.instanceId }),
        ...(typeof action.version === 'string' && { version: action.version }),
      };
    case ACTION.ContinueAsNew:
      return { kind: 'continueAsNew', input: jsonText(action.input) };
    case ACTION.CreateTimer: {
      // JSON has null for a Date without a time.
      const fireAt = new Date(action.fireAt ?? NaN).getTime();
      if (Number.isNaN(fireAt))
        throw new UnreadableActionError(
          `Error converting value {null} to type 'System.DateTime'. Path '${path}.fireAt'.`,
          'The orchestrator makes a timer with an invalid Date.',
        );
      if (fireAt < FIRST_DATE || fireAt > LAST_DATE)
        throw new UnreadableActionError(
          `Could not convert string to DateTime: ${new Date(fireAt).toISOString()}. Path '${path}.fireAt'.`,
          'The orchestrator makes a timer for a year that is not between 1 and 9999.',
        );
      return { kind: 'timer', fireAt, cancelled: action.isCanceled === true };
    }
    case ACTION.CallHttp: {
      const {
        method = 'GET',
        uri,
        headers,
        content = null,
        tokenSource = null,
        asynchronousPatternEnabled = true,
      } = action.httpRequest!;
      if (!METHOD.test(method))
        throw new UnreadableActionError(
          method.trim() === ''
            ? "The value cannot be an empty string or composed entirely of whitespace. (Parameter 'method')"
            : 'The format of the HTTP method is invalid.',
          `The orchestrator calls ${uri} with the method '${method}'.`,
        );
      return {
        kind: 'http',
        call: {
          method,
          uri,
          headers: textHeaders(headers),
          content,
          tokenSource,
          asynchronousPatternEnabled,
        },
      };
    }
    case ACTION.WaitForExternalEvent:
      return { kind: 'event', name: action.externalEventName! };
    case ACTION.CallEntity:
    case ACTION.SignalEntity:
      return {
        kind: 'operation',
        target: action.instanceId!,
        name: action.operation!,
        input: withoutTypeName(jsonText(action.input)),
        signal: action.actionType === ACTION.SignalEntity,
      };
    case ACTION.LockEntities:
      return {
        kind: 'lock',
        entities: action.lockSet!.map(({ name, key }) => ({ name: name.toLowerCase(), key })),
      };
    default:
      throw new UnsupportedActionError(
        Object.entries(ACTION).find(([, code]) => code === action.actionType)?.[0] ??
          String(action.actionType),
      );
  }
}

/** The orchestrator asks for something this version of the emulator does not do. */
export class UnsupportedActionError extends OrchestratorError {
  override name = 'UnsupportedActionError';
  constructor(action: string) {
    super(`This version of the emulator does not carry out '${action}'.`);
  }
}

/** With all fields: the SDK leaves out those without a value. */
function whole(from: Partial<FailureDetails>): FailureDetails {
  return {
    ErrorType: from.ErrorType ?? '',
    ErrorMessage: from.ErrorMessage ?? '',
    StackTrace: from.StackTrace ?? null,
    InnerFailure: from.InnerFailure ? whole(from.InnerFailure) : null,
    IsNonRetriable: from.IsNonRetriable ?? false,
    Properties: from.Properties ?? null,
  };
}

function retry({ functionName, retryOptions }: SdkAction): { retry?: RetryOptions } {
  return retryOptions === undefined ? {} : { retry: readRetryOptions(functionName!, retryOptions) };
}
