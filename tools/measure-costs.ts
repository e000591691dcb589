/** `npm run measure-costs`: what each workflow costs, counted by a proxy in front of the app's storage. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type * as Emulator from '../emulator/src/emulator.js';
import { freePorts } from '../bench/measure.ts';
import { connectionString, startAzurite } from './azurite.ts';
import { costOf, type Cost, type Measurement } from './costs/costs.ts';
import { Meter } from './costs/meter.ts';
import { startProxy } from './costs/proxy.ts';
import { machine, printed, write } from './costs/report.ts';
import { timers, workflows, type Measured, type Sizes } from './costs/workflows.ts';

const root = path.resolve(import.meta.dirname, '..');
const USAGE = `Usage: npm run measure-costs -- [options]

Without --storage and --url it starts an Azurite and the emulator with the app, and skips time.

  --storage CONNECTION  the storage in front of which the proxy listens, with an account key
  --url URL             measures the app that is served there. The command prints the settings with which its host has
                        to be started, and waits for it. Workflows that take days are left out, unless the app's time
                        can be skipped (npm start -- --clock skip)
  --hub NAME            the task hub (default: DurableWorkflows)
  --ports BLOB,QUEUE,TABLE
                        the proxy's ports (default: free ones)
  --settle SECONDS      how long a real host has to be quiet before a step is taken to be done (default: 12)
  --only NAME           measures what has NAME in its name
  --runs N              runs of each workflow, after one that is not counted (default: 3)
  --lines N --readings N --devices N
                        sizes (default: 1000000, 96 and 10)
  --requests            prints the requests by table, queue and container
  --json                prints JSON
  --write               writes the figures to docs/scale.md
  --before              writes them as those of before the costs were lowered

A key of the app, where it asks for one, is read from FUNCTION_KEY.
`;
/** How long to wait for the host of --url, in seconds. */
const PATIENCE = 600;
/** Timers are measured by hand: they would disturb. */
const DISABLED = timers.map((timer) => `AzureWebJobs.${timer.function}.Disabled`);

const { values } = parseArgs({
  options: {
    storage: { type: 'string' },
    url: { type: 'string' },
    hub: { type: 'string', default: 'DurableWorkflows' },
    ports: { type: 'string', default: '0,0,0' },
    settle: { type: 'string', default: '12' },
    only: { type: 'string', default: '' },
    runs: { type: 'string', default: '3' },
    lines: { type: 'string', default: '1000000' },
    readings: { type: 'string', default: '96' },
    devices: { type: 'string', default: '10' },
    requests: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    before: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const stops: (() => Promise<unknown>)[] = [];
try {
  if (values.help) process.stdout.write(USAGE);
  else await main();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
} finally {
  for (const stop of stops.toReversed()) await stop();
}
process.exit();

async function main(): Promise<void> {
  const storage = values.storage ?? (await ownStorage());
  const [blob, queue, table] = values.ports.split(',').map(Number);
  let meter: Meter | undefined;
  const proxy = await startProxy(storage, (exchange) => meter?.see(exchange), {
    blob: blob!,
    queue: queue!,
    table: table!,
  });
  stops.push(() => proxy.stop());
  const say = (text: string): void => {
    if (!values.json) process.stdout.write(text);
  };
  if (values.url !== undefined)
    say(
      `Start the host with these settings:\n\n${['AzureWebJobsStorage', 'AppStorage'].map((name) => `${name}=${proxy.connectionString}`).join('\n')}\n${DISABLED.map((name) => `${name}=true`).join('\n')}\n\n`,
    );
  const own = values.url === undefined;
  const url = values.url ?? (await startApp(proxy.connectionString, true));
  meter = meterOf(url);
  await meter.connect(PATIENCE);
  const sizes: Sizes = {
    lines: Number(values.lines),
    readings: Number(values.readings),
    devices: Number(values.devices),
  };
  const costs: Cost[] = [];
  const measurement: Measurement = {
    on: new Date().toISOString().slice(0, 10),
    machine: machine(),
    host: own ? 'the emulator' : `the host at ${url}`,
    costs,
  };
  const take = async (cost: Cost): Promise<void> => {
    costs.push(cost);
    // At once, so that figures are kept when the command is interrupted.
    if (values.write) await write(measurement, values.before ? 'before' : 'now');
  };
  for (const workflow of workflows.filter(({ name }) => isWanted(name))) {
    if (workflow.waits && !meter.skips) {
      say(`${workflow.name} is left out: the time of this app cannot be skipped.\n`);
      continue;
    }
    await take(await measured(meter, workflow, sizes, say));
  }
  if (own)
    for (const cost of await timerCosts(proxy.connectionString, (each) => (meter = each))) await take(cost);
  process.stdout.write(values.json ? `${JSON.stringify(measurement)}\n` : printed(measurement));
}

async function measured(
  meter: Meter,
  workflow: Measured,
  sizes: Sizes,
  say: (text: string) => void,
): Promise<Cost> {
  const once = async (run: Sizes): Promise<ReturnType<Meter['end']>> => {
    const prepared = (await workflow.prepare?.(meter, run)) ?? '';
    meter.begin();
    await workflow.run(meter, run, prepared);
    return meter.end();
  };
  // The first run creates tables and queues.
  await once(workflow.once ? { lines: 10, readings: 1, devices: 1 } : sizes);
  const runs: Awaited<ReturnType<typeof once>>[] = [];
  for (let run = 0; run < (workflow.once ? 1 : Number(values.runs)); run += 1) runs.push(await once(sizes));
  if (values.requests)
    say(
      `${workflow.name}\n${[...runs[0]!.by]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, count]) => `  ${String(count).padStart(5)} ${name}\n`)
        .join('')}`,
    );
  return costOf(workflow.name, workflow.title(sizes), runs);
}

/** What the timer functions cost that have nothing to do. They run on a new start of the app, in which they are enabled. */
async function timerCosts(storage: string, use: (meter: Meter) => void): Promise<Cost[]> {
  const wanted = timers.filter(({ name }) => isWanted(name));
  if (wanted.length === 0) return [];
  await stops.pop()!();
  const meter = meterOf(await startApp(storage, false));
  use(meter);
  await meter.connect(PATIENCE);
  const costs: Cost[] = [];
  for (const { name, function: called } of wanted) {
    await meter.run(called);
    await meter.betweenTimers();
    meter.begin();
    await meter.run(called);
    costs.push(costOf(name, `the timer ${called}, once, with nothing to do`, [meter.end()]));
  }
  return costs;
}

function isWanted(name: string): boolean {
  return values.only.split(',').some((part) => name.includes(part));
}

function meterOf(url: string): Meter {
  return new Meter({ url, hub: values.hub, key: process.env['FUNCTION_KEY'], settle: Number(values.settle) });
}

/** An Azurite of its own, until the command ends. @returns its connection string */
async function ownStorage(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'costs-'));
  stops.push(() => rm(folder, { recursive: true, force: true }));
  const ports = await freePorts();
  stops.push(await startAzurite(ports, folder));
  return connectionString(ports);
}

/** Starts the app on the emulator, on a clock that skips. @returns its address */
async function startApp(storage: string, withoutTimers: boolean): Promise<string> {
  process.env['AppStorage'] = storage;
  process.env['AzureWebJobsStorage'] = storage;
  for (const name of DISABLED) process.env[name] = String(withoutTimers);
  const { startEmulator } = (await import(
    new URL('../emulator/dist/emulator.js', import.meta.url).href
  )) as typeof Emulator;
  const emulator = await startEmulator({
    app: root,
    port: 0,
    storage,
    hub: values.hub,
    clock: 'skip',
    log: () => {},
  });
  stops.push(() => emulator.stop());
  return `http://localhost:${emulator.port}`;
}
