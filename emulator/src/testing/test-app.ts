import type { RecordedHistory } from '../durable/replay/recorded-history.js';
import { replayHistory } from '../durable/replay/replay.js';
import type { Handler } from '../worker/core-api.js';
import { startEnvironment, type Environment } from './environment.js';
import type { ActivityCall, Duration, InstanceState, TestAppOptions } from './options.js';
import { Skipping } from './skipping.js';
import { TestClient } from './test-client.js';

/**
 * An app with a clock, a task hub, settings and replaced activities of its own. The clock does not move except
 * in {@link skip} and {@link finished}. In the app's functions, `new Date()` and `process.env` answer from
 * here; `setTimeout` is real.
 *
 * @example
 * ```ts
 * await using app = await TestApp.start({ app: () => import('../src/index.js') });
 * await app.start('Reminders', { to: 'pat' });
 * await app.skip({ days: 45 });
 * expect(app.calls('SendReminder')).toHaveLength(10);
 * ```
 */
export class TestApp extends TestClient implements AsyncDisposable {
  readonly #environment: Environment;
  readonly #skipping: Skipping;

  private constructor(environment: Environment, skipping: Skipping) {
    super(environment, skipping);
    this.#environment = environment;
    this.#skipping = skipping;
  }

  /**
   * Starts an environment.
   * @throws AppLoadError, ConfigError, HubUnavailableError
   * @example await using app = await TestApp.start({ directory: '.', time: '2026-03-01T08:00:00Z' });
   */
  static async start(options: TestAppOptions = {}): Promise<TestApp> {
    const environment = await startEnvironment(options);
    return new TestApp(environment, new Skipping(environment.host, environment.clock, environment));
  }

  /**
   * The time as the app sees it.
   * @example expect(app.now).toEqual(new Date('2026-03-11T08:00:00Z'));
   */
  get now(): Date {
    return new Date(this.#environment.clock.now());
  }

  /**
   * Replays a recorded history on the app's code as it is now; only the orchestrator function runs. It
   * resolves when a running instance with this history would continue after a deployment of this code: the
   * code schedules what the history says, no more and no less, and ends as it ended. Inputs and outputs may
   * differ.
   * @throws HistoryMismatchError that names the step
   * @throws UnreadableHistoryError
   * @example await app.replay(JSON.parse(await readFile('test/histories/approved.json', 'utf8')));
   */
  async replay(history: RecordedHistory): Promise<void> {
    const { host, verifyReplay } = this.#environment;
    await replayHistory(history, {
      sdk: host.sdk,
      ...(verifyReplay !== undefined && { replay: verifyReplay }),
    });
  }

  // ---- functions ------------------------------------------------------------------------------------------

  /**
   * Runs a timer, queue or blob function at once, without its trigger, and waits until nothing runs. A retry
   * waits for skipped time.
   * @param message for a queue function: text is sent as it is, everything else as JSON; for a blob function the
   * path of the blob: `orders/42.json`
   * @throws Error when the function fails; the cause is what it threw
   * @example await app.run('OnOrder', { order: 42 });
   */
  async run(name: string, message?: unknown): Promise<void> {
    const input = typeof message === 'string' ? message : (JSON.stringify(message) ?? '');
    const running = this.#environment.host.run(name, input);
    if (running === undefined) {
      const setting = this.#environment.host.worker.disabledBy(name);
      throw new Error(
        setting === undefined
          ? `The app has no timer, queue or blob function named '${name}'.`
          : `The setting ${setting} disables the function '${name}'.`,
      );
    }
    running.catch(() => {});
    await this.quiet();
    const outcome = await Promise.race([running, Promise.resolve()]);
    if (outcome?.ok === false)
      throw new Error(`'${name}' failed: ${outcome.message}`, { cause: outcome.error });
  }

  /**
   * Runs `handler` in place of an activity, or another function, in this environment only. Names ignore case.
   * In place of `BuiltIn::HttpActivity` it answers the requests of `callHttp`: it gets an {@link HttpCall}
   * and returns an {@link HttpAnswer}.
   * @throws Error when the app has no such function; the message lists the names that it has
   * @example app.replace('SendReminder', () => { throw new Error('no mail today'); });
   */
  replace<Input>(name: string, handler: (input: Input) => unknown): void {
    this.#environment.activities.replace(name, handler as Handler);
  }

  /**
   * Runs the app's own function again.
   * @example app.restore('SendReminder');
   */
  restore(name: string): void {
    this.#environment.activities.restore(name);
  }

  /**
   * The calls of an activity in the order in which they began, replaced ones included.
   * @example expect(app.calls('SendReminder').map(({ input }) => input)).toEqual([{ to: 'pat', day: 1 }]);
   */
  calls(name: string): readonly ActivityCall[] {
    return this.#environment.activities.callsOf(name);
  }

  /**
   * Ends what runs as a crash of the worker in Azure does: activities fail, HTTP functions answer 500, an
   * orchestration in mid-episode becomes Failed. Instances that wait are not touched.
   * @param during the name of a function: the crash comes when it runs next. Default: now
   * @throws Error when the app has no such function
   * @example
   * await app.crashWorker({ during: 'Reminders' });
   * expect(await app.finished(id)).toMatchObject({ runtimeStatus: 'Failed' });
   */
  async crashWorker({ during }: { during?: string } = {}): Promise<void> {
    const { app } = this.#environment;
    if (during !== undefined && app.find(during) === undefined)
      throw new Error(
        `The app has no function named '${during}'. It has: ${[...app.functions.keys()].toSorted().join(', ')}.`,
      );
    app.crash(during);
    if (during === undefined) await this.quiet();
  }

  // ---- time -----------------------------------------------------------------------------------------------

  /**
   * Lets time pass: by a span, or, with `idle`, until nothing is due except timer functions, which never end.
   * The clock jumps from one due time to the next, and only when nothing runs.
   * @throws NeverFinishesError when `idle` is not reached
   * @example await app.skip({ days: 10 });
   */
  async skip(by: Duration | 'idle'): Promise<void> {
    await this.#skipping.skip(by);
  }

  /**
   * Lets time pass until an instance has finished.
   * @throws NeverFinishesError when it waits for something that time does not bring
   * @example expect((await app.finished(id)).output).toBe('approved');
   */
  async finished(instanceId: string): Promise<InstanceState> {
    return this.#skipping.finished(instanceId);
  }

  /**
   * Stops the environment. `await using` calls it at the end of the block.
   * @throws AppFailedError when the app has failed outside any call, and no other method has thrown that
   * @example await app.stop();
   */
  async stop(): Promise<void> {
    const { host, failures, keepMemory } = this.#environment;
    keepMemory();
    await host.stop();
    failures.check();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
