/**
 * `npm start`: builds what is stale, starts storage and the emulator, and prints commands to try. package.json gives it
 * a small young generation: with Node's 32 MB, buffers of a large upload take 30 MB more.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync, utimesSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type * as Emulator from '../emulator/src/emulator.js';
import type * as FunctionList from '../emulator/src/function-list.js';
import { connectionString, DEFAULT_PORTS, isRunning, spaceWarning, startAzurite } from './azurite.ts';

/** The hub of host.json belongs to `func start`, and the emulator cannot share a hub with a real host. */
const HUB = 'DurableWorkflowsEmulator';

const root = path.resolve(import.meta.dirname, '..');
const USAGE = `Usage: npm start -- [options]

  --port N             the app's port (default: 7071)
  --storage-folder DIR storage's data (default: .storage)
  --blob-port N --queue-port N --table-port N
                       storage's ports; an Azurite that runs there is used (default: 10000, 10001, 10002)
  --host-names N,N     names besides localhost under which callers reach the app, e.g. of a tunnel
  --enforce-keys       ask callers for keys, as Azure does
  --clock skip         run on a clock that skips: the console has the buttons
  --no-console         serve no console at /_emulator
`;

/** What is built, and from what. */
const BUILT: Record<string, readonly string[]> = {
  'dist/.tsbuildinfo': ['src'],
  'dist/web/files.json': ['web'],
  'emulator/dist/emulator.js': ['emulator/src', 'emulator/build.ts'],
  'emulator/dist/page/index.html': ['emulator/console', 'web/timeline'],
};

try {
  await main();
} catch (error) {
  process.stderr.write(`${(error as Error).message.split('\n')[0]!}\n`);
  process.exit(1);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    allowNegative: true,
    options: {
      port: { type: 'string' },
      clock: { type: 'string' },
      console: { type: 'boolean', default: true },
      'storage-folder': { type: 'string', default: path.join(root, '.storage') },
      'blob-port': { type: 'string' },
      'queue-port': { type: 'string' },
      'table-port': { type: 'string' },
      'host-names': { type: 'string' },
      'enforce-keys': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const ports = {
    blob: Number(values['blob-port'] ?? DEFAULT_PORTS.blob),
    queue: Number(values['queue-port'] ?? DEFAULT_PORTS.queue),
    table: Number(values['table-port'] ?? DEFAULT_PORTS.table),
  };
  if (values.clock !== undefined && values.clock !== 'skip')
    throw new Error(`There is no clock '${values.clock}': the only one to choose is 'skip'.`);
  if (isStale()) build();

  const connection = connectionString(ports);
  process.env['AzureWebJobsStorage'] ??= connection;
  process.env['AppStorage'] ??= connection;
  let stopStorage = async (): Promise<void> => {};
  let stopEmulator = async (): Promise<void> => {};
  const stopBoth = async (code: number): Promise<void> => {
    try {
      await stopEmulator();
    } finally {
      await stopStorage();
    }
    process.exit(code);
  };
  const stop = (code: number): void => {
    void stopBoth(code);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      stop(0);
    });
  process.on('message', (message) => {
    if (message === 'stop') stop(0);
  });

  // Load the app while storage starts.
  const storageReady = isRunning(ports, values['storage-folder']).then(async (running) => {
    if (running) process.stdout.write(`Using the Azurite on ports ${Object.values(ports).join(', ')}.\n`);
    else {
      stopStorage = await startAzurite(ports, values['storage-folder']);
      const warning = spaceWarning(values['storage-folder']);
      if (warning !== undefined) process.stderr.write(`${warning}\n`);
    }
  });
  storageReady.catch(() => {});
  try {
    enableCompileCache();
    const { startEmulator } = (await import(
      new URL('../emulator/dist/emulator.js', import.meta.url).href
    )) as typeof Emulator;
    const emulator = await startEmulator({
      app: root,
      hub: HUB,
      storageReady,
      enforceKeys: values['enforce-keys'],
      ...(values['host-names'] !== undefined && { hostNames: values['host-names'].split(',') }),
      console: values.console,
      ...(values.clock !== undefined && { clock: 'skip' }),
      ...(values.port !== undefined && { port: Number(values.port) }),
      lost: (reason) => {
        process.stderr.write(`${reason.message}\n`);
        stop(1);
      },
    });
    stopEmulator = () => emulator.stop();
    const { functionList } = (await import(
      new URL('../emulator/dist/function-list.js', import.meta.url).href
    )) as typeof FunctionList;
    process.stdout.write(`${functionList(emulator.host)}\n`);
    if (values['enforce-keys']) process.stdout.write(`Host key: ${emulator.keys.host}\n\n`);
    process.stdout.write(whatToTry(emulator.host.origin, values.console));
  } catch (error) {
    await storageReady.catch(() => {});
    await stopStorage();
    throw error;
  }
}

/** Whether something is not built, or older than what it is built from. */
function isStale(): boolean {
  return Object.entries(BUILT).some(([built, sources]) => {
    const file = path.join(root, built);
    if (!existsSync(file)) return true;
    const { mtimeMs } = statSync(file);
    return [...sources, 'package.json'].some((source) => newest(path.join(root, source)) > mtimeMs);
  });
}

function newest(file: string): number {
  const stat = statSync(file);
  return stat.isDirectory()
    ? Math.max(0, ...readdirSync(file).map((entry) => newest(path.join(file, entry))))
    : stat.mtimeMs;
}

function build(): void {
  process.stdout.write('Building ...\n');
  const npm = process.env['npm_execpath'];
  const { status } =
    npm === undefined
      ? spawnSync('npm run build --silent', { cwd: root, stdio: 'inherit', shell: true })
      : spawnSync(process.execPath, [npm, 'run', 'build', '--silent'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error('The build failed.');
  // The compiler writes only what has changed.
  const now = new Date();
  for (const built of Object.keys(BUILT)) utimesSync(path.join(root, built), now, now);
}

function whatToTry(origin: string, hasConsole: boolean): string {
  const json = "-H 'content-type: application/json'";
  return `Serving on ${origin} (Ctrl-C stops it)

In a browser: what runs here, the inbox and the messages of approvals, and the Durable Dungeon to play.

  ${origin}
  ${origin}/inbox
  ${origin}/outbox
  ${origin}/dungeon
${hasConsole ? `  ${origin}/_emulator\n` : ''}
An approval that escalates when nobody answers within twenty seconds.

  curl -i ${origin}/api/approvals ${json} -d '{"subject": "A new chair", "requestedBy": "pat", "approver": "kim", "escalateTo": "robin", "respondWithin": "PT20S"}'

Look at it under the Location of the answer, or decide it (kim within twenty seconds, then robin):

  curl ${origin}/api/approvals
  curl ${origin}/api/approvals/ID/decision ${json} -d '{"decision": "approved", "by": "kim"}'

Ten reminders, days apart:

  curl -i ${origin}/api/reminders ${json} -d '{"to": "pat", "message": "Water the plants"}'

`;
}
