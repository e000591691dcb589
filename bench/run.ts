/**
 * `npm run bench`: runs every measure in its own process, one after the other, and prints each figure beside
 * the last recorded one. `-- --json` prints a line of JSON a figure; `-- --only NAME` runs the files whose
 * name contains NAME; `-- --record` writes the figures to `recorded.json`; `-- --long` runs the measures that
 * take many minutes instead of the others; `-- --peers` measures other engines beside the emulator.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import type { Figure } from './measure.ts';
import { comparePeers } from './peers.ts';

/** A recorded figure, with the day, the machine and its load. */
interface Recorded extends Figure {
  /** ISO 8601, the day. */
  on: string;
  machine: string;
  /** The machine's load average over the minute before the start: other work disturbs figures. */
  load: number;
}

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    record: { type: 'boolean', default: false },
    long: { type: 'boolean', default: false },
    peers: { type: 'boolean', default: false },
  },
});
const RECORDED = path.join(import.meta.dirname, 'recorded.json');
const recorded = new Map(
  (existsSync(RECORDED) ? (JSON.parse(readFileSync(RECORDED, 'utf8')) as Recorded[]) : []).map((figure) => [
    figure.name,
    figure,
  ]),
);
const machine = `${os.cpus().length} × ${os.cpus()[0]?.model.trim() ?? 'CPU'}, ${Math.round(os.totalmem() / 2 ** 30)} GB, ${os.platform()}, Node ${process.version}`;
const load = Number(os.loadavg()[0]!.toFixed(1));
const on = new Date().toISOString().slice(0, 10);
if (values.peers) {
  await comparePeers(`${machine}, ${on}, load ${load}`, values.only);
  process.exit();
}
const folder = path.join(import.meta.dirname, values.long ? 'long' : 'measures');
const files = readdirSync(folder)
  .filter((file) => file.includes(values.only))
  .toSorted();
const measured: Figure[] = [];

if (!values.json) process.stdout.write(`${machine}, load ${load}\n\n`);
for (const file of files) {
  const child = spawn(process.execPath, ['--expose-gc', path.join(folder, file)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve) => {
    child.once('exit', resolve);
  });
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith('{')) continue;
    const figure = JSON.parse(line) as Figure;
    measured.push(figure);
    process.stdout.write(values.json ? `${line}\n` : `${text(figure)}\n`);
  }
  if ((await ended) !== 0) {
    process.stderr.write(`${file} failed.\n`);
    process.exitCode = 1;
  }
  // After each file, so that its figures are kept when a later file is interrupted.
  if (values.record) record();
}
const missed = measured.filter((figure) => !met(figure)).length;
if (!values.json && missed > 0)
  process.stdout.write(
    `${missed} missed. Machines are noisy: compare figures of one run, on a machine that does nothing else.\n`,
  );
function record(): void {
  for (const figure of measured) recorded.set(figure.name, { ...figure, on, machine, load });
  const all = [...recorded.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  writeFileSync(RECORDED, `[\n${all.map((figure) => `  ${JSON.stringify(figure)}`).join(',\n')}\n]\n`);
}

function met({ value, target, better }: Figure): boolean {
  return target === undefined || (better === 'lower' ? value <= target : value >= target);
}

function text(figure: Figure): string {
  const { name, target, better, method } = figure;
  const goal =
    target === undefined
      ? ''
      : `, target ${better === 'lower' ? '≤' : '≥'} ${target}${met(figure) ? '' : ' MISSED'}`;
  return `${name}: ${amount(figure)}${goal}\n    ${before(figure)}\n    ${method}`;
}

function before({ name }: Figure): string {
  const last = recorded.get(name);
  return last === undefined
    ? 'not recorded before'
    : `recorded ${last.on}: ${amount(last)}, at load ${last.load}${last.machine === machine ? '' : `, on ${last.machine}`}`;
}

function amount({ value, unit }: Figure): string {
  return unit === '' ? String(value) : `${value} ${unit}`;
}
