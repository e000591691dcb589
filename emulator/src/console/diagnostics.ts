import type { Log } from '../log.js';
import { CATEGORY } from '../durable/engine/runtime.js';
import type { Diagnostic } from './view.js';

/** How many records are kept, the latest. */
const KEPT = 2_000;

/** Keeps what the Durable extension has logged, so that the console can show it beside its instance. */
export class Diagnostics {
  readonly #kept: Diagnostic[] = [];

  /** A log that keeps the warnings and errors of the extension, and passes everything on. */
  recording(log: Log, now: () => number): Log {
    return (level, category, message) => {
      if (category === CATEGORY && (level === 'warning' || level === 'error')) {
        this.#kept.push({ level, at: new Date(now()).toISOString(), message });
        if (this.#kept.length > KEPT) this.#kept.shift();
      }
      log(level, category, message);
    };
  }

  /** The records about an instance, the oldest first. */
  about(instanceId: string): Diagnostic[] {
    return this.#kept.filter(
      ({ message }) => message.startsWith(`${instanceId}: `) || message.includes(`'${instanceId}'`),
    );
  }
}
