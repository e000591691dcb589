import type { TraceContext } from '../../tracing/trace-context.js';
import type { EntityId } from '../entities/entity-messages.js';
import type { Answer, KeptRun } from '../episode/actions.js';
import type { FailureDetails, HistoryEvent, JsonText, TaskScheduled } from '../history.js';

/** The kinds of function that the Durable extension runs. */
export type FunctionKind = 'orchestration' | 'activity' | 'entity';

/** What an orchestrator function has to replay. */
export interface OrchestratorRun {
  name: string;
  instanceId: string;
  parentInstanceId: string | null;
  input: JsonText;
  history: readonly HistoryEvent[];
  inbound: readonly HistoryEvent[];
  /** Milliseconds, see {@link DurableSettings.httpPollInterval}. */
  httpPollInterval: number;
  /** The orchestration's own span. */
  trace?: TraceContext | undefined;
  /** Asks for {@link Answer.kept}. */
  keep?: boolean;
  /** True for a repetition: what the function logs is dropped. */
  silent?: boolean;
}

/** How an activity ended: the part of the history event that depends on it. */
export type ActivityResult =
  | { ok: true; result: JsonText }
  | { ok: false; reason: string; details: string; failureDetails: FailureDetails | null };

/** The operations that one invocation of an entity function runs, one after the other. */
export interface EntityRun {
  entity: EntityId;
  exists: boolean;
  state: JsonText;
  batch: { name: string; input: JsonText; isSignal: boolean; id: string }[];
}

/** The result of an {@link EntityRun}. */
export interface EntityAnswer {
  /** One for each operation, matched by position. */
  results: { isError: boolean; result?: string }[];
  signals: { target: EntityId; name: string; input: string }[];
  exists: boolean;
  state: JsonText;
  /** Mistakes of the app, for the log. */
  warnings: string[];
}

/**
 * The app's Durable functions, in whatever protocol its SDK speaks. A call rejects only for a mistake of the
 * emulator.
 */
export interface DurableFunctions {
  /** Whether the app has a function of that kind and name; names ignore case. */
  knows(kind: FunctionKind, name: string): boolean;
  /** The name of the setting that disables a function; undefined when none does. */
  disabledBy(name: string): string | undefined;
  /** @returns the real host's text about a function that does not exist; undefined for one that does. */
  missing(kind: 'orchestration' | 'entity', name: string): string | undefined;
  runOrchestrator(run: OrchestratorRun): Promise<Answer>;
  /**
   * Continues a run that was kept, on the events of `run` from the position `from` on.
   * @returns an answer with only the new actions, if the run is kept again; otherwise with all of them.
   * Undefined when the run is lost, or its answer cannot be read: replay it then
   */
  resumeOrchestrator(run: OrchestratorRun, kept: KeptRun, from: number): Promise<Answer | undefined>;
  /** @returns where in the app's code an orchestrator waits, or threw: `src/orders.ts:12:3`. */
  locate(run: OrchestratorRun): Promise<string | undefined>;
  /** As {@link locate}, with the answer of the run. */
  inspect(run: OrchestratorRun): Promise<{ answer: Answer; where: string | undefined }>;
  runActivity(task: TaskScheduled, instanceId: string, trace?: TraceContext): Promise<ActivityResult>;
  runEntity(run: EntityRun): Promise<EntityAnswer>;
}
