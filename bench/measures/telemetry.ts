/** The cost of telemetry for a workflow and for the start of the app. */
import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import type * as Emulator from '../../emulator/src/emulator.js';
import type * as Telemetry from '../../src/telemetry/index.js';
import { APP, built, median, report, timed } from '../measure.ts';

const RUNS = 1000;
const TURNS = 5;

interface Turn {
  /** Milliseconds a chain of three activities takes, by the durable client. */
  chain: number;
  /** Milliseconds to load telemetry, or to find that it is off. */
  load: number;
}

/** Measures in this process, with telemetry or without: a process loads it once. */
async function turn(): Promise<Turn> {
  const telemetry = new URL('../../dist/telemetry/index.js', import.meta.url).href;
  const { startEmulator } = await built<typeof Emulator>('emulator.js');
  const { installCoreApi } = await built<{ installCoreApi: () => unknown }>('worker/core-api.js');
  installCoreApi();
  // The app loads these with or without telemetry.
  await import('@azure/functions');
  let flush: typeof Telemetry.flush = async () => {};
  const load = await timed(async () => {
    ({ flush } = (await import(telemetry)) as typeof Telemetry);
  });
  const emulator = await startEmulator({ app: APP, port: 0, storage: 'memory' });
  const { engine } = emulator.host;
  const chains = async (): Promise<void> => {
    for (let run = 0; run < RUNS; run++) {
      await engine.startInstance({ name: 'chain', input: '""' });
      await engine.whenQuiet();
    }
  };
  await chains();
  const chain =
    (await timed(async () => {
      await chains();
      await flush();
    })) / RUNS;
  await emulator.stop();
  return { chain, load };
}

if (process.argv[2] === 'turn') {
  process.stdout.write(`${JSON.stringify(await turn())}\n`);
  process.exit(0);
}

let sent = 0;
const receiver = createServer((request, response) => {
  request
    .on('data', (part: Buffer) => {
      sent += part.length;
    })
    .once('end', () => response.end('{}'));
});
await new Promise<void>((resolve) => {
  receiver.listen(0, '127.0.0.1', resolve);
});
const OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
const take = async (settings: Record<string, string>): Promise<Turn> => {
  const { stdout } = await promisify(execFile)(process.execPath, [import.meta.filename, 'turn'], {
    env: { ...process.env, ...settings },
  });
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Turn;
};
const off: Turn[] = [];
const on: Turn[] = [];
for (let number = 0; number < TURNS; number++) {
  off.push(await take({}));
  on.push(await take({ OTEL_EXPORTER_OTLP_ENDPOINT }));
}
const of = (turns: readonly Turn[], what: keyof Turn): number => median(turns.map((each) => each[what]));
const method = `median of ${TURNS} processes each, in turns; OTLP to a receiver in another process`;
const chains = `${RUNS} chains of three activities on the memory hub, warmed, and what is left sent at the end`;
report({
  name: 'a chain with telemetry, as a multiple of one without',
  value: of(on, 'chain') / of(off, 'chain'),
  unit: '',
  better: 'lower',
  method: `${method}; ${chains}`,
});
report({
  name: 'what telemetry adds to a chain',
  value: of(on, 'chain') - of(off, 'chain'),
  unit: 'ms',
  better: 'lower',
  method: `${method}; ${chains}`,
});
report({
  name: 'what telemetry sends of a chain',
  value: sent / TURNS / RUNS / 2 / 1024,
  unit: 'kB',
  better: 'lower',
  method: 'three spans and two log records as JSON, metrics aside',
});
report({ name: 'loading telemetry', value: of(on, 'load'), unit: 'ms', better: 'lower', method });
report({
  name: 'loading telemetry that is off',
  value: of(off, 'load'),
  unit: 'ms',
  better: 'lower',
  method,
});
process.exit(0);
