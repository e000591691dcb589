/** An emulator on a command line: what it prints, and how its process ends. */
import { writeSync } from 'node:fs';
import type { EmulatorOptions, RunningEmulator } from './emulator.js';
import { startEmulator } from './emulator.js';
import { functionList, keyList } from './function-list.js';

/** Starts the emulator and prints what `func start` prints. */
export async function serve(options: EmulatorOptions): Promise<RunningEmulator> {
  const emulator = await startEmulator({ ...options, lost: fail });
  const { host, hub } = emulator;
  process.stdout.write(`${functionList(host)}\n`);
  if (options.enforceKeys === true) process.stdout.write(`${keyList(host)}\n`);
  process.stdout.write(`Serving on ${host.origin} (task hub ${hub.name})\n`);
  return emulator;
}

/** Calls `stop` when a person or the parent wants this process to end, and ends it then. Asked a second time, it does not wait. */
export function endWhenAsked(stop: () => Promise<unknown>): void {
  let asked = false;
  const end = (): void => {
    if (asked) process.exit(0);
    asked = true;
    stop().then(() => process.exit(0), fail);
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  // A parent that starts us with a channel stops us where there are no signals.
  process.on('message', (message) => {
    if (message === 'stop') end();
  });
}

/** Ends the process with one line for a person, whatever went wrong. */
export function fail(error: unknown): never {
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  const line =
    code === 'EADDRINUSE'
      ? `Port ${port} is in use: stop what runs there, or choose another with --port.`
      : (error instanceof Error ? error.message : String(error)).split('\n')[0];
  writeSync(process.stderr.fd, `${line}\n`);
  process.exit(1);
}
