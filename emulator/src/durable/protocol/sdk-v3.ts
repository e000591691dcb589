/** The JSON protocol of durable-functions 3.x. Only this file and its parts, `sdk-*.ts`, know it. */
import type { TraceContext } from '../../tracing/trace-context.js';
import type {
  InvocationOutcome,
  InvocationRequest,
  Locating,
  TypedData,
  Worker,
} from '../../worker/types.js';
import { activityFailure, missingActivity, resultText } from './activity-results.js';
import { missingFunction } from '../client.js';
import type { EntityId } from '../entities/entity-messages.js';
import { LONGEST_TIMER, TIMER_HOP, type Answer, type KeptRun } from '../episode/actions.js';
import type {
  ActivityResult,
  DurableFunctions,
  EntityAnswer,
  EntityRun,
  FunctionKind,
  OrchestratorRun,
} from './functions.js';
import { isTextInput, type HistoryEvent, type TaskScheduled } from '../history.js';
import { readAnswer, Reading } from './sdk-actions.js';
import { sdkEvent, type SdkEvent } from './sdk-events.js';

/** The SDK's answer for a batch of operations of an entity. */
interface SdkEntityState {
  entityExists: boolean;
  entityState?: string | null;
  results: { isError: boolean; result?: string }[];
  signals: { target: EntityId; name: string; input: string }[];
}

/** The SDK's function that resumes the app's generator, and where its context keeps the generator. */
const LOCATING: Locating = {
  within: 'tryResumingUserCode',
  generator: ['df', 'taskOrchestratorExecutor', 'generator'],
};

/** A run in the worker's memory, with what was read of its answers. */
interface Kept extends KeptRun {
  reading: Reading;
}

/** The last id of a kept run: hosts of one process may share a worker. */
let lastKept = 0;

/** Runs the app's Durable functions through durable-functions 3.x. */
export class SdkV3 implements DurableFunctions {
  readonly #worker: Worker;
  /**
   * Histories in the SDK's form, each with the events that it was made from: a replay converts only new
   * events.
   */
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

  /** {@inheritDoc DurableFunctions.missing} */
  missing(kind: 'orchestration' | 'entity', name: string): string | undefined {
    if (this.knows(kind, name)) return undefined;
    return missingFunction(
      kind === 'entity' ? 'entity' : 'orchestrator',
      name,
      this.names(kind),
      this.names('orchestration').length,
    );
  }

  async runOrchestrator(run: OrchestratorRun): Promise<Answer> {
    if (run.keep !== true) return readAnswer(await this.#invoke(run));
    const kept: Kept = { id: ++lastKept, reading: new Reading() };
    const outcome = await this.#invoke(run, { session: { id: kept.id, action: 'keep' } });
    const answer = readAnswer(outcome, kept.reading);
    return outcome.ok && outcome.session !== undefined ? { ...answer, kept } : answer;
  }

  /** {@inheritDoc DurableFunctions.resumeOrchestrator} */
  async resumeOrchestrator(run: OrchestratorRun, kept: KeptRun, from: number): Promise<Answer | undefined> {
    const { reading } = kept as Kept;
    const { history, inbound } = run;
    const outcome = await this.#invoke(run, {
      session: { id: kept.id, action: 'resume' },
      triggerValue: [
        ...history.slice(from).map((event) => sdkEvent(event, true)),
        ...inbound.map((event) => sdkEvent(event, false)),
      ],
    });
    if (outcome.ok && outcome.session !== undefined)
      return { ...readAnswer(outcome, reading), sequenceNumber: outcome.session.sequenceNumber, kept };
    const answer = readAnswer(outcome);
    // The text about an answer that cannot be read depends on how the function was called.
    const mustReplay = !outcome.ok && outcome.exit === undefined && outcome.refused !== true;
    return mustReplay && answer.unreadable !== undefined ? undefined : answer;
  }

  /** {@inheritDoc DurableFunctions.locate} */
  async locate(run: OrchestratorRun): Promise<string | undefined> {
    return (await this.#invoke(run, { silent: true, locate: LOCATING })).place;
  }

  /** {@inheritDoc DurableFunctions.inspect} */
  async inspect(run: OrchestratorRun): Promise<{ answer: Answer; where: string | undefined }> {
    const outcome = await this.#invoke(run, { silent: true, locate: LOCATING });
    return { answer: readAnswer(outcome), where: outcome.place };
  }

  async #invoke(
    run: OrchestratorRun,
    how: Pick<InvocationRequest, 'silent' | 'locate' | 'session' | 'triggerValue'> = {},
  ): Promise<InvocationOutcome> {
    const { name, trigger } = this.#worker.find(run.name)!;
    return this.#worker.invoke({
      functionName: name,
      inputData: { [trigger.name]: {} },
      trace: run.trace,
      ...(run.silent === true && { silent: true }),
      ...how,
      triggerValue: how.triggerValue ?? this.#trigger(run),
    });
  }

  #trigger(run: OrchestratorRun): Record<string, unknown> {
    // The first events of a continued execution are all new, although one of them is an
    // OrchestratorCompleted.
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
      // The protocol has this misspelling.
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
        // The SDK gives this Date to user code as currentUtcDateTime, and user code may change it.
        past.forms[index]!.Timestamp = new Date(event.Timestamp);
      }
    }
    return past.forms;
  }

  async runActivity(task: TaskScheduled, instanceId: string, trace?: TraceContext): Promise<ActivityResult> {
    const definition = this.#worker.find(task.Name);
    // The function existed when the activity was scheduled. The app may have changed since.
    if (definition?.trigger.type !== 'activityTrigger') return missingActivity(task.Name);
    const input = task.Input;
    // The real host passes a boolean as .NET's text of it.
    const text = input === 'true' ? 'True' : input === 'false' ? 'False' : input;
    const data: TypedData = text === null ? {} : { string: text };
    const triggerMetadata: Record<string, TypedData> = { instanceId: { string: instanceId } };
    if (input !== null && text !== null) {
      triggerMetadata[definition.trigger.name] = { string: text };
      triggerMetadata['data'] = { json: isTextInput(input) ? JSON.stringify(input) : input };
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
    if (!isEntityState(outcome.result, batch.length)) {
      const error = `The entity function '${name}' returned no answer of the SDK: register it with df.app.entity.`;
      return { ...failed(error), warnings: [error] };
    }
    const { results, signals, entityExists, entityState } = outcome.result;
    return {
      results,
      signals,
      exists: entityExists,
      state: entityState ?? null,
      warnings:
        results.length > batch.length
          ? [
              'An operation called return twice. The SDK takes each call for the answer of an operation, by position: answers of the same batch reach the wrong callers.',
            ]
          : [],
    };
  }
}

function isEntityState(result: unknown, operations: number): result is SdkEntityState {
  const { results, signals } = (result ?? {}) as Partial<SdkEntityState>;
  return Array.isArray(results) && Array.isArray(signals) && results.length >= operations;
}

function duration(milliseconds: number): string {
  return `${milliseconds / 86_400_000}.00:00:00`;
}
