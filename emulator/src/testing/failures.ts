/**
 * Failures of an app outside any call. Under the Functions host they end the worker process. In a test they fail
 * the test whose environment they belong to, and not the process of the test runner.
 */
import { AppFailedError } from './options.js';
import { currentScope } from '../virtual/scope.js';

/** The first failure of one environment, for those who wait for something of it. */
export class Failures {
  readonly #waiting = new Set<(error: Error) => void>();
  #first: Error | undefined;
  #isReported = false;

  /** @param thrown what was thrown, or why a promise was rejected */
  report(thrown: unknown): void {
    const error = new AppFailedError(thrown);
    if (this.#first === undefined) this.#first = error;
    for (const reject of this.#waiting) {
      this.#isReported = true;
      reject(error);
    }
  }

  /** Waits for a task, or for a failure. @throws AppFailedError, once for each failure */
  async race<T>(task: Promise<T>): Promise<T> {
    this.check();
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#waiting.add(reject);
    task.then(resolve, reject);
    try {
      return await promise;
    } finally {
      this.#waiting.delete(reject);
    }
  }

  /** @throws AppFailedError when the app has failed, and nobody was told yet */
  check(): void {
    if (this.#first === undefined || this.#isReported) return;
    this.#isReported = true;
    throw this.#first;
  }
}

let installed = false;

/**
 * Sends failures in an environment's scope to {@link Scope.failed}. All others reach the test runner, as before.
 */
export function catchFailures(): void {
  if (installed) return;
  installed = true;
  const emit = process.emit.bind(process) as (event: string, ...values: unknown[]) => boolean;
  // Node calls this method for both events. A listener would not keep the test runner from counting the failure
  // as one of its own.
  process.emit = ((event: string, ...values: unknown[]) => {
    const failed = currentScope()?.failed;
    if (failed === undefined || !['uncaughtException', 'unhandledRejection'].includes(event))
      return emit(event, ...values);
    failed(values[0]);
    return true;
  }) as typeof process.emit;
  const exit = process.exit.bind(process);
  process.exit = (code) => failInScope(`process.exit(${code ?? ''})`, () => exit(code));
  const abort = process.abort.bind(process);
  process.abort = () => failInScope('process.abort()', abort);
}

function failInScope(call: string, end: () => never): never {
  const failed = currentScope()?.failed;
  if (failed === undefined) return end();
  const error = new Error(`The app called ${call}.`);
  failed(error);
  throw error;
}
