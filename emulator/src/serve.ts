/** An emulator on a command line: its output, and the end of its process. */
import { writeSync } from 'node:fs';
import type { EmulatorOptions, RunningEmulator } from './emulator.js';
import { startEmulator } from './emulator.js';
import { functionList, keyList } from './function-list.js';
import { firstLine } from './log.js';

/** Starts the emulator and prints what `func start` prints. */
export async function serve(options: EmulatorOptions): Promise<RunningEmulator> {
  const emulator = await startEmulator({ ...options, lost: fail });
  const { host, hub, file } = emulator;
  process.stdout.write(`${functionList(host)}\n`);
  if (options.enforceKeys === true) process.stdout.write(`${keyList(host)}\n`);
  if (options.console !== false) process.stdout.write(`Console: ${host.origin}/_emulator\n`);
  if (file !== undefined) process.stdout.write(`Instances are kept in ${file}\n`);
  process.stdout.write(`Serving on ${host.origin} (task hub ${hub.name})\n`);
  return emulator;
}

/**
 * Calls `stop` at a signal, or at a message of the parent process, and then ends this process. At a second
 * signal the process ends at once.
 */
export function endWhenAsked(stop: () => Promise<unknown>): void {
  let asked = false;
  const end = (): void => {
    if (asked) process.exit(0);
    asked = true;
    stop().then(() => process.exit(0), fail);
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  // Windows has no signals: there, a parent process with an IPC channel sends a message.
  process.on('message', (message) => {
    if (message === 'stop') end();
  });
}

/** Prints an error as one line for a person, and ends the process. */
export function fail(error: unknown): never {
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  const line =
    code === 'EADDRINUSE'
      ? `Port ${port} is in use. Stop the program that uses it, or choose another port with --port.`
      : firstLine(error);
  writeSync(process.stderr.fd, `${line}\n`);
  process.exit(1);
}
