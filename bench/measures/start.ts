/** `npm start` on a built app to the first 202. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePorts, median, report } from '../measure.ts';

const times: number[] = [];
for (let run = 0; run < 5; run++) {
  const folder = await mkdtemp(path.join(tmpdir(), 'bench-'));
  const ports = await freePorts();
  const port = (await freePorts()).blob;
  const start = performance.now();
  const child = spawn(
    process.execPath,
    [
      path.join(import.meta.dirname, '../../tools/start.ts'),
      '--port',
      String(port),
      '--storage-folder',
      folder,
      '--blob-port',
      String(ports.blob),
      '--queue-port',
      String(ports.queue),
      '--table-port',
      String(ports.table),
    ],
    { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
  );
  process.once('exit', () => child.kill());
  for (let status = 0; status !== 202;) {
    status = await fetch(`http://127.0.0.1:${port}/api/orchestrators/ApprovalSimulation`, {
      method: 'POST',
    }).then(
      (response) => response.status,
      () => 0,
    );
    // Not listening yet, or not ready.
    if (status === 0 || status === 503)
      await new Promise((resolve) => {
        setTimeout(resolve, 10);
      });
    else if (status !== 202) {
      process.stderr.write(`The starter answered ${status}.\n`);
      process.exit(1);
    }
  }
  times.push((performance.now() - start) / 1000);
  const ended = once(child, 'exit');
  child.send('stop');
  await ended;
  await rm(folder, { recursive: true, force: true });
}
report({
  name: 'npm start to the first 202',
  value: median(times),
  unit: 's',
  target: 2.5,
  better: 'lower',
  method:
    'median of 5; from spawning tools/start.ts, storage on an empty folder included, to the 202 of POST /api/orchestrators/ApprovalSimulation',
});
