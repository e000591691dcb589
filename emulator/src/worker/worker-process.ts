import { setTimeout as sleep } from 'node:timers/promises';
import type { AnswerClient } from './client-requests.js';
import type { WorkerProcessOptions } from './loaded-process.js';
import { LoadedProcess } from './loaded-process.js';
import type { Death } from './messages.js';
import type { AppWorker, FunctionDefinition, InvocationOutcome, InvocationRequest } from './types.js';
import { WorkerStoppedError } from './types.js';
import { exitText } from './worker-exit.js';

const CATEGORY = 'Host.Worker';
/**
 * After so many deaths in a minute the real host ends. Here, the app is loaded again after a pause. Deaths that a
 * call caused do not count: they come as often as the call.
 */
const DEATHS = 3;
const MINUTE = 60_000;
/** The shortest and the longest pause, in milliseconds. */
const PAUSE = 1000;
const LONGEST_PAUSE = 30_000;

/** The trigger types whose functions return state of the SDK to the host. */
const STATEFUL: ReadonlySet<string> = new Set(['orchestrationTrigger', 'entityTrigger']);

/** Somebody who waits until the app is loaded again. */
interface Waiting {
  resolve: (process: LoadedProcess) => void;
  reject: (error: Error) => void;
  isStateful: boolean;
}

/**
 * Runs an app in a process of its own, as the Functions host does. When that process dies, the functions that
 * it ran fail, the app is loaded into another process, and later calls wait for that.
 */
export class WorkerProcess implements AppWorker {
  readonly functions: ReadonlyMap<string, FunctionDefinition>;
  readonly streamAddress: (() => Promise<string>) | undefined;
  readonly #lowerCase: ReadonlyMap<string, FunctionDefinition>;
  readonly #options: WorkerProcessOptions;
  readonly #environment: Record<string, string | undefined>;
  readonly #waiting = new Set<Waiting>();
  /** When processes died in the last minute, in milliseconds. */
  #deaths: number[] = [];
  #current: LoadedProcess | undefined;
  #loading: LoadedProcess | undefined;
  #crashDuring: string | undefined;
  #connect: (loaded: LoadedProcess) => void = () => {};
  #stopping = false;

  private constructor(options: WorkerProcessOptions, first: LoadedProcess) {
    this.#options = options;
    this.#environment = { ...options.environment };
    this.functions = new Map(first.functions.map((definition) => [definition.name, definition]));
    this.#lowerCase = new Map(
      first.functions.map((definition) => [definition.name.toLowerCase(), definition]),
    );
    this.streamAddress =
      first.streamAddress === undefined
        ? undefined
        : async () => (await this.#loaded(false)).streamAddress ?? '';
    this.#current = first;
    void this.#keepRunning(first);
  }

  /** Loads the app. @throws AppLoadError */
  static async start(options: WorkerProcessOptions): Promise<WorkerProcess> {
    return new WorkerProcess(options, await LoadedProcess.start(options, options.environment));
  }

  find(name: string): FunctionDefinition | undefined {
    return this.#lowerCase.get(name.toLowerCase());
  }

  async invoke(request: InvocationRequest): Promise<InvocationOutcome> {
    const { trigger } = this.functions.get(request.functionName)!;
    const isStateful = STATEFUL.has(trigger.type);
    const outcome = (this.#current ?? (await this.#loaded(isStateful))).invoke(request, isStateful);
    if (this.#crashDuring === request.functionName.toLowerCase()) this.crash();
    return outcome;
  }

  /** Sets a variable of the app's environment, now and after each restart. */
  setVariable(name: string, value: string): void {
    this.#environment[name] = value;
    for (const loaded of [this.#current, this.#loading]) loaded?.send({ type: 'set', name, value });
  }

  connect(address: string, answer: AnswerClient): void {
    this.#connect = (loaded) => {
      loaded.connect(address, answer);
    };
    if (this.#current !== undefined) this.#connect(this.#current);
  }

  /** {@inheritDoc AppWorker.crash} */
  crash(during?: string): void {
    this.#crashDuring = during?.toLowerCase();
    if (during === undefined) this.#current?.kill('counts');
  }

  /** {@inheritDoc AppWorker.restart} */
  restart(): void {
    this.#current?.kill('again');
  }

  /** {@inheritDoc AppWorker.hostStops} */
  hostStops(): void {
    this.#stopping = true;
    for (const waiting of this.#waiting)
      if (waiting.isStateful) waiting.reject(new WorkerStoppedError('The host stops.'));
  }

  /** Runs the app's appTerminate hooks, and ends its process. */
  async stop(): Promise<void> {
    this.hostStops();
    this.#loading?.kill('again');
    this.#current?.send({ type: 'terminate' });
    await (this.#current ?? this.#loading)?.ended;
  }

  /** The process that runs the app, as soon as there is one. */
  async #loaded(isStateful: boolean): Promise<LoadedProcess> {
    if (this.#current !== undefined) return this.#current;
    const { promise, resolve, reject } = Promise.withResolvers<LoadedProcess>();
    const waiting: Waiting = { resolve, reject, isStateful };
    this.#waiting.add(waiting);
    if (this.#stopping) this.hostStops();
    try {
      return await promise;
    } finally {
      this.#waiting.delete(waiting);
    }
  }

  async #keepRunning(first: LoadedProcess): Promise<void> {
    for (let loaded: LoadedProcess | undefined = first; loaded !== undefined;) {
      const code = await loaded.ended;
      this.#current = undefined;
      const failed = loaded.settle(code, this.#stopping);
      if (this.#stopping) return;
      this.#logDeath(code, loaded.death, failed);
      loaded = await this.#startAgain(loaded.death?.during === undefined);
      if (this.#stopping) {
        loaded?.kill('again');
        return;
      }
      if (loaded !== undefined) this.#connect(loaded);
      this.#current = loaded;
      if (loaded !== undefined) for (const { resolve } of this.#waiting) resolve(loaded);
    }
  }

  /** @param byItself whether no call caused the death, so that it may come again at once */
  async #startAgain(byItself: boolean): Promise<LoadedProcess | undefined> {
    for (let counts = byItself; !this.#stopping; counts = true) {
      const pause = counts ? this.#pause() : 0;
      if (pause > 0) await sleep(pause, undefined, { ref: false });
      if (this.#stopping) break;
      try {
        const loaded = await LoadedProcess.start(this.#options, this.#environment, (process) => {
          this.#loading = process;
        });
        const changed = JSON.stringify(loaded.functions) !== JSON.stringify([...this.functions.values()]);
        this.#options.log(
          changed ? 'warning' : 'information',
          CATEGORY,
          changed
            ? 'The app is loaded again, and its functions have changed: restart the emulator, so that the changes count.'
            : 'The app is loaded again.',
        );
        return loaded;
      } catch (error) {
        this.#options.log('error', CATEGORY, (error as Error).message);
      } finally {
        this.#loading = undefined;
      }
    }
    return undefined;
  }

  /** How long to wait before the app is loaded again: no time at all, but for an app that dies again and again. */
  #pause(): number {
    const now = performance.now();
    this.#deaths = [...this.#deaths.filter((at) => now - at < MINUTE), now];
    const more = this.#deaths.length - DEATHS;
    if (more <= 0) return 0;
    const pause = Math.min(PAUSE * 2 ** (more - 1), LONGEST_PAUSE);
    this.#options.log(
      'error',
      CATEGORY,
      `The app has died ${this.#deaths.length} times within a minute. The Functions host would end now ("Exceeded language worker restart retry count for runtime:node. Shutting down and proactively recycling the Functions Host to recover"). The emulator loads the app again in ${pause / 1000} s.`,
    );
    return pause;
  }

  #logDeath(code: number, death: Death | undefined, failed: readonly string[]): void {
    const { log } = this.#options;
    if (death?.uncaught !== undefined)
      log(
        'error',
        'Worker',
        `Worker uncaught exception (learn more: https://go.microsoft.com/fwlink/?linkid=2097909 ): ${death.uncaught}`,
      );
    const { cause, place, during } = death ?? {};
    const where = [place, during && `started by the function '${during.functionName}'`].filter(
      (part) => part !== undefined,
    );
    const sentences = [
      exitText(code),
      ...(cause === undefined ? [] : [cause + (where.length === 0 ? '' : ` (${where.join(', ')})`)]),
      failed.length === 0
        ? 'No function has failed'
        : `The functions that ran have failed: ${failed.join(', ')}`,
      'The emulator loads the app again',
    ];
    log('error', CATEGORY, `${sentences.join('. ')}.`);
  }
}
