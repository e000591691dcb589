import type { Handler } from '../worker/core-api.js';
import { HTTP_ACTIVITY } from '../durable/http/http-call.js';
import type { ActivityCall } from './options.js';

/**
 * The replaced functions of one environment, and the calls of its activities. Names ignore case, as on every
 * host.
 */
export class Activities {
  readonly #replaced = new Map<string, Handler>();
  readonly #calls = new Map<string, ActivityCall[]>();
  readonly #names: () => readonly string[];

  /** @param names the names of the app's functions */
  constructor(names: () => readonly string[]) {
    this.#names = names;
  }

  /** @throws Error when the app has no such function */
  replace(name: string, handler: Handler): void {
    const known = this.#nameOf(name);
    if (known === undefined)
      throw new Error(
        `The app has no function named '${name}'. It has: ${this.#names().toSorted().join(', ')}.`,
      );
    this.#replaced.set(known, handler);
  }

  restore(name: string): void {
    this.#replaced.delete(this.#nameOf(name) ?? name);
  }

  /** @param name as the function is registered */
  handlerOf(name: string): Handler | undefined {
    return this.#replaced.get(name);
  }

  /** @param name as the function is registered */
  record(name: string, call: ActivityCall): void {
    const calls = this.#calls.get(name);
    if (calls === undefined) this.#calls.set(name, [call]);
    else calls.push(call);
  }

  callsOf(name: string): readonly ActivityCall[] {
    return [...(this.#calls.get(this.#nameOf(name) ?? name) ?? [])];
  }

  /**
   * The name as the function is registered. Two functions whose names differ by case alone are told apart.
   */
  #nameOf(name: string): string | undefined {
    const names = [...this.#names(), HTTP_ACTIVITY];
    if (names.includes(name)) return name;
    return names.find((known) => known.toLowerCase() === name.toLowerCase());
  }
}
