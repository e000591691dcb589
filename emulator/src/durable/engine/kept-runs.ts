import type { Answer, KeptRun } from '../episode/actions.js';
import type { EpisodeResult } from '../episode/episode.js';
import type { Ledger } from '../episode/ledger.js';
import type { HistoryEvent } from '../history.js';
import type { OrchestratorRun } from '../protocol/functions.js';

/** How long histories are replayed. */
export interface ReplayOptions {
  /**
   * From how many events on an orchestrator waits in memory between its episodes. Up to then, each episode
   * replays the history, as in production. Infinity: always.
   */
  inFullUpTo: number;
  /** Called after an episode that continued a run, for tests. `replayed` replays the history of that episode. */
  compare?: (
    instanceId: string,
    resumed: EpisodeResult,
    replayed: () => Promise<EpisodeResult>,
  ) => Promise<void>;
}

/** A run with all that the next episode needs to continue it. */
interface Waiting {
  run: KeptRun;
  ledger: Ledger;
  /** The history after the commit of the episode: its length and its last event. */
  length: number;
  last: HistoryEvent;
  /** How many events the history had when it was replayed last. */
  replayed: number;
}

/** Each of these is an episode of its own, and may change more than what the orchestrator waits for. */
const REPLAYED: ReadonlySet<HistoryEvent['EventType']> = new Set([
  'ExecutionStarted',
  'ExecutionTerminated',
  'ExecutionSuspended',
  'ExecutionResumed',
  'GenericEvent',
]);

/**
 * Runs of orchestrators that wait for the next events of long histories, so that an episode costs what is new.
 * Each is replayed in full when its history has doubled: code that does not follow its history is found then.
 */
export class KeptRuns {
  readonly #inFullUpTo: number;
  /** By the histories of instances in memory. A history that is read from storage again has no run. */
  readonly #waiting = new WeakMap<readonly HistoryEvent[], Waiting>();

  constructor({ inFullUpTo }: ReplayOptions) {
    this.#inFullUpTo = inFullUpTo;
  }

  /** The run that an episode can continue. It is not kept any longer. */
  take({ history, inbound }: OrchestratorRun): Waiting | undefined {
    const waiting = this.#waiting.get(history);
    this.#waiting.delete(history);
    // The commit of the last episode may have failed, and this may be another attempt at it.
    const isCurrent = waiting?.length === history.length && waiting.last === history.at(-1);
    if (!isCurrent || inbound.some(({ EventType }) => REPLAYED.has(EventType))) return undefined;
    return history.length + inbound.length < 2 * waiting.replayed ? waiting : undefined;
  }

  /** Whether a run of this length is to be kept. */
  keeps({ history, inbound }: OrchestratorRun): boolean {
    return history.length > 0 && history.length + inbound.length >= this.#inFullUpTo;
  }

  /** Keeps a run after its episode, if it can be continued. `before`: the run that this episode has continued. */
  put(
    { history, inbound }: OrchestratorRun,
    { kept }: Answer,
    ledger: Ledger,
    { append, completed, continueAsNew, suspended, warnings }: EpisodeResult,
    before?: Waiting,
  ): void {
    if (kept === undefined || completed !== undefined || continueAsNew !== undefined) return;
    if (suspended || warnings.length > 0) return;
    this.#waiting.set(history, {
      run: kept,
      ledger,
      length: history.length + append.length,
      last: append.at(-1)!,
      replayed: before?.replayed ?? history.length + inbound.length,
    });
  }
}
