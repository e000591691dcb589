import type { Action, Answer, Compound, IdAction } from './actions.js';

/** What the barriers have to know about the tasks. */
export interface TaskStates {
  /** The actions whose tasks are open. */
  open: ReadonlySet<Action>;
  /** How many events of a name have come. */
  came: (name: string) => number;
}

/**
 * The places at which the host waits although the orchestrator has gone on. When a task of a `Task.all` fails, the
 * SDK continues the code at once. The extension's `ProcessAsyncActionsV2` awaits one action after the other, and
 * .NET's `Task.WhenAll` waits for all tasks: what the code does next begins when they have all ended.
 */
export class Barriers {
  #barriers: { compound: Compound; gate: number }[] = [];
  readonly #failed = new Set<Action>();
  /** How many events of a name an orchestrator must have got, at a wait for one in a `Task.all`. */
  readonly #needed = new Map<Action, number>();
  readonly #waits = new Map<string, number>();

  /** @param before how many actions with task ids there were before these */
  add(actions: readonly Action[], compounds: NonNullable<Answer['compounds']>, before: number): void {
    const optional = new Set(compounds.flatMap(({ compound }) => withinAny(compound)));
    let gate = before;
    let next = 0;
    const advance = (to: number): void => {
      for (; next < to; next++) {
        const action = actions[next]!;
        if (action.kind === 'event') this.#addWait(action, optional.has(action));
        else if (action.kind !== 'continueAsNew') gate++;
      }
    };
    for (const { compound, next: end } of compounds) {
      advance(end);
      this.#barriers.push({ compound, gate });
    }
    advance(actions.length);
  }

  #addWait(action: Extract<Action, { kind: 'event' }>, isOptional: boolean): void {
    // A wait in a Task.any may have been given up: whether it got an event is not known.
    if (isOptional || action.again === true) return;
    const count = (this.#waits.get(action.name) ?? 0) + 1;
    this.#waits.set(action.name, count);
    this.#needed.set(action, count);
  }

  /** A task has failed, and is not tried again. */
  fail(action: IdAction): void {
    this.#failed.add(action);
  }

  /** After how many of the actions with task ids the host waits; undefined when it does not. */
  gate(states: () => TaskStates): number | undefined {
    if (this.#failed.size === 0) return undefined;
    let known: TaskStates | undefined;
    for (const { compound, gate } of this.#barriers)
      if (this.#hasFailed(compound) && !this.#hasEnded(compound, (known ??= states()))) return gate;
    return undefined;
  }

  #hasFailed(part: Action | Compound): boolean {
    return 'of' in part ? part.of.some((inner) => this.#hasFailed(inner)) : this.#failed.has(part);
  }

  #hasEnded(part: Action | Compound, states: TaskStates): boolean {
    if ('of' in part)
      return part.all
        ? part.of.every((inner) => this.#hasEnded(inner, states))
        : part.of.length === 0 || part.of.some((inner) => this.#hasEnded(inner, states));
    if (part.kind === 'event') return states.came(part.name) >= (this.#needed.get(part) ?? 0);
    return !states.open.has(part) || (part.kind === 'timer' && part.cancelled);
  }
}

/** The actions in a `Task.any`. */
function withinAny({ all, of }: Compound): Action[] {
  return of.flatMap((part) =>
    'of' in part ? (all ? withinAny(part) : everyAction(part)) : all ? [] : [part],
  );
}

function everyAction({ of }: Compound): Action[] {
  return of.flatMap((part) => ('of' in part ? everyAction(part) : [part]));
}
