import type { Action } from './actions.js';
import type { HistoryEvent } from '../history.js';

/** By the names of events: how often the orchestrator waits for one, and how many have come. */
export class EventCounts {
  readonly #waits = new Map<string, { once: number; again: number }>();
  readonly #came = new Map<string, number>();

  addWaits(actions: readonly Action[]): void {
    for (const action of actions) {
      if (action.kind !== 'event') continue;
      const waits = this.waits(action.name);
      waits[action.again === true ? 'again' : 'once']++;
      this.#waits.set(action.name, waits);
    }
  }

  addEvents(events: readonly HistoryEvent[], from = 0): void {
    for (let index = from; index < events.length; index++) {
      const event = events[index]!;
      if (event.EventType === 'EventRaised') this.#came.set(event.Name, this.came(event.Name) + 1);
    }
  }

  /** How many waits there were for an event. The same wait, yielded once more, counts as `again`. */
  waits(name: string): { once: number; again: number } {
    return this.#waits.get(name) ?? { once: 0, again: 0 };
  }

  came(name: string): number {
    return this.#came.get(name) ?? 0;
  }

  /** The events for which more waits were made than events of that name have come. */
  get awaiting(): string[] {
    const names: string[] = [];
    for (const [name, { once }] of this.#waits) if (once > this.came(name)) names.push(name);
    return names;
  }

  /** The events of which more have come than waits were made: those that were waited for at all come first. */
  get unawaited(): string[] {
    return [...new Set([...this.#waits.keys(), ...this.#came.keys()])].filter(
      (name) => this.came(name) > this.waits(name).once,
    );
  }
}
