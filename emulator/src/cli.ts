#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { parseArgs } from 'node:util';
import type * as Serving from './serve.js';
import type { PlainOptions } from './watch/watch.js';

// It has an effect on the modules that are loaded after it, here and in the app's process.
enableCompileCache();

const USAGE = `Usage: emulator start [options]
       emulator kill-worker [--app DIR] [--port N] [--during FUNCTION] [--key MASTER]
                   ends the app's process of a running emulator, as a crash does in Azure: what runs fails,
                   and an orchestration in mid-episode becomes Failed. --during: when FUNCTION runs next
       emulator check-running URL [KEY] [--help]
                   whether the live instances of a running app continue on the code in this folder

  --app DIR        the app's folder, built (default: this one)
  --port N         default: Host.LocalHttpPort of local.settings.json, else 7071; 0 for any free port
  --storage WHERE  a storage connection string, a file FILE.db, or "memory" (default: the app's
                   AzureWebJobsStorage; when that is not set, a file in your data folder)
  --hub NAME       the task hub (default: host.json's)
  --host-names N,N names besides localhost under which callers reach the app, e.g. of a tunnel; * for any
  --enforce-keys   require keys from callers, as Azure does
  --strict         end instances as Failed where production would leave them Running for ever
  --full-replay    replay each history from its start at every episode, as Azure does
  --verbose        log what the host does in detail
  --clock skip     run on a clock that skips: see the console
  --no-console     serve no console at /_emulator
  --watch          load the app again when it changes; its instances continue
`;

const [first, ...rest] = process.argv.slice(2);
if (first === 'check-running') {
  // It needs no packages, so that a deployment can run it from a copy of this folder alone.
  const { checkRunningCommand } = await import('./check-running/command.js');
  process.exitCode = await checkRunningCommand(rest);
} else {
  const serving = await import('./serve.js');
  await main(serving).catch(serving.fail);
}

async function main({ endWhenAsked, serve }: typeof Serving): Promise<void> {
  const { command, during, key, watch, ...options } = readArguments();
  if (command === 'kill-worker')
    return (await import('./kill-worker.js')).killWorker({ ...options, during, key });
  if (watch) return (await import('./watch/watch.js')).watchApp(options);
  const starting = serve(options);
  endWhenAsked(async () => (await starting).stop());
  await starting;
}

function readArguments(): PlainOptions & {
  command: string;
  watch: boolean;
  during: string | undefined;
  key: string | undefined;
} {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    allowNegative: true,
    options: {
      app: { type: 'string', default: '.' },
      port: { type: 'string' },
      storage: { type: 'string' },
      hub: { type: 'string' },
      'host-names': { type: 'string' },
      'enforce-keys': { type: 'boolean', default: false },
      strict: { type: 'boolean', default: false },
      'full-replay': { type: 'boolean', default: false },
      verbose: { type: 'boolean', default: false },
      watch: { type: 'boolean', default: false },
      during: { type: 'string' },
      key: { type: 'string' },
      clock: { type: 'string' },
      console: { type: 'boolean', default: true },
      help: { type: 'boolean', default: false },
    },
  });
  const command = positionals.join(' ');
  if (values.help || !['start', 'kill-worker'].includes(command)) {
    process.stdout.write(USAGE);
    process.exit(values.help ? 0 : 1);
  }
  const { app, port, storage, hub, strict, verbose, watch, during, key, clock, console } = values;
  if (port !== undefined && !(/^\d+$/.test(port) && Number(port) <= 65_535))
    throw new Error(`'${port}' is not a port.`);
  if (clock !== undefined && clock !== 'skip')
    throw new Error(`There is no clock '${clock}': the only one to choose is 'skip'.`);
  return {
    app,
    strict,
    verbose,
    watch,
    command,
    during,
    key,
    console,
    ...(clock !== undefined && { clock }),
    enforceKeys: values['enforce-keys'],
    fullReplay: values['full-replay'],
    ...(port !== undefined && { port: Number(port) }),
    ...(storage !== undefined && { storage }),
    ...(hub !== undefined && { hub }),
    ...(values['host-names'] !== undefined && { hostNames: values['host-names'].split(',') }),
  };
}
