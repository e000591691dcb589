import type { ExecutionCompleted, ExecutionStarted, HistoryEvent } from '../history.js';
import type { Answer } from '../episode/actions.js';
import type { EpisodeResult } from '../episode/episode.js';
import { runEpisode } from '../episode/orchestration.js';
import type { HistoryRow, RecordedHistory } from './recorded-history.js';
import { readRows, UnreadableHistoryError } from './recorded-history.js';
import type { DurableFunctions } from '../protocol/functions.js';
import { DEFAULT_SETTINGS } from '../settings.js';
import { describe, isRelease, rebuild, shownStart } from './shown-history.js';

/**
 * Today's code does not follow a recorded history. The message names the orchestrator, the instance and the
 * step.
 *
 * @example
 * ```ts
 * await expect(app.replay(historyOfOldCode)).rejects.toThrow(HistoryMismatchError);
 * ```
 */
export class HistoryMismatchError extends Error {
  override name = 'HistoryMismatchError';

  /**
   * @param step the sequence number in the history from which the code departs, `undefined` when it is not known
   * @param reason the message without the names of the orchestrator and the instance
   */
  constructor(
    message: string,
    readonly step?: number,
    readonly reason: string = message,
  ) {
    super(message);
  }
}

export interface ReplayOptions {
  sdk: DurableFunctions;
  /** Wraps the run of an orchestrator function, as the engine's option of that name does. */
  replay?: (instanceId: string, run: () => Promise<Answer>) => Promise<Answer>;
}

/**
 * Replays a history on today's code, as a host does that loads the instance after a deployment. The code
 * follows the history when it schedules the same tasks in the same order, and no others, and ends at the same
 * point in the same way. Inputs and outputs may differ: an instance continues in spite of that.
 *
 * @throws HistoryMismatchError
 * @throws UnreadableHistoryError
 */
export async function replayHistory(
  recorded: RecordedHistory,
  { sdk, replay = async (_, run) => run() }: ReplayOptions,
): Promise<void> {
  const shown = 'historyEvents' in recorded ? recorded : undefined;
  const read = 'historyEvents' in recorded ? [shownStart(recorded)] : readEvents(recorded);
  const execution = read.find((event): event is ExecutionStarted => event.EventType === 'ExecutionStarted');
  if (execution === undefined)
    throw new UnreadableHistoryError('There is no ExecutionStarted in this history.');
  const {
    Name: name,
    OrchestrationInstance: { InstanceId: instanceId, ExecutionId: executionId },
  } = execution;
  const mismatch = (what: string, step?: number): HistoryMismatchError =>
    new HistoryMismatchError(
      `Today's '${name}' does not follow the history of '${instanceId}'. ${what}`,
      step,
      what,
    );
  if (!sdk.knows('orchestration', name)) throw mismatch('The app has no orchestrator of that name any more.');

  const run = async (
    history: readonly HistoryEvent[],
    inbound: readonly HistoryEvent[],
  ): Promise<EpisodeResult> => {
    // The history contains the times of timers, whatever the settings are today.
    const { httpPollInterval } = DEFAULT_SETTINGS;
    const parentInstanceId = execution.ParentInstance?.OrchestrationInstance.InstanceId ?? null;
    const replayed = { name, instanceId, parentInstanceId, history, inbound, httpPollInterval };
    const answer = await replay(instanceId, () =>
      sdk.runOrchestrator({ ...replayed, input: execution.Input }),
    );
    if (answer.unreadable !== undefined) throw mismatch(answer.unreadable);
    const result = runEpisode({
      ...replayed,
      executionId,
      answer,
      now: Date.parse((inbound[0] ?? execution).Timestamp),
      defaultVersion: null,
      knowsActivity: (activity) => sdk.knows('activity', activity),
      knowsOrchestrator: (child) => sdk.knows('orchestration', child),
      disabledBy: (disabled) => sdk.disabledBy(disabled),
      missingEntity: (entity) => sdk.missing('entity', entity),
    });
    if (result.mismatch !== undefined) throw mismatch(result.mismatch.message, result.mismatch.taskId);
    return result;
  };

  const events = shown === undefined ? read : await rebuild(shown, run, mismatch);
  const end = events.findLast(
    (event): event is ExecutionCompleted => event.EventType === 'ExecutionCompleted',
  );
  // A host records the locks that an orchestrator still held at its end as released.
  const hasReturned = end?.OrchestrationStatus === 'Completed';
  const lastEpisode = events.findLastIndex(({ EventType }) => EventType === 'OrchestratorStarted');
  const past = events.filter(
    (event, index) => event !== end && !(hasReturned && index > lastEpisode && isRelease(event)),
  );
  const result = await run(past.slice(0, -1), past.slice(-1));

  const step = past.reduce((last, { EventId }) => Math.max(last, EventId), -1);
  const where = step < 0 ? 'before anything was scheduled' : `after sequence number ${step}`;
  const [before, now] = [ending(end?.OrchestrationStatus), endingOf(result, hasReturned)];
  if (before !== now)
    throw mismatch(`The history ${before} ${where}, while today's code ${now}.${reasons(result)}`, step + 1);
}

function readEvents(recorded: readonly HistoryEvent[] | readonly HistoryRow[]): readonly HistoryEvent[] {
  if (!Array.isArray(recorded))
    throw new UnreadableHistoryError(
      'This is neither a list of events or rows, nor a status with historyEvents.',
    );
  return recorded.some((event: HistoryRow) => '_Timestamp' in event)
    ? readRows(recorded as HistoryRow[])
    : (recorded as HistoryEvent[]);
}

function ending(status: ExecutionCompleted['OrchestrationStatus'] | undefined): string {
  return status === undefined ? 'goes on waiting' : `ends ${status}`;
}

/** The state of today's code at the end of a history. */
function endingOf({ append, completed, continueAsNew }: EpisodeResult, mayRelease: boolean): string {
  const [added] = append
    .slice(1)
    .filter(({ EventType }) => EventType !== 'ExecutionCompleted' && EventType !== 'OrchestratorCompleted')
    .filter((event) => !(mayRelease && isRelease(event)));
  if (added !== undefined) return `schedules ${describe(added)}`;
  return continueAsNew === undefined ? ending(completed?.OrchestrationStatus) : 'continues as new';
}

/** The reason for a result. */
function reasons({ awaiting, completed, warnings }: EpisodeResult): string {
  const events = awaiting.map((event) => `It waits for the event '${event}'.`);
  return [
    ...(completed?.OrchestrationStatus === 'Failed' ? [completed.Result] : []),
    ...(completed === undefined ? events : []),
    ...warnings,
  ]
    .map((reason) => ` ${reason}`)
    .join('');
}
