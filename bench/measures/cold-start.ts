/** From the start of a process to an app that serves, for the package that is deployed and for the app as it is built. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makePackage } from '../../tools/package.ts';
import { median, report } from '../measure.ts';

const root = path.join(import.meta.dirname, '../..');
const folder = await mkdtemp(path.join(tmpdir(), 'bench-'));
const { files, bytes, archived } = await makePackage(folder);

const apps = { bundled: folder, unbundled: root };
const times = { bundled: [] as number[], unbundled: [] as number[] };
// One after the other, so that what else the machine does meets both.
for (let run = 0; run < 7; run++)
  for (const kind of ['bundled', 'unbundled'] as const) times[kind].push(await coldStart(apps[kind]));
await rm(folder, { recursive: true, force: true });

for (const kind of ['bundled', 'unbundled'] as const)
  report({
    name: `cold start of the app, ${kind}`,
    value: median(times[kind]),
    unit: 's',
    better: 'lower',
    method: `median of ${times[kind].length} processes: emulator on the memory hub, from the start to "Serving"; the files are in the system's cache`,
  });
report({
  name: 'the package',
  value: bytes / 1e6,
  unit: 'MB',
  better: 'lower',
  method: `${files} files; as an archive ${(archived / 1e6).toFixed(2)} MB`,
});

/** @returns seconds */
async function coldStart(app: string): Promise<number> {
  const start = performance.now();
  const child = fork(
    path.join(root, 'emulator/dist/cli.js'),
    ['start', '--app', app, '--port', '0', '--storage', 'memory'],
    {
      env: { ...process.env, AppStorage: 'UseDevelopmentStorage=true', AzureWebJobsStorage: '' },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      execArgv: [],
    },
  );
  for await (const text of child.stdout!.setEncoding('utf8')) if (String(text).includes('Serving on')) break;
  const seconds = (performance.now() - start) / 1000;
  const ended = once(child, 'exit');
  child.kill();
  await ended;
  return seconds;
}
