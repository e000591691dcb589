#!/usr/bin/env node
import { writeSync } from 'node:fs';
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

try {
  await main();
} catch (error) {
  fail(error);
}

async function main(): Promise<void> {
  const options = readArguments();
  const starting = startEmulator(options);
  let asked = false;
  const stop = (): void => {
    // Asked a second time, it does not wait.
    if (asked) process.exit(0);
    asked = true;
    starting.then((emulator) => emulator.stop()).then(() => process.exit(0), fail);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // A parent that starts us with a channel stops us where there are no signals.
  process.on('message', (message) => { if (message === 'stop') stop(); });

  const { host, hub } = await starting;
  process.stdout.write(`${functionList(host)}\n`);
  if (options.enforceKeys === true) process.stdout.write(`${keyList(host)}\n`);
  process.stdout.write(`Serving on ${host.origin} (task hub ${hub.name})\n`);
}

function readArguments(): EmulatorOptions {
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
  const { app, port, storage, hub, strict, verbose } = values;
  if (port !== undefined && !(/^\d+$/.test(port) && Number(port) <= 65_535)) throw new Error(`'${port}' is not a port.`);
  return {
    app, strict, verbose, enforceKeys: values['enforce-keys'], lost: fail,
    ...(port !== undefined && { port: Number(port) }), ...(storage !== undefined && { storage }), ...(hub !== undefined && { hub }),
  };
}

/** Ends with one line for a person, whatever went wrong. */
function fail(error: unknown): never {
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  const line = code === 'EADDRINUSE'
    ? `Port ${port} is in use: stop what runs there, or choose another with --port.`
    : (error instanceof Error ? error.message : String(error)).split('\n')[0];
  writeSync(process.stderr.fd, `${line}\n`);
  process.exit(1);
}
