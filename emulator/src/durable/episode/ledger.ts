import { EventCounts } from './event-counts.js';
import type { EpisodeInput } from './episode.js';
import { NonDeterministicError } from './non-determinism.js';
import { TaskIds } from './task-ids.js';

/** The tasks and events of an execution, up to an episode. The next episode may carry it on. */
export class Ledger {
  readonly taskIds: TaskIds;
  readonly events = new EventCounts();
  /** How many events it has. */
  #added = 0;

  constructor(input: EpisodeInput) {
    this.taskIds = new TaskIds(input);
  }

  /** The position in the history of the first event that it does not have. */
  get added(): number {
    return this.#added;
  }

  /**
   * Adds the new actions, and the new events up to the point where the orchestrator's code differs from them.
   * @returns the difference
   */
  add({ answer, history, inbound }: EpisodeInput): NonDeterministicError | undefined {
    const { taskIds, events } = this;
    taskIds.add(answer);
    events.addWaits(answer.actions);
    events.addEvents(history, this.#added);
    events.addEvents(inbound);
    try {
      for (let index = this.#added; index < history.length; index++) taskIds.apply(history[index]!);
      taskIds.warnings = [];
      for (const event of inbound) taskIds.apply(event);
      this.#added = history.length + inbound.length;
      return undefined;
    } catch (error) {
      if (error instanceof NonDeterministicError) return error;
      throw error;
    }
  }
}
