/** What {@link TestApp} takes and gives. */
import type { RuntimeStatus } from '../durable/history.js';
import type { Log } from '../log.js';

/**
 * The options of {@link TestApp.start}.
 *
 * @example
 * ```ts
 * const options: TestAppOptions = {
 *   app: () => import('../src/index.js'),
 *   time: '2026-03-01T08:00:00Z',
 *   settings: { 'AzureWebJobs.Sweep.Disabled': 'true' },
 * };
 * ```
 */
export interface TestAppOptions {
  /**
   * Imports the app's entry file. The app is loaded once a process; all environments of the process share
   * what it registers. Default: the built app in `directory`.
   * @example () => import('../src/index.js')
   */
  app?: () => Promise<unknown>;
  /**
   * The folder of host.json, local.settings.json and, without `app`, of the built app. Default: the current
   * folder.
   */
  directory?: string;
  /**
   * App settings. They take precedence over local.settings.json and the process's environment; a setting
   * `AzureFunctionsJobHost__extensions__...` takes precedence over host.json, as on every host.
   */
  settings?: Record<string, string>;
  /** Where instances are kept: `memory`, or the connection string of a storage account. Default: `memory`. */
  storage?: string;
  /** The time that the clock shows at the start. Default: the real time. */
  time?: Date | string;
  /**
   * Delivers one event an episode, and replays each episode a second time at another time of day. An
   * orchestrator that answers differently fails, and the failure names the step. From 256 events on, the whole
   * history is checked when it has doubled, and at the end of the instance. So what comes after the last doubling
   * is not checked in an instance that does not end. Default: true.
   */
  verifyReplay?: boolean;
  /** Ends instances as Failed where production would leave them Running for ever. Default: true. */
  strict?: boolean;
  /** Requires keys from callers, as in Azure. Default: false. */
  enforceKeys?: boolean;
  /** Takes the log records. Default: they are dropped. */
  log?: Log;
}

/**
 * What {@link TestApp.request} sends beside the method and the URL.
 *
 * @example
 * ```ts
 * const options: RequestOptions = { headers: { 'Idempotency-Key': '42' }, body: { to: 'pat' } };
 * ```
 */
export interface RequestOptions {
  headers?: Record<string, string>;
  /** Text and bytes are sent as they are, everything else as JSON. */
  body?: unknown;
}

/**
 * An instance as a client sees it, with its JSON decoded.
 *
 * @example
 * ```ts
 * const { runtimeStatus, output }: InstanceState = await app.finished(id);
 * ```
 */
export interface InstanceState {
  /** The name of its orchestrator. */
  name: string;
  instanceId: string;
  runtimeStatus: RuntimeStatus;
  input: unknown;
  /** The result of the orchestrator, or the message with which it failed. */
  output: unknown;
  customStatus: unknown;
  createdTime: Date;
  lastUpdatedTime: Date;
}

/**
 * One call of an activity.
 *
 * @example
 * ```ts
 * const [first]: readonly ActivityCall[] = app.calls('SendReminder');
 * expect(first).toMatchObject({ input: { to: 'pat' }, at: new Date('2026-03-02T08:00:00Z') });
 * ```
 */
export interface ActivityCall {
  /** The decoded input. */
  input: unknown;
  /** The id of the instance that called the activity. */
  instanceId: string;
  /** When the call began, on the environment's clock. */
  at: Date;
}

/**
 * A span of time; the fields add up.
 *
 * @example
 * ```ts
 * const span: Duration = { days: 1, hours: 12 };
 * ```
 */
export interface Duration {
  days?: number;
  hours?: number;
  minutes?: number;
  seconds?: number;
  milliseconds?: number;
}

/**
 * A test waits for something that time does not bring. The message names what the instance waits for.
 *
 * @example
 * ```ts
 * await expect(app.finished(id)).rejects.toThrow(NeverFinishesError);
 * ```
 */
export class NeverFinishesError extends Error {
  override name = 'NeverFinishesError';
}

/**
 * The app failed outside any call: nothing caught an error or the rejection of a promise, or it called
 * `process.exit`. Under the Functions host this ends the worker. The cause is what was thrown, and the stack is
 * its stack.
 *
 * @example
 * ```ts
 * await expect(app.finished(id)).rejects.toThrow(AppFailedError);
 * ```
 */
export class AppFailedError extends Error {
  override name = 'AppFailedError';

  /** @param thrown an error, or another value that was thrown */
  constructor(thrown: unknown) {
    const text = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
    super(`The app failed outside any call, which ends the worker under the Functions host: ${text}`, {
      cause: thrown,
    });
    const frames = thrown instanceof Error ? /\n\s+at [^]*$/.exec(thrown.stack ?? '')?.[0] : undefined;
    if (frames !== undefined) this.stack = `${this.name}: ${this.message}${frames}`;
  }
}
