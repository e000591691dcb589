/**
 * `npm run try-app -- DIR`: starts any app on the emulator, calls every function that can be called without knowing the
 * app, and reports what came of it. The functions run for real, with the settings of the app.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import type * as Emulator from '../emulator/src/emulator.js';
import type { RunningEmulator } from '../emulator/src/emulator.js';
import type { FunctionDefinition } from '../emulator/src/worker/types.js';

const USAGE = `Usage: npm run try-app -- DIR [--storage WHERE] [--wait SECONDS]

  DIR            the app's folder, built, with its packages installed
  --storage      a storage connection string, or "memory" (default)
  --wait         how long a call may take, in seconds (default: 10)
`;
/** How many lines of the log are printed. */
const MAX_LINES = 20;

/** One line of the report. */
interface Row {
  name: string;
  trigger: string;
  result: string;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    storage: { type: 'string', default: 'memory' },
    wait: { type: 'string', default: '10' },
    help: { type: 'boolean', default: false },
  },
});
const [directory] = positionals;
const wait = Number(values.wait) * 1000;
if (values.help || directory === undefined || positionals.length > 1 || !(wait > 0)) {
  process.stdout.write(USAGE);
  process.exit(values.help ? 0 : 1);
}

const errors: string[] = [];
try {
  await tryApp(path.resolve(directory));
  process.exit(0);
} catch (error) {
  process.stderr.write(`The app does not start: ${(error as Error).message.split('\n')[0]!}\n`);
  process.exit(1);
}

async function tryApp(app: string): Promise<void> {
  const { startEmulator } = (await import(
    new URL('../emulator/dist/emulator.js', import.meta.url).href
  )) as typeof Emulator;
  const emulator = await startEmulator({
    app,
    port: 0,
    storage: values.storage,
    log: (level, _category, message) => {
      if (level === 'error' || level === 'critical' || level === 'warning') errors.push(message);
    },
  });
  const { host } = emulator;
  const enabled = host.functions.filter((definition) => !host.isDisabled(definition));
  process.stdout.write(
    `${app}: ${host.functions.length} functions, ${host.functions.length - enabled.length} of them disabled.\n\n`,
  );
  const rows: Row[] = [];
  // One after the other: a function that ends its process must not make others fail.
  for (const definition of enabled) rows.push(await tryFunction(emulator, definition));
  process.stdout.write(table(rows));
  if (errors.length > 0)
    process.stdout.write(
      `\nWarnings and errors of the log (${errors.length}):\n\n${errors.slice(0, MAX_LINES).join('\n')}\n${errors.length > MAX_LINES ? '...\n' : ''}`,
    );
  await emulator.stop();
}

async function tryFunction(emulator: RunningEmulator, definition: FunctionDefinition): Promise<Row> {
  const { name, trigger, problem } = definition;
  const row = (result: string): Row => ({ name, trigger: trigger.type, result });
  if (problem !== undefined) return row(`not called. ${problem}`);
  switch (trigger.type) {
    case 'httpTrigger':
      return row(await request(emulator, definition));
    case 'orchestrationTrigger':
      return row(await orchestrate(emulator, name));
    case 'timerTrigger': {
      const outcome = await inTime(emulator.host.run(name, '')!);
      if (outcome === undefined) return row(`still runs after ${values.wait} s`);
      return row(outcome.ok ? 'succeeded' : `failed: ${firstLine(outcome.message)}`);
    }
    case 'activityTrigger':
      return row('called by orchestrations');
    case 'entityTrigger':
      return row('not called: it needs an operation');
    case 'queueTrigger':
      return row('not called: it needs a message');
    case 'blobTrigger':
      return row('not called: it needs a blob');
    default:
      return row('not called');
  }
}

/** Calls an HTTP function without a body. Of a route's parameters, only the name of an orchestrator is known. */
async function request({ host }: RunningEmulator, definition: FunctionDefinition): Promise<string> {
  const { methods, url } = host.httpFunctions.find(({ name }) => name === definition.name)!;
  const orchestrator = [...host.worker.functions.values()].find(
    ({ trigger }) => trigger.type === 'orchestrationTrigger',
  )?.name;
  const address = url
    .replaceAll(/\{[^{}=?]+(?:\?|=([^{}]*))\}|\{\*[^{}]*\}/g, (_, value: string | undefined) => value ?? '')
    .replaceAll(/\{(?:orchestrator|function)[^{}]*\}/gi, (parameter) => orchestrator ?? parameter);
  const missing = /\{[^{}]+\}/.exec(address)?.[0];
  if (missing !== undefined) return `not called: its route needs ${missing}`;
  const method = methods.includes('GET') ? 'GET' : methods[0]!;
  const call = `${method} ${new URL(address).pathname}`;
  try {
    const response = await fetch(address, { method, redirect: 'manual', signal: AbortSignal.timeout(wait) });
    const { byteLength } = await response.arrayBuffer();
    return `${call}: ${response.status}, ${byteLength} bytes`;
  } catch (error) {
    return `${call}: no response, ${firstLine((error as Error).message)}`;
  }
}

/** Starts an orchestration without input, and waits for its end. */
async function orchestrate({ host: { engine } }: RunningEmulator, name: string): Promise<string> {
  const id = await engine.startInstance({ name, input: '""' });
  const { promise: ended, resolve } = Promise.withResolvers<boolean>();
  const look = async (): Promise<void> => {
    const record = await engine.getRecord(id);
    if (record !== undefined && /Completed|Failed|Terminated/.test(record.runtimeStatus)) resolve(true);
  };
  const stop = engine.onChange((record) => {
    if (record.instanceId === id) void look();
  });
  await look();
  await inTime(ended);
  stop();
  const record = await engine.getRecord(id);
  if (record === undefined) return 'started, and purged';
  const status = `started without input: ${record.runtimeStatus}`;
  if (record.runtimeStatus === 'Completed') return status;
  if (record.runtimeStatus === 'Failed') return `${status}, ${firstLine(record.output ?? '')}`;
  const waitsFor = engine.waitsFor(id);
  await engine.terminate(id, 'try-app ends');
  return `${status} after ${values.wait} s${waitsFor.length === 0 ? '' : `: it waits for ${waitsFor.join(' and ')}`}`;
}

async function inTime<T>(task: Promise<T>): Promise<T | undefined> {
  let timeout: NodeJS.Timeout | undefined;
  const tooLong = new Promise<undefined>((resolve) => {
    timeout = setTimeout(resolve, wait, undefined);
  });
  try {
    return await Promise.race([task, tooLong]);
  } finally {
    clearTimeout(timeout);
  }
}

function firstLine(text: string): string {
  return text.split('\n')[0]!.slice(0, 200);
}

function table(rows: readonly Row[]): string {
  const width = (column: 'name' | 'trigger'): number => Math.max(...rows.map((row) => row[column].length), 8);
  return rows
    .map(
      ({ name, trigger, result }) =>
        `${name.padEnd(width('name'))}  ${trigger.padEnd(width('trigger'))}  ${result}\n`,
    )
    .join('');
}
