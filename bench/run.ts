/**
 * `npm run bench`: every measure in a process of its own, one after the other.
 * `-- --json` prints a line of JSON a figure; `-- --only NAME` runs the files whose name contains NAME.
 */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import type { Figure } from './measure.ts';

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, only: { type: 'string', default: '' } } });
const folder = path.join(import.meta.dirname, 'measures');
const files = readdirSync(folder).filter((file) => file.includes(values.only)).toSorted();
let missed = 0;

if (!values.json) {
  const [cpu] = os.cpus();
  process.stdout.write(`${os.cpus().length} × ${cpu?.model.trim() ?? 'CPU'}, ${Math.round(os.totalmem() / 2 ** 30)} GB, ${os.platform()} ${os.release()}, Node ${process.version}\n\n`);
}
for (const file of files) {
  const child = spawn(process.execPath, ['--expose-gc', path.join(folder, file)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve) => { child.once('exit', resolve); });
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith('{')) continue;
    const figure = JSON.parse(line) as Figure;
    process.stdout.write(values.json ? `${line}\n` : `${text(figure)}\n`);
  }
  if (await ended !== 0) {
    process.stderr.write(`${file} failed.\n`);
    process.exitCode = 1;
  }
}
if (!values.json && missed > 0) process.stdout.write(`${missed} below target. Machines are noisy: compare figures within one run.\n`);

function text({ name, value, unit, target, better, method }: Figure): string {
  const met = target === undefined || (better === 'lower' ? value <= target : value >= target);
  if (!met) missed++;
  const goal = target === undefined ? '' : ` (target ${better === 'lower' ? '≤' : '≥'} ${target}${met ? '' : ', missed'})`;
  return `${name}: ${value}${unit === '' ? '' : ` ${unit}`}${goal}\n    ${method}`;
}
