/** The JSON protocol of durable-functions 3.x. Nothing else in the emulator knows it. */
import type { TraceContext } from '../../tracing/trace-context.js';
import { observe } from '../../worker/code-location.js';
import type { InvocationOutcome, TypedData, Worker } from '../../worker/types.js';
import { dotnetException } from './dotnet-exception.js';
import { missingFunction } from '../client.js';
import { entityInstanceId, type EntityId } from '../entities/entity-messages.js';
import type {
  ActivityResult,
  DurableFunctions,
  EntityAnswer,
  EntityRun,
  FunctionKind,
  OrchestratorRun,
} from './functions.js';
import type { FailureDetails, HistoryEvent, JsonText, TaskScheduled } from '../history.js';
import type { HttpCall } from '../http/http-call.js';
import type { Action, Answer, RetryOptions } from '../episode/actions.js';
import { LONGEST_TIMER, OrchestratorError, TIMER_HOP } from '../episode/actions.js';

/** Numbers of `HistoryEventType`, in the SDK's `lib/src/history/HistoryEventType.js`. */
const EVENT_CODES: Record<HistoryEvent['EventType'], number> = {
  ExecutionStarted: 0,
  ExecutionCompleted: 1,
  ExecutionTerminated: 3,
  TaskScheduled: 4,
  TaskCompleted: 5,
  TaskFailed: 6,
  SubOrchestrationInstanceCreated: 7,
  SubOrchestrationInstanceCompleted: 8,
  SubOrchestrationInstanceFailed: 9,
  TimerCreated: 10,
  TimerFired: 11,
  OrchestratorStarted: 12,
  OrchestratorCompleted: 13,
  EventSent: 14,
  EventRaised: 15,
  GenericEvent: 17,
  ExecutionSuspended: 19,
  ExecutionResumed: 20,
};

/** Events that the framework marks as played once their episode is over; the others never are [recorded]. */
const PLAYED = new Set([0, 3, 5, 6, 8, 9, 11, 15, 17, 19, 20]);

/** `ActionType`, in the SDK's `lib/src/actions/ActionType.js`. */
const ACTION = {
  CallActivity: 0,
  CallActivityWithRetry: 1,
  CallSubOrchestrator: 2,
  CallSubOrchestratorWithRetry: 3,
  ContinueAsNew: 4,
  CreateTimer: 5,
  WaitForExternalEvent: 6,
  CallEntity: 7,
  CallHttp: 8,
  SignalEntity: 9,
  WhenAny: 11,
  WhenAll: 12,
  LockEntities: 13,
  ReleaseEntities: 14,
} as const;

/** The SDK's own form of an action; fields as far as their kind has them. */
interface SdkAction {
  actionType: number;
  functionName?: string;
  input?: unknown;
  instanceId?: string;
  version?: string;
  fireAt?: string | Date;
  isCanceled?: boolean;
  externalEventName?: string;
  compoundActions?: SdkAction[];
  httpRequest?: Partial<HttpCall> & { uri: string };
  operation?: string;
  lockSet?: EntityId[];
  retryOptions?: Record<string, number | undefined>;
}

/** A history event as the SDK has it; further fields as far as its kind has them. */
interface SdkEvent {
  [field: string]: unknown;
  EventType: number;
  EventId: number;
  IsPlayed: boolean;
  Timestamp: Date;
}

interface SdkState {
  isDone: boolean;
  actions: SdkAction[][];
  output?: unknown;
  error?: string;
  customStatus?: unknown;
}

/** What the SDK answers for a batch of an entity. */
interface SdkEntityState {
  entityExists: boolean;
  entityState?: string | null;
  results: { isError: boolean; result?: string }[];
  signals: { target: EntityId; name: string; input: string }[];
}

/** What the SDK makes of an invocation's context. */
interface SdkContext {
  df?: { taskOrchestratorExecutor?: { generator?: unknown } };
}

/** The marker behind which a failed orchestrator's state stands in the error's message. */
const FAILURE_MARKER = '\n\n$OutOfProcData$:';

/** The SDK's function that runs the app's generator on. */
const RESUMES = 'tryResumingUserCode';
/** How the SDK's error about a yield of something else than a task begins. */
const NOT_A_TASK = 'Durable Functions programming constraint violation';

export class SdkV3 implements DurableFunctions {
  readonly #worker: Worker;
  /** Histories in the SDK's form, each with the events that it was made of: a replay makes only what is new. */
  readonly #pasts = new WeakMap<readonly HistoryEvent[], { events: HistoryEvent[]; forms: SdkEvent[] }>();

  constructor(worker: Worker) {
    this.#worker = worker;
  }

  knows(kind: FunctionKind, name: string): boolean {
    return this.#worker.find(name)?.trigger.type === `${kind}Trigger`;
  }

  disabledBy(name: string): string | undefined {
    return this.#worker.disabledBy?.(name);
  }

  names(kind: FunctionKind): string[] {
    return [...this.#worker.functions.values()]
      .filter(({ trigger }) => trigger.type === `${kind}Trigger`)
      .map(({ name }) => name);
  }

  /** @returns what production says when there is no function of that kind and name. */
  missing(kind: 'orchestration' | 'entity', name: string): string | undefined {
    if (this.knows(kind, name)) return undefined;
    return missingFunction(
      kind === 'entity' ? 'entity' : 'orchestrator',
      name,
      this.names(kind),
      this.names('orchestration').length,
    );
  }

  /** Runs an orchestrator function over its history. */
  async runOrchestrator(run: OrchestratorRun): Promise<Answer> {
    return answer(await this.#invoke(run, false));
  }

  /**
   * Where in the app's code an orchestrator stands after its history, or where it threw: `src/orders.ts:12:3`. The function is
   * run once more for that, which no deterministic one minds.
   */
  async locate(run: OrchestratorRun): Promise<string | undefined> {
    return observe(
      () => this.#invoke(run, true),
      RESUMES,
      ({ result: { context }, thrownAt, locate }) => {
        const { generator } = (context as SdkContext | undefined)?.df?.taskOrchestratorExecutor ?? {};
        return locate(generator) ?? thrownAt;
      },
    );
  }

  async #invoke(run: OrchestratorRun, silent: boolean): Promise<InvocationOutcome> {
    const { name, trigger } = this.#worker.find(run.name)!;
    return this.#worker.invoke({
      functionName: name,
      inputData: { [trigger.name]: {} },
      triggerValue: this.#trigger(run),
      trace: run.trace,
      silent,
    });
  }

  #trigger(run: OrchestratorRun): Record<string, unknown> {
    // A continued execution's first events are all new, and there is one OrchestratorCompleted among them.
    const first = run.history.length === 0;
    return {
      history: [...this.#past(run.history), ...run.inbound.map((event) => sdkEvent(event, false))],
      input: run.input === null ? null : (JSON.parse(run.input) as unknown),
      instanceId: run.instanceId,
      isReplaying: !first,
      parentInstanceId: run.parentInstanceId,
      upperSchemaVersion: 1,
      upperSchemaVersionNew: 3,
      longRunningTimerIntervalDuration: duration(TIMER_HOP),
      maximumShortTimerDuration: duration(LONGEST_TIMER),
      // sic: the misspelling is the protocol's.
      defaultHttpAsyncRequestSleepTimeMillseconds: run.httpPollInterval,
    };
  }

  #past(history: readonly HistoryEvent[]): readonly SdkEvent[] {
    let past = this.#pasts.get(history);
    if (past === undefined) this.#pasts.set(history, (past = { events: [], forms: [] }));
    for (const [index, event] of history.entries()) {
      if (past.events[index] !== event) {
        past.events[index] = event;
        past.forms[index] = sdkEvent(event, true);
      } else if (event.EventType === 'OrchestratorStarted') {
        // Its time becomes currentUtcDateTime, which user code may change in place.
        past.forms[index]!.Timestamp = new Date(event.Timestamp);
      }
    }
    return past.forms;
  }

  /** Runs an activity once. */
  async runActivity(task: TaskScheduled, instanceId: string, trace?: TraceContext): Promise<ActivityResult> {
    const definition = this.#worker.find(task.Name);
    // It was there when it was scheduled; the app may have changed since.
    if (definition?.trigger.type !== 'activityTrigger') return missingActivity(task.Name);
    // As recorded: a boolean arrives as .NET's text of it.
    const text = task.Input === 'true' ? 'True' : task.Input === 'false' ? 'False' : task.Input;
    const data: TypedData = text === null ? {} : { string: text };
    const triggerMetadata: Record<string, TypedData> = { instanceId: { string: instanceId } };
    if (text !== null) {
      triggerMetadata[definition.trigger.name] = { string: text };
      triggerMetadata['data'] = { json: /^["TF]/.test(text) ? JSON.stringify(text) : text };
    }
    const outcome = await this.#worker.invoke({
      functionName: definition.name,
      inputData: { [definition.trigger.name]: data },
      triggerMetadata,
      trace,
    });
    return outcome.ok
      ? { ok: true, result: resultText(outcome.returnValue) }
      : activityFailure(definition.name, outcome);
  }

  /** Runs an entity function on a batch. What the SDK does not answer for fails, operation by operation. */
  async runEntity({ entity, exists, state, batch }: EntityRun): Promise<EntityAnswer> {
    const missing = this.missing('entity', entity.name);
    const failed = (text: string): EntityAnswer => ({
      results: batch.map(() => ({ isError: true, result: JSON.stringify(text) })),
      signals: [],
      exists,
      state,
      warnings: [],
    });
    if (missing !== undefined) return failed(missing);
    const { name, trigger } = this.#worker.find(entity.name)!;
    const text = JSON.stringify({ self: entity, exists, state, batch }, null, 2);
    const outcome = await this.#worker.invoke({
      functionName: name,
      inputData: { [trigger.name]: { string: text } },
      triggerMetadata: { [trigger.name]: { string: text } },
    });
    if (!outcome.ok) return failed(outcome.message);
    const { results, signals, entityExists, entityState } = outcome.result as SdkEntityState;
    return {
      results,
      signals,
      exists: entityExists,
      state: entityState ?? null,
      warnings:
        results.length > batch.length
          ? [
              'An operation called return twice. The SDK takes each for an answer, by position: answers of the same batch reach the wrong callers.',
            ]
          : [],
    };
  }
}

function isContinuationMark(event: HistoryEvent): boolean {
  return event.EventType === 'OrchestratorCompleted' && event.Continuation === true;
}

/** What the execution itself had written before it was rewound keeps that it was never played [recorded]. */
function isRewoundStep(event: HistoryEvent): boolean {
  return event.EventType === 'GenericEvent' && event.Reason !== undefined && !event.Reason.endsWith('Failed');
}

function duration(milliseconds: number): string {
  return `${milliseconds / 86_400_000}.00:00:00`;
}

/** `past`: whether the episode in which it came is over. */
function sdkEvent(event: HistoryEvent, past: boolean): SdkEvent {
  const code = EVENT_CODES[event.EventType];
  const base: SdkEvent = {
    EventType: code,
    EventId: event.EventId,
    IsPlayed: past && ((PLAYED.has(code) && !isRewoundStep(event)) || isContinuationMark(event)),
    Timestamp: new Date(event.Timestamp),
  };
  switch (event.EventType) {
    case 'OrchestratorStarted':
    case 'OrchestratorCompleted':
      return base;
    case 'ExecutionStarted':
      return {
        OrchestrationInstance: event.OrchestrationInstance,
        ParentInstance: event.ParentInstance,
        Name: event.Name,
        Version: event.Version,
        Input: event.Input,
        Tags: null,
        Correlation: null,
        ParentTraceContext: event.ParentTraceContext ?? null,
        ScheduledStartTime: null,
        Generation: event.Generation,
        GenerateNewTrace: false,
        ...base,
      };
    case 'TaskScheduled':
      return {
        Name: event.Name,
        Version: '',
        Input: null,
        ParentTraceContext: event.ParentTraceContext ?? null,
        Tags: null,
        ...base,
      };
    case 'SubOrchestrationInstanceCreated':
      return {
        Name: event.Name,
        Version: event.Version,
        InstanceId: event.InstanceId,
        Input: null,
        ClientSpanId: event.ClientSpanId ?? null,
        Tags: null,
        ...base,
      };
    case 'GenericEvent':
      return { Data: event.Data, ...base };
    case 'EventRaised':
      return { ParentTraceContext: null, ...event, ...base };
    default:
      return { ...event, ...base };
  }
}

function answer(outcome: InvocationOutcome): Answer {
  const warnings: string[] = [];
  let state: SdkState;
  if (outcome.ok) {
    state = outcome.result as SdkState;
  } else {
    const marker = outcome.message.indexOf(FAILURE_MARKER);
    // Without the marker the SDK itself gave up, e.g. on a history event that it could not read.
    if (marker < 0)
      return {
        done: false,
        actions: [],
        output: null,
        unreadable: outcome.message,
        customStatus: null,
        warnings: [],
      };
    state = JSON.parse(outcome.message.slice(marker + FAILURE_MARKER.length)) as SdkState;
    if (!state.error) {
      warnings.push(
        'The orchestrator threw something that is no Error, or an Error without a message. Production loses it, and the instance waits for ever: ' +
          'throw an Error that says something.',
      );
    }
  }
  const actions: Action[] = [];
  flatten(state.actions.flat(), { actions, seen: new Set(), locked: [], warnings });
  return {
    done: state.isDone,
    actions,
    output: jsonText(state.output),
    customStatus: state.customStatus === undefined ? null : jsonText(state.customStatus),
    ...(state.error && { error: state.error, yieldedNonTask: state.error.startsWith(NOT_A_TASK) }),
    warnings,
  };
}

function flatten(
  from: readonly SdkAction[],
  into: { actions: Action[]; seen: Set<SdkAction>; locked: EntityId[]; warnings: string[] },
): void {
  const { actions, seen } = into;
  for (const action of from) {
    if (action.compoundActions !== undefined) {
      flatten(action.compoundActions, into);
      continue;
    }
    if (seen.has(action) && action.actionType === ACTION.WaitForExternalEvent) {
      actions.push({ kind: 'event', name: action.externalEventName!, again: true });
      continue;
    }
    if (seen.has(action)) {
      into.warnings.push(
        'A task was yielded a second time inside another Task.any or Task.all. The host schedules it again, the SDK does not count it again: ' +
          'from here on results reach the wrong tasks, and the instance will hang (azure-functions-durable-js issues 574, 577). Make a new task each time.',
      );
    }
    seen.add(action);
    if (action.actionType === ACTION.LockEntities) into.locked = action.lockSet!;
    // One action for all locks, and one task id for each.
    if (action.actionType === ACTION.ReleaseEntities)
      actions.push(
        ...into.locked.map((entity): Action => ({ kind: 'release', target: entityInstanceId(entity) })),
      );
    else actions.push(neutral(action));
  }
}

function neutral(action: SdkAction): Action {
  switch (action.actionType) {
    case ACTION.CallActivity:
    case ACTION.CallActivityWithRetry:
      // A string is JSON text already: the SDK encodes it.
      return {
        kind: 'activity',
        name: action.functionName!,
        input: typeof action.input === 'string' ? action.input : jsonText(action.input),
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
    case ACTION.CreateTimer:
      return {
        kind: 'timer',
        fireAt: new Date(action.fireAt!).getTime(),
        cancelled: action.isCanceled === true,
      };
    case ACTION.CallHttp: {
      const {
        method = 'GET',
        uri,
        headers = {},
        content = null,
        tokenSource = null,
        asynchronousPatternEnabled = true,
      } = action.httpRequest!;
      return {
        kind: 'http',
        call: { method, uri, headers, content, tokenSource, asynchronousPatternEnabled },
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
        input: jsonText(action.input),
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

function retry({ retryOptions }: SdkAction): { retry?: RetryOptions } {
  if (retryOptions === undefined) return {};
  return {
    retry: {
      firstRetryInterval: retryOptions['firstRetryIntervalInMilliseconds']!,
      maxNumberOfAttempts: retryOptions['maxNumberOfAttempts']!,
      backoffCoefficient: retryOptions['backoffCoefficient'] ?? 1,
      maxRetryInterval: retryOptions['maxRetryIntervalInMilliseconds'] ?? LONGEST_TIMER,
      retryTimeout: retryOptions['retryTimeoutInMilliseconds'] ?? Infinity,
    },
  };
}

function jsonText(value: unknown): JsonText {
  return value === undefined || value === null ? null : (JSON.stringify(value) ?? null);
}

/** What the framework stores as the result of an activity, by the kind of value it returned [recorded]. */
function resultText(value: TypedData | null | undefined): JsonText {
  if (value === null || value === undefined) return null;
  if (value.string !== undefined) return JSON.stringify(value.string);
  if (value.json !== undefined) return value.json;
  if (value.bytes !== undefined) return JSON.stringify(Buffer.from(value.bytes).toString('base64'));
  const number = value.int ?? value.double;
  if (number === undefined) return null;
  // Newtonsoft.Json writes what JSON has no number for as text.
  return Number.isFinite(number) ? String(number) : JSON.stringify(String(number));
}

function activityFailure(name: string, failure: Extract<InvocationOutcome, { ok: false }>): ActivityResult {
  const { message, stackTrace } = failure;
  if (failure.timedOut === true)
    return hostFailure(name, message, 'Microsoft.Azure.WebJobs.Host', 'FunctionTimeoutException');
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

function missingActivity(name: string): ActivityResult {
  return hostFailure(
    name,
    `Activity function '${name}' does not exist.`,
    'Microsoft.Azure.WebJobs.Extensions.DurableTask',
    'FunctionFailedException',
  );
}

/** A failure that is not the function's own. */
function hostFailure(name: string, message: string, namespace: string, exception: string): ActivityResult {
  return {
    ok: false,
    reason: `Activity function '${name}' failed: ${message}`,
    failureDetails: null,
    details: dotnetException(`${namespace}.${exception}`, namespace, message, null),
  };
}

/** The failure an app with an exception properties provider describes in its error's message. */
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
