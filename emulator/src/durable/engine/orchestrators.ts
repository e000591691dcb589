import type { Log } from '../../log.js';
import type { Answer } from '../episode/actions.js';
import type { EpisodeOutcome } from '../episode/episode.js';
import type { ExecutionStarted, HistoryEvent } from '../history.js';
import { timestamp } from '../history.js';
import { failedEpisode, orchestratorFailure, runEpisode } from '../episode/orchestration.js';
import type { DurableFunctions, OrchestratorRun } from '../protocol/functions.js';
import type { DurableSettings } from '../settings.js';
import { orchestrationOf } from './spans.js';
import type { InstanceRecord } from '../task-hub.js';
import { complies, describeVersions } from './versions.js';

export interface OrchestratorsOptions {
  sdk: DurableFunctions;
  log: Log;
  settings: DurableSettings;
  /** Fails what production would leave hanging. */
  strict: boolean;
  /** Wraps the run of an orchestrator function: the test environment runs it twice and compares. */
  replay?: ((instanceId: string, run: () => Promise<Answer>) => Promise<Answer>) | undefined;
  /** The time as histories see it, in milliseconds. */
  now: () => number;
}

/** The category under which the Durable extension logs. */
export const CATEGORY = 'Host.Triggers.DurableTask';
/** Of the JSON text, in kilobytes. */
const MAX_CUSTOM_STATUS = 16;
/** How many diagnostics are remembered, so as not to be said twice. */
const MAX_SAID = 10_000;

/** Runs the app's orchestrator functions, episode by episode, and says what a person should hear of them: once, and where in the app's code. */
export class Orchestrators {
  readonly #options: OrchestratorsOptions;
  readonly #said = new Set<string>();

  constructor(options: OrchestratorsOptions) {
    this.#options = options;
  }

  /** Whether an instance has a version that this app may not run: it is left for an app that may, which is said. */
  rejects({ instanceId, version, runtimeStatus }: InstanceRecord): boolean {
    const { settings, strict } = this.#options;
    if (strict || settings.versionFailure === 'Fail' || complies(version, settings)) return false;
    this.warn(
      instanceId,
      `${describeVersions(version, settings)} It stays ${runtimeStatus} until an app of its version takes the hub.`,
    );
    return true;
  }

  /** One episode of an execution: what its history, and what came in, lead to. */
  async run(
    execution: ExecutionStarted,
    history: readonly HistoryEvent[],
    inbound: readonly HistoryEvent[],
  ): Promise<EpisodeOutcome> {
    const { sdk, settings, replay = async (_, call) => call() } = this.#options;
    const { Name: name, Version: version } = execution;
    const now = this.#options.now();
    const run = this.#runOf(execution, history, inbound);
    const fail = (text: string): EpisodeOutcome =>
      failedEpisode(inbound, text, timestamp(this.#options.now()));
    if (!complies(version, settings)) {
      // As FailureDetails has it, which the extension makes the output of.
      return fail(
        settings.versionFailure === 'Fail'
          ? 'VersionMismatch: Orchestration version did not comply with Worker Versioning'
          : orchestratorFailure(
              name,
              `${describeVersions(version, settings)} Production would leave it as it is.`,
            ),
      );
    }
    const missing = sdk.missing('orchestration', name);
    if (missing !== undefined) {
      const setting = sdk.disabledBy(name);
      if (setting !== undefined)
        this.warn(run.instanceId, `The setting ${setting} disables the orchestrator '${name}'.`);
      return fail(orchestratorFailure(name, missing));
    }
    try {
      const answer = withinLimits(await replay(run.instanceId, () => sdk.runOrchestrator(run)));
      if (answer.unreadable !== undefined) return fail(orchestratorFailure(name, answer.unreadable));
      const outcome = runEpisode({
        ...run,
        ...settings,
        executionId: execution.OrchestrationInstance.ExecutionId,
        answer,
        now,
        knowsActivity: (activity) => sdk.knows('activity', activity),
        knowsOrchestrator: (child) => sdk.knows('orchestration', child),
        disabledBy: (disabled) => sdk.disabledBy(disabled),
        missingEntity: (entity) => sdk.missing('entity', entity),
      });
      return await this.#diagnose(outcome, answer, run);
    } catch (error) {
      return fail(orchestratorFailure(name, error instanceof Error ? error.message : String(error)));
    }
  }

  /** Says what an execution does wrong, and the place in the app's code where it stands. In strict mode: @returns that, to fail it with. */
  async complain(
    execution: ExecutionStarted,
    history: readonly HistoryEvent[],
    text: string,
  ): Promise<string | undefined> {
    const run = this.#runOf(execution, history, []);
    if (this.#options.strict) return text + (await this.#place(run));
    await this.#say('error', [text], run);
    return undefined;
  }

  /** Says what is wrong with an instance, once. */
  warn(instanceId: string, text: string): void {
    if (this.#isNew(instanceId, text)) this.#options.log('error', CATEGORY, `${instanceId}: ${text}`);
  }

  #runOf(
    execution: ExecutionStarted,
    history: readonly HistoryEvent[],
    inbound: readonly HistoryEvent[],
  ): OrchestratorRun {
    return {
      name: execution.Name,
      instanceId: execution.OrchestrationInstance.InstanceId,
      parentInstanceId: execution.ParentInstance?.OrchestrationInstance.InstanceId ?? null,
      input: execution.Input,
      history,
      inbound,
      httpPollInterval: this.#options.settings.httpPollInterval,
      trace: orchestrationOf(execution),
    };
  }

  /** In strict mode an instance that would hang fails with what is said otherwise. */
  async #diagnose(
    outcome: EpisodeOutcome,
    { misyielded }: Answer,
    run: OrchestratorRun,
  ): Promise<EpisodeOutcome> {
    const { completed, departure, warnings, notes } = outcome;
    const { strict, now } = this.#options;
    if (departure !== undefined || (misyielded === true && completed !== undefined)) {
      // It fails in production, too, which does not say where.
      outcome.where = await this.#place(upToResult(run, departure?.taskId));
      if (strict) completed!.Result += outcome.where;
    }
    if (strict && warnings.length > 0)
      return failedEpisode(
        run.inbound,
        orchestratorFailure(run.name, warnings.join('\n') + (await this.#place(run))),
        timestamp(now()),
      );
    await this.#say('error', warnings, run);
    await this.#say('warning', notes, run);
    return outcome;
  }

  async #say(level: 'error' | 'warning', texts: readonly string[], run: OrchestratorRun): Promise<void> {
    const fresh = texts.filter((text) => this.#isNew(run.instanceId, text));
    if (fresh.length === 0) return;
    const where = await this.#place(run);
    for (const text of fresh) this.#options.log(level, CATEGORY, `${run.instanceId}: ${text}${where}`);
  }

  /** Where in the app's code an orchestrator stands, as a line of its own. */
  async #place(run: OrchestratorRun): Promise<string> {
    const place = await this.#options.sdk.locate(run);
    return place === undefined ? '' : `\n    at ${place}`;
  }

  #isNew(instanceId: string, text: string): boolean {
    const key = `${instanceId}\n${text}`;
    if (this.#said.has(key)) return false;
    this.#said.add(key);
    if (this.#said.size > MAX_SAID) this.#said.delete(this.#said.values().next().value!);
    return true;
  }
}

/** As the extension takes an answer: a custom status that is too large makes an error of it, and nothing else of it counts. */
function withinLimits(answer: Answer): Answer {
  const size = Math.floor(((answer.customStatus?.length ?? 0) * 2) / 1024);
  if (size <= MAX_CUSTOM_STATUS) return answer;
  const error = `The UTF-16 size of the JSON-serialized payload must not exceed ${MAX_CUSTOM_STATUS} KB. The current payload size is ${size.toLocaleString('en')} KB.`;
  return { done: false, actions: [], output: null, customStatus: null, warnings: [], error };
}

/** A run, but only until a task had its result. */
function upToResult(run: OrchestratorRun, taskId: number | undefined): OrchestratorRun {
  const events = [...run.history, ...run.inbound];
  const end = events.findIndex(
    (event) =>
      ('TaskScheduledId' in event && event.TaskScheduledId === taskId) ||
      ('TimerId' in event && event.TimerId === taskId),
  );
  return end < 0 ? run : { ...run, history: events.slice(0, end), inbound: [] };
}
