#!/usr/bin/env node
import { parseArgs } from 'node:util';
import type { EmulatorOptions } from './emulator.js';
import { startEmulator } from './emulator.js';
import { functionList, keyList } from './function-list.js';

const USAGE = `Usage: emulator start [options]

  --app DIR        the app's folder, built (default: this one)
  --port N         default: Host.LocalHttpPort of local.settings.json, else 7071; 0 for any free port
  --storage WHERE  a storage connection string, or "memory" (default: the app's AzureWebJobsStorage)
  --hub NAME       the task hub (default: host.json's)
  --enforce-keys   ask callers for keys, as Azure does
  --strict         end instances as Failed where production would leave them hanging
  --verbose        say what the host does in detail
`;

const verbose = process.argv.includes('--verbose');

try {
  await main();
} catch (error) {
  process.stderr.write(`${verbose && error instanceof Error ? error.stack : failureLine(error)}\n`);
  process.exit(1);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      app: { type: 'string', default: '.' }, port: { type: 'string' }, storage: { type: 'string' }, hub: { type: 'string' },
      'enforce-keys': { type: 'boolean', default: false }, strict: { type: 'boolean', default: false },
      verbose: { type: 'boolean', default: false }, help: { type: 'boolean', default: false },
    },
  });
  if (values.help || positionals.join(' ') !== 'start') {
    process.stdout.write(USAGE);
    process.exit(values.help ? 0 : 1);
  }
  const port = values.port === undefined ? undefined : Number(values.port);
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535)) throw new Error(`'${values.port}' is not a port.`);
  const options: EmulatorOptions = {
    app: values.app, enforceKeys: values['enforce-keys'], strict: values.strict, verbose: values.verbose,
    lost: (reason) => {
      process.stderr.write(`${reason.message}\n`);
      process.exit(1);
    },
    ...(port !== undefined && { port }), ...(values.storage !== undefined && { storage: values.storage }), ...(values.hub !== undefined && { hub: values.hub }),
  };
  let stopping = false;
  let emulator: Awaited<ReturnType<typeof startEmulator>> | undefined;
  const stop = (): void => {
    // Asked a second time, it does not wait.
    if (stopping || emulator === undefined) process.exit(0);
    stopping = true;
    emulator.stop().then(() => process.exit(0), (error: unknown) => {
      process.stderr.write(`${failureLine(error)}\n`);
      process.exit(1);
    });
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // A parent that starts us with a channel stops us where there are no signals.
  process.on('message', (message) => { if (message === 'stop') stop(); });

  emulator = await startEmulator(options);
  process.stdout.write(`${functionList(emulator.host)}\n`);
  if (values['enforce-keys']) process.stdout.write(`${keyList(emulator.host)}\n`);
  process.stdout.write(`Serving on ${emulator.host.origin} (task hub ${emulator.hub.name})\n`);
}

/** One line for a person, whatever went wrong. */
function failureLine(error: unknown): string {
  const { code, port, message } = error as NodeJS.ErrnoException & { port?: number };
  if (code === 'EADDRINUSE') return `Port ${port} is in use: stop what runs there, or choose another with --port.`;
  return String(message ?? error).split('\n')[0]!;
}
