import type { Log } from '../../log.js';
import { OrchestratorError, type Answer } from '../episode/actions.js';
import type { EpisodeInput, EpisodeResult } from '../episode/episode.js';
import { EventCounts } from '../episode/event-counts.js';
import { Ledger } from '../episode/ledger.js';
import type { ExecutionStarted, HistoryEvent } from '../history.js';
import { timestamp } from '../history.js';
import { nothingScheduled } from '../episode/non-determinism.js';
import { runEpisode } from '../episode/orchestration.js';
import { failedEpisode, orchestratorFailure } from '../episode/results.js';
import type { DurableFunctions, OrchestratorRun } from '../protocol/functions.js';
import type { DurableSettings } from '../settings.js';
import { WorkerStoppedError } from '../../worker/types.js';
import { KeptRuns, type ReplayOptions } from './kept-runs.js';
import { CATEGORY, stackOf } from './runtime.js';
import { orchestrationOf } from './spans.js';
import type { InstanceRecord } from '../task-hub.js';
import { complies, describeVersions } from './versions.js';

export interface OrchestratorsOptions {
  sdk: DurableFunctions;
  log: Log;
  settings: DurableSettings;
  /** Ends an instance as Failed where production would leave it hanging. */
  strict: boolean;
  /**
   * Wraps the run of an orchestrator function. The test environment runs it twice and compares the answers.
   */
  replay?: ((instanceId: string, run: () => Promise<Answer>) => Promise<Answer>) | undefined;
  /** How long histories are replayed. */
  replays: ReplayOptions;
  /** The time that histories get, in milliseconds since the epoch. */
  now: () => number;
}

/** Of the JSON text, in kilobytes. */
const MAX_CUSTOM_STATUS = 16;
/** How many diagnostics are remembered, so that none is logged twice. */
const MAX_LOGGED = 10_000;

/**
 * Runs the app's orchestrator functions, episode by episode, and logs their mistakes: once, with the place in
 * the app's code.
 */
export class Orchestrators {
  readonly #options: OrchestratorsOptions;
  readonly #logged = new Set<string>();
  readonly #kept: KeptRuns;

  constructor(options: OrchestratorsOptions) {
    this.#options = options;
    this.#kept = new KeptRuns(options.replays);
  }

  /**
   * Whether an instance has a version that this app may not run. It stays as it is for an app that may, and
   * the log says so.
   */
  rejects({ instanceId, version, runtimeStatus }: InstanceRecord): boolean {
    const { settings, strict } = this.#options;
    if (strict || settings.versionFailure === 'Fail' || complies(version, settings)) return false;
    this.warn(
      instanceId,
      `${describeVersions(version, settings)} It stays ${runtimeStatus} until an app of its version takes the hub.`,
    );
    return true;
  }

  /** Runs one episode of an execution on its history and the events that came in. */
  async run(
    execution: ExecutionStarted,
    history: readonly HistoryEvent[],
    inbound: readonly HistoryEvent[],
  ): Promise<EpisodeResult> {
    const { sdk, settings } = this.#options;
    const { Name: name, Version: version } = execution;
    const run = this.#runOf(execution, history, inbound);
    const fail = (text: string): EpisodeResult =>
      failedEpisode(inbound, text, timestamp(this.#options.now()));
    if (!complies(version, settings)) {
      // The extension makes the output of the text in FailureDetails, which has no function name.
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
      const input = this.#inputOf(execution, run);
      const resumed = await this.#resume(run, input);
      if (resumed !== undefined && 'append' in resumed) return resumed;
      const answer = resumed ?? withinLimits(await this.#replay(run));
      if (answer.unreadable !== undefined) {
        const text = nothingScheduled(history) ?? orchestratorFailure(name, answer.unreadable);
        return await this.#diagnose({ ...fail(text), warnings: answer.warnings }, answer, run);
      }
      const ledger = new Ledger(input(answer));
      const result = runEpisode(input(answer), ledger);
      this.#kept.put(run, answer, ledger, result);
      return await this.#diagnose(result, answer, run);
    } catch (error) {
      if (error instanceof WorkerStoppedError) throw error;
      const failed = fail(orchestratorFailure(name, error instanceof Error ? error.message : String(error)));
      // Everything else is a mistake of the emulator, so the log gets the stack.
      if (!(error instanceof OrchestratorError)) failed.where = `\n${stackOf(error)}`;
      return failed;
    }
  }

  /**
   * Continues the run that waits since the last episode.
   * @returns the result of the episode; the whole answer of a run that has ended; undefined when there is none,
   * or when its history has to be replayed
   */
  async #resume(
    run: OrchestratorRun,
    input: (answer: Answer) => EpisodeInput,
  ): Promise<EpisodeResult | Answer | undefined> {
    const { sdk, replay, replays } = this.#options;
    const waiting = this.#kept.take(run);
    if (waiting === undefined) return undefined;
    const resumed = await sdk.resumeOrchestrator(run, waiting.run, waiting.ledger.added);
    if (resumed === undefined) return undefined;
    // From here on, the function would only repeat what it has logged.
    run.silent = true;
    const answer = withinLimits(resumed);
    // A run that has ended is verified on its whole history, but the death of the worker part counts.
    if (answer.kept === undefined)
      return replay === undefined || answer.unreadable !== undefined ? answer : undefined;
    const result = runEpisode(input(answer), waiting.ledger);
    if (result.mismatch !== undefined || result.warnings.length > 0) return undefined;
    await replays.compare?.(run.instanceId, result, async () =>
      runEpisode(input(await sdk.runOrchestrator(run))),
    );
    this.#kept.put(run, answer, waiting.ledger, result, waiting);
    return this.#diagnose(result, answer, run);
  }

  /** Runs an orchestrator on its whole history. */
  async #replay(run: OrchestratorRun): Promise<Answer> {
    const { sdk, replay = async (_, call) => call() } = this.#options;
    let keep = this.#kept.keeps(run);
    return replay(run.instanceId, () => {
      const first = sdk.runOrchestrator({ ...run, keep });
      keep = false;
      return first;
    });
  }

  #inputOf(execution: ExecutionStarted, run: OrchestratorRun): (answer: Answer) => EpisodeInput {
    const { sdk, settings, now } = this.#options;
    const began = now();
    return (answer) => ({
      ...run,
      ...settings,
      executionId: execution.OrchestrationInstance.ExecutionId,
      answer,
      now: began,
      knowsActivity: (activity) => sdk.knows('activity', activity),
      knowsOrchestrator: (child) => sdk.knows('orchestration', child),
      disabledBy: (disabled) => sdk.disabledBy(disabled),
      missingEntity: (entity) => sdk.missing('entity', entity),
    });
  }

  /** What an execution waits for, and where. `timers`: milliseconds since the epoch. */
  async inspect(
    execution: ExecutionStarted,
    history: readonly HistoryEvent[],
  ): Promise<{ awaiting: string[]; timers: number[]; where: string | undefined }> {
    const { sdk } = this.#options;
    if (!sdk.knows('orchestration', execution.Name)) return { awaiting: [], timers: [], where: undefined };
    const { answer, where } = await sdk.inspect(this.#runOf(execution, history, []));
    const timers = answer.actions.flatMap((action) =>
      action.kind === 'timer' && !action.cancelled ? [action.fireAt] : [],
    );
    const events = new EventCounts();
    events.addWaits(answer.actions);
    events.addEvents(history);
    return { awaiting: events.awaiting, timers, where };
  }

  /**
   * Logs a mistake of an execution with the place in the app's code.
   * @returns in strict mode the text to fail the call with, which is not logged then
   */
  async reportMistake(
    execution: ExecutionStarted,
    history: readonly HistoryEvent[],
    text: string,
  ): Promise<string | undefined> {
    const run = this.#runOf(execution, history, []);
    if (this.#options.strict) return text + (await this.#place(run));
    await this.#logAt('error', [text], run);
    return undefined;
  }

  /** Logs a mistake of an instance, once. */
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

  /**
   * Logs the mistakes of an episode. In strict mode an instance that would hang fails with that text instead.
   */
  async #diagnose(
    result: EpisodeResult,
    { yieldedNonTask }: Answer,
    run: OrchestratorRun,
  ): Promise<EpisodeResult> {
    const { completed, mismatch, warnings, notes } = result;
    const { strict, now } = this.#options;
    if (mismatch !== undefined || (yieldedNonTask === true && completed !== undefined)) {
      // Production fails the instance too, but does not log where.
      result.where = await this.#place(upToResult(run, mismatch?.taskId));
      if (strict) completed!.Result += result.where;
    }
    if (strict && warnings.length > 0)
      return failedEpisode(
        run.inbound,
        orchestratorFailure(run.name, warnings.join('\n') + (await this.#place(run))),
        timestamp(now()),
      );
    await this.#logAt('error', warnings, run);
    await this.#logAt('warning', notes, run);
    return result;
  }

  async #logAt(level: 'error' | 'warning', texts: readonly string[], run: OrchestratorRun): Promise<void> {
    const fresh = texts.filter((text) => this.#isNew(run.instanceId, text));
    if (fresh.length === 0) return;
    const where = await this.#place(run);
    for (const text of fresh) this.#options.log(level, CATEGORY, `${run.instanceId}: ${text}${where}`);
  }

  /** The place in the app's code where an orchestrator waits, as a line of its own. */
  async #place(run: OrchestratorRun): Promise<string> {
    const place = await this.#options.sdk.locate(run);
    return place === undefined ? '' : `\n    at ${place}`;
  }

  #isNew(instanceId: string, text: string): boolean {
    const key = `${instanceId}\n${text}`;
    if (this.#logged.has(key)) return false;
    this.#logged.add(key);
    if (this.#logged.size > MAX_LOGGED) this.#logged.delete(this.#logged.values().next().value!);
    return true;
  }
}

/**
 * Fails an answer whose custom status is too large, as the extension does: nothing else of the answer counts
 * then.
 */
function withinLimits(answer: Answer): Answer {
  const size = Math.floor(((answer.customStatus?.length ?? 0) * 2) / 1024);
  if (size <= MAX_CUSTOM_STATUS) return answer;
  const error = `The UTF-16 size of the JSON-serialized payload must not exceed ${MAX_CUSTOM_STATUS} KB. The current payload size is ${size.toLocaleString('en')} KB.`;
  return { done: false, actions: [], output: null, customStatus: null, warnings: [], error };
}

/** A run that ends before the result of a task. */
function upToResult(run: OrchestratorRun, taskId: number | undefined): OrchestratorRun {
  const events = [...run.history, ...run.inbound];
  const end = events.findIndex(
    (event) =>
      ('TaskScheduledId' in event && event.TaskScheduledId === taskId) ||
      ('TimerId' in event && event.TimerId === taskId),
  );
  return end < 0 ? run : { ...run, history: events.slice(0, end), inbound: [] };
}
