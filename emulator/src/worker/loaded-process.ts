import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { getCompileCacheDir } from 'node:module';
import { constants } from 'node:os';
import path from 'node:path';
import type { Log } from '../log.js';
import { OWN_FOLDER } from '../own-folder.js';
import { AppLoadError } from './app-loader.js';
import type { AnswerClient, ClientRequest } from './client-requests.js';
import type { Death, FromWorker, ToWorker } from './messages.js';
import type { FunctionDefinition, InvocationOutcome, InvocationRequest } from './types.js';
import { WorkerStoppedError } from './types.js';
import { exitText, workerExit } from './worker-exit.js';

/**
 * A small young generation, and an old one that is collected when it has doubled. With Node's 32 MB and its own rule the
 * process of an app that reads a large file grew to 440 MB, of which 36 MB were in use; now it grows to some 210 MB.
 * Arguments that the user gives win.
 */
const SMALL_HEAP = ['--max-semi-space-size=4', '--heap-growing-percent=100'];

export interface WorkerProcessOptions {
  /** The app's folder, which is the working directory of its process. */
  directory: string;
  /** The variables of the app's environment. */
  environment: Readonly<Record<string, string | undefined>>;
  /** Arguments for Node, such as `--inspect`. */
  nodeArguments: readonly string[];
  /**
   * For an app on a clock that skips: how far the clock is ahead of the machine's, in milliseconds. `Date` in the
   * app's functions answers from it.
   */
  ahead?: (() => number) | undefined;
  log: Log;
}

/** One process in which the app is loaded. */
export class LoadedProcess {
  functions: FunctionDefinition[] = [];
  streamAddress: string | undefined;
  /** Resolves with the exit code. */
  readonly ended: Promise<number>;
  death: Death | undefined;
  readonly #child: ChildProcess;
  readonly #pending = new Map<
    number,
    {
      request: InvocationRequest;
      isStateful: boolean;
      resolve: (outcome: InvocationOutcome) => void;
      reject: (error: Error) => void;
    }
  >();
  #answer: AnswerClient | undefined;
  readonly #loaded = Promise.withResolvers<void>();
  #lastId = 0;
  /**
   * How the process was killed; undefined when it was not. With `counts`, as a test of what happens then, replays
   * fail, too.
   */
  #killed: 'again' | 'counts' | undefined;

  readonly #options: WorkerProcessOptions;

  private constructor(
    options: WorkerProcessOptions,
    environment: Readonly<Record<string, string | undefined>>,
  ) {
    const { directory, nodeArguments, log } = options;
    this.#options = options;
    const cache = getCompileCacheDir();
    this.#child = fork(path.join(OWN_FOLDER, 'worker/worker-main.js'), {
      cwd: directory,
      env: { ...(cache !== undefined && { NODE_COMPILE_CACHE: cache }), ...environment },
      execArgv: [...SMALL_HEAP, ...ownArguments(process.execArgv), ...nodeArguments],
      serialization: 'advanced',
    });
    // After a message that waited for the pipe, Node no longer keeps this process alive for the channel. Then it
    // could end before 'disconnect' comes.
    this.#child.channel?.ref();
    // A message that comes before the end of the process may be read after it.
    this.ended = Promise.all([
      once(this.#child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>,
      once(this.#child, 'disconnect'),
    ]).then(([[code, signal]]) => code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    this.#child.on('message', (message: FromWorker) => {
      this.#take(message, log);
    });
    void this.ended.then((code) => {
      const { cause, uncaught, place } = this.death ?? {};
      const reason = uncaught === undefined ? (cause ?? exitText(code)) : uncaught.split('\n')[0];
      this.#loaded.reject(
        new AppLoadError(
          `The app ended its process while it was loaded: ${reason}${place === undefined ? '' : ` (${place})`}`,
        ),
      );
    });
  }

  /** @param begun called when the process exists @throws AppLoadError */
  static async start(
    options: WorkerProcessOptions,
    environment: Readonly<Record<string, string | undefined>>,
    begun: (process: LoadedProcess) => void = () => {},
  ): Promise<LoadedProcess> {
    const loaded = new LoadedProcess(options, environment);
    begun(loaded);
    loaded.send({ type: 'load', directory: options.directory, skips: options.ahead !== undefined });
    await loaded.#loaded.promise;
    return loaded;
  }

  send(message: ToWorker): void {
    // A process that is gone takes no messages. Its end is noticed anyway.
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  /** {@inheritDoc AppWorker.connect} */
  connect(address: string, answer: AnswerClient): void {
    this.#answer = answer;
    this.send({ type: 'serves', address });
  }

  invoke(request: InvocationRequest, isStateful: boolean): Promise<InvocationOutcome> {
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<InvocationOutcome>();
    this.#pending.set(id, { request, isStateful, resolve, reject });
    this.send({ type: 'invoke', id, request, ahead: this.#options.ahead?.() ?? 0 });
    return promise;
  }

  kill(exit: 'again' | 'counts'): void {
    this.#killed = exit;
    this.#child.kill('SIGKILL');
  }

  /** Ends the invocations that the process ran when it died. @returns the names of the functions that failed */
  settle(code: number, stopping: boolean): string[] {
    const failed: string[] = [];
    for (const [id, { request, isStateful, resolve, reject }] of this.#pending) {
      if (stopping) {
        // What the host runs next, it runs in its next start.
        if (isStateful) reject(new WorkerStoppedError('The host stops.'));
        continue;
      }
      const exit = this.#killed === 'counts' || this.death?.during?.id === id ? 'counts' : 'again';
      if (exit === 'counts' || !isStateful) failed.push(request.functionName);
      resolve(workerExit({ code, exit }));
    }
    this.#pending.clear();
    return failed;
  }

  async #answerTo(id: number, request: ClientRequest): Promise<void> {
    this.send({ type: 'answer', id, response: await this.#answer?.(request) });
  }

  #take(message: FromWorker, log: Log): void {
    switch (message.type) {
      case 'loaded':
        this.functions = message.functions;
        this.streamAddress = message.streamAddress;
        this.#loaded.resolve();
        break;
      case 'notLoaded':
        this.#loaded.reject(new AppLoadError(message.text));
        break;
      case 'log':
        log(message.level, message.category, message.message);
        break;
      case 'dies':
        this.death ??= message;
        break;
      case 'request':
        void this.#answerTo(message.id, message.request);
        break;
      case 'outcome': {
        // It came too late: the invocation fails when the process has ended.
        if (this.#killed !== undefined) break;
        const pending = this.#pending.get(message.id);
        this.#pending.delete(message.id);
        pending?.resolve(pending.isStateful ? withState(message.outcome) : message.outcome);
      }
    }
  }
}

/** The outcome with the SDK's state, which came as JSON. */
function withState(outcome: InvocationOutcome): InvocationOutcome {
  if (!outcome.ok || outcome.returnValue?.json === undefined) return outcome;
  return { ...outcome, result: JSON.parse(outcome.returnValue.json) as unknown };
}

/** The arguments of this Node that the app's process gets too: not its debugger, and no program of `node -e`. */
function ownArguments(own: readonly string[]): string[] {
  const program = own.findIndex((argument) => /^(-e|--eval|-p|-pe|--print)$/.test(argument));
  return (program === -1 ? own : own.toSpliced(program, 2)).filter(
    (argument) => !/^--(inspect|input-type)/.test(argument),
  );
}
