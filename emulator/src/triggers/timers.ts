import { setTimeout as sleep } from 'node:timers/promises';
import type { Cancel, Clock } from '../durable/clock.js';
import { firstLine, type Log } from '../log.js';
import { RunningTasks } from '../running-tasks.js';
import type { FunctionDefinition, TypedData } from '../worker/types.js';
import { UnsupportedBindingError } from './bindings.js';
import type { ScheduleStatus, ScheduleStatuses } from './schedule-statuses.js';
import { statusJson, UNKNOWN } from './schedule-statuses.js';
import type { Schedule } from './schedules.js';
import { parseSchedule } from './schedules.js';

export interface TimersOptions {
  clock: Clock;
  log: Log;
  statuses: ScheduleStatuses;
  /** The IANA name of the schedules' time zone. */
  timeZone: string;
  /**
   * Runs a timer function to its end. It does not reject when the function fails. The real host sends trigger
   * metadata, too, but `@azure/functions` passes none to timer functions.
   */
  run: (definition: FunctionDefinition, inputData: Record<string, TypedData>) => Promise<unknown>;
}

/** A timer function and its schedule. Times are milliseconds since the epoch. */
export interface TimerState {
  name: string;
  /** As the host logs it: `Cron: '0 0 * * * *'`. */
  schedule: string;
  next: number | undefined;
  last: number | undefined;
}

const CATEGORY = 'Host.Triggers.Timer';
/** How long functions may go on when the host stops, in milliseconds. */
const GRACE = 2000;

/** The timer functions of one app. */
export class Timers {
  readonly #timers: Map<string, Timer>;
  readonly #writes = new RunningTasks();

  /** @throws UnsupportedBindingError for an invalid schedule */
  constructor(definitions: readonly FunctionDefinition[], options: TimersOptions) {
    this.#timers = new Map(
      definitions.map((definition) => [definition.name, new Timer(definition, options, this.#writes)]),
    );
  }

  /** The timer functions with their next and last runs. */
  list(): TimerState[] {
    return [...this.#timers.values()].map((timer) => timer.state);
  }

  /** The input of a timer function that runs without its schedule. */
  input(functionName: string): TypedData {
    return this.#timers.get(functionName)!.input(false);
  }

  /** Resolves when the statuses are read. Functions that have to run at once have begun then. */
  async start(): Promise<void> {
    await Promise.all([...this.#timers.values()].map((timer) => timer.start()));
  }

  /** Whether a status is being written. */
  get isBusy(): boolean {
    return this.#writes.any;
  }

  /** Resolves when no status is being written. */
  async whenQuiet(): Promise<void> {
    await this.#writes.finished();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#timers.values()].map((timer) => timer.stop()));
  }
}

/**
 * Runs one function on its schedule, as the Timers extension does: never twice at once, and once for all
 * missed runs together.
 */
class Timer {
  readonly #definition: FunctionDefinition;
  readonly #options: TimersOptions;
  readonly #schedule: Schedule;
  /** Whether its status is stored. */
  readonly #monitored: boolean;
  #status: ScheduleStatus | undefined;
  #running: Promise<void> = Promise.resolve();
  /** Resolves when the last status is written. */
  #written: Promise<void> = Promise.resolve();
  readonly #writes: RunningTasks;
  #cancel: Cancel = () => {};
  #stopped = false;

  constructor(definition: FunctionDefinition, options: TimersOptions, writes: RunningTasks) {
    const { name, trigger } = definition;
    const text = String(trigger['schedule']);
    const schedule = parseSchedule(text, options.timeZone);
    if (schedule === undefined)
      throw new UnsupportedBindingError(
        `The function '${name}' has the schedule '${text}', which is neither a valid cron expression nor a time span.`,
      );
    this.#definition = definition;
    this.#options = options;
    this.#writes = writes;
    this.#schedule = schedule;
    this.#monitored = trigger['useMonitor'] !== false && !schedule.frequent;
  }

  get state(): TimerState {
    const { last = UNKNOWN, next } = this.#status ?? {};
    return {
      name: this.#definition.name,
      schedule: this.#schedule.description,
      next,
      last: last === UNKNOWN ? undefined : last,
    };
  }

  async start(): Promise<void> {
    const { clock, log } = this.#options;
    const { name, trigger } = this.#definition;
    const now = clock.now();
    const stored = this.#monitored ? await this.#read() : undefined;
    this.#status =
      stored === undefined
        ? { last: UNKNOWN, next: this.#schedule.next(now), lastUpdated: UNKNOWN }
        : this.#onThisSchedule(stored, now);
    // The status of a new timer is stored before its first run, so that this run cannot be missed.
    if (this.#monitored && this.#status !== stored)
      this.#write({ ...this.#status, lastUpdated: stored === undefined ? now : this.#status.lastUpdated });
    log(
      'debug',
      CATEGORY,
      `The next occurrence of the '${name}' schedule (${this.#schedule.description}) will be: ${new Date(this.#status.next).toISOString()}`,
    );
    if (this.#monitored && now > this.#status.next) {
      log('information', CATEGORY, `Function '${name}' is past due on startup. Executing now.`);
      this.#run(true);
    } else if (trigger['runOnStartup'] === true) {
      log('information', CATEGORY, `Function '${name}' is configured to run on startup. Executing now.`);
      this.#run(false);
    } else {
      this.#arm();
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await Promise.race([this.#running, sleep(GRACE, undefined, { ref: false })]);
    await this.#written;
  }

  /**
   * Computes the status again when the schedule has changed. Past runs of the new schedule were not missed.
   */
  #onThisSchedule(stored: ScheduleStatus, now: number): ScheduleStatus {
    let lastUpdated =
      stored.last !== UNKNOWN ? stored.last : stored.lastUpdated !== UNKNOWN ? stored.lastUpdated : now;
    let next = this.#schedule.next(lastUpdated);
    if (next === stored.next) return stored;
    if (now > next) [next, lastUpdated] = [this.#schedule.next(now), now];
    return { last: UNKNOWN, next, lastUpdated };
  }

  input(isPastDue: boolean): TypedData {
    const status =
      this.#monitored && this.#status !== undefined ? statusJson(this.#status, this.#options.timeZone) : null;
    return {
      json: JSON.stringify({
        Schedule: { AdjustForDST: this.#schedule.onWallClock },
        ScheduleStatus: status,
        IsPastDue: isPastDue,
      }),
    };
  }

  #arm(): void {
    if (!this.#stopped)
      this.#cancel = this.#options.clock.schedule(
        this.#status!.next,
        () => {
          this.#run(false);
        },
        true,
      );
  }

  #run(isPastDue: boolean): void {
    if (!this.#stopped) this.#running = this.#tick(isPastDue);
  }

  async #tick(isPastDue: boolean): Promise<void> {
    const { clock, run } = this.#options;
    const at = clock.now();
    await run(this.#definition, { [this.#definition.trigger.name]: this.input(isPastDue) });
    this.#status = { last: at, next: this.#schedule.next(at), lastUpdated: at };
    this.#arm();
    if (this.#monitored) this.#write(this.#status);
  }

  async #read(): Promise<ScheduleStatus | undefined> {
    try {
      return await this.#options.statuses.read(this.#definition.name);
    } catch (error) {
      this.#complain('read', error);
      return undefined;
    }
  }

  /** Writes one status at a time: a later one is not overtaken. */
  #write(status: ScheduleStatus): void {
    const earlier = this.#written;
    this.#written = this.#writes.run(async () => {
      await earlier;
      try {
        await this.#options.statuses.write(this.#definition.name, status);
      } catch (error) {
        this.#complain('write', error);
      }
    });
  }

  #complain(what: string, error: unknown): void {
    this.#options.log(
      'error',
      CATEGORY,
      `The host cannot ${what} when the function '${this.#definition.name}' ran last: ${firstLine(error)}`,
    );
  }
}
