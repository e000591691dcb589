import type { Log } from '../../log.js';
import { RunningTasks } from '../../running-tasks.js';
import type { Clock } from '../clock.js';
import { timestamp, type Timestamp } from '../history.js';
import type { DurableSettings } from '../settings.js';
import { StorageFailure, type InstanceRecord, type TaskHub } from '../task-hub.js';
import { BackOff } from './back-off.js';
import type { OrchestrationSpans } from './spans.js';

/** The category under which the Durable extension logs. */
export const CATEGORY = 'Host.Triggers.DurableTask';

/** An episode was given up because the engine stops. Nothing of it was committed. */
export class EngineStoppedError extends Error {
  override name = 'EngineStoppedError';

  constructor() {
    super('The engine is stopping.');
  }
}

/** What the parts of one engine share. */
export interface RuntimeOptions {
  hub: TaskHub;
  clock: Clock;
  log: Log;
  settings: DurableSettings;
  /** Ends an instance as Failed where production would leave it hanging. */
  strict: boolean;
  /** Writes spans of what orchestrations do; undefined where the host traces nothing. */
  spans: OrchestrationSpans | undefined;
}

/** The hub, the time, the count of running work, and the retries that all parts of an engine use. */
export class Runtime {
  readonly hub: TaskHub;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: DurableSettings;
  readonly strict: boolean;
  readonly spans: OrchestrationSpans | undefined;
  readonly running = new RunningTasks();
  readonly backOff: BackOff;
  readonly #listeners = new Set<(record: InstanceRecord) => void>();
  readonly #purgeListeners = new Set<(instanceId: string) => void>();
  #isStopped = false;
  #lastTime = 0;

  constructor({ hub, clock, log, settings, strict, spans }: RuntimeOptions) {
    this.hub = hub;
    this.clock = clock;
    this.log = log;
    this.settings = settings;
    this.strict = strict;
    this.spans = spans;
    this.backOff = new BackOff(log, CATEGORY);
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  stop(): void {
    this.#isStopped = true;
  }

  /**
   * The time that histories get, in milliseconds since the epoch. It never goes back, whatever the machine's
   * clock does.
   */
  time(): number {
    this.#lastTime = Math.max(this.#lastTime, this.clock.now());
    return this.#lastTime;
  }

  now(): Timestamp {
    return timestamp(this.time());
  }

  /** Calls `listener` with an instance's record after each change. @returns a function that ends that */
  onChange(listener: (record: InstanceRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  changed(record: InstanceRecord): void {
    for (const listener of this.#listeners) listener(record);
  }

  /** Calls `listener` with the id of each instance that is purged. @returns a function that ends that */
  onPurge(listener: (instanceId: string) => void): () => void {
    this.#purgeListeners.add(listener);
    return () => {
      this.#purgeListeners.delete(listener);
    };
  }

  purged(instanceId: string): void {
    for (const listener of this.#purgeListeners) listener(instanceId);
  }

  /**
   * Runs a task again until storage does not fail.
   * @param what names the task in the log
   * @returns false when the engine stopped before it was done
   * @throws every error that is no {@link StorageFailure}
   */
  async retrying(what: string, task: () => Promise<void>): Promise<boolean> {
    while (!this.#isStopped) {
      try {
        await task();
        this.backOff.succeeded(what);
        return true;
      } catch (error) {
        if (this.#isStopped) break;
        if (!(error instanceof StorageFailure)) throw error;
        await this.backOff.failed(what, error);
      }
    }
    return false;
  }

  /**
   * As {@link retrying}, without a caller that waits: an error that is no failure of storage goes into the
   * log with its stack.
   */
  retryInBackground(what: string, task: () => Promise<void>): void {
    void this.running.run(async () => {
      try {
        await this.retrying(what, task);
      } catch (error) {
        this.log('error', CATEGORY, `The emulator failed at ${what}: ${stackOf(error)}`);
      }
    });
  }
}

/** The stack of an error, which begins with its name and message. */
export function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? String(error)) : String(error);
}
