import type { InvocationOutcome, WorkerExit } from './types.js';

/** How a worker part ended. */
export interface Ended {
  /** The exit code; for a signal 128 more than its number, as .NET has it. */
  code: number;
  exit: WorkerExit;
}

/** The real host's text about a worker process that has ended. */
export function exitText(code: number): string {
  return `node exited with code ${code} (0x${code.toString(16).toUpperCase()})`;
}

/** The outcome of an invocation that ran when the worker part died. */
export function workerExit({ code, exit }: Ended): Extract<InvocationOutcome, { ok: false }> {
  const message = exitText(code);
  return { ok: false, error: new Error(message), message, stackTrace: undefined, exit };
}
