/** The figures as text, and in docs/scale.md. */
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { sum, type Cost, type Measurement } from './costs.ts';
import type { Service } from './connection.ts';
import { timers, workflows } from './workflows.ts';

const root = path.resolve(import.meta.dirname, '../..');
const PAGE = path.join(root, 'docs/scale.md');
/** What was measured last, and before the costs were lowered. The model reads it. */
const MEASURED = path.join(import.meta.dirname, 'measured.json');

/** The figures that are kept. */
export interface Kept {
  before: Measurement;
  now: Measurement;
}

/** The figures of the benches that the page shows. */
const BENCHED = [
  'chain on storage, alone',
  'chains on storage, 200 at once',
  'storage requests a chain',
  'games at once, to the last win',
  'entity calls, one at a time',
  'entity signals to one entity',
  'fan-out of 1,000 activities, memory hub',
  'replay of 1,000 activities, one after the other',
  'memory with 10,000 instances waiting',
];

/** This machine, as figures name it. */
export function machine(): string {
  return `${os.cpus().length} × ${os.cpus()[0]?.model.trim() ?? 'CPU'}, ${Math.round(os.totalmem() / 2 ** 30)} GB, ${os.platform()}, Node ${process.version}`;
}

/** A line for each workflow. */
export function printed({ costs, on, machine: where, host }: Measurement): string {
  return `\n${on}, ${host}, ${where}\n\n${costs
    .map(
      (cost) =>
        `${cost.title}\n    ${executions(cost)} executions, ${requests(cost, 'app', 'table')} table and ${requests(cost, 'app', 'queue')} queue and ${requests(cost, 'app', 'blob')} blob requests of the app, ${ofHub(cost)} of the hub, ${kilobytes(cost)} kB\n`,
    )
    .join('')}`;
}

export function readKept(): Kept {
  return JSON.parse(readFileSync(MEASURED, 'utf8')) as Kept;
}

/** Keeps a measurement, and writes it to the page. What was not measured this time stays as it was. */
export async function write(measurement: Measurement, as: keyof Kept): Promise<void> {
  const kept = readKept();
  const { costs } = measurement;
  const others = kept[as].costs.filter(({ name }) => !costs.some((cost) => cost.name === name));
  const order = [...workflows, ...timers].map(({ name }) => name);
  const all = [...others, ...costs].toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
  const next = { ...kept, [as]: { ...measurement, costs: all } };
  await writeFile(MEASURED, `${JSON.stringify(next, undefined, 1)}\n`);
  for (const [name, text] of Object.entries(sectionsOf(next))) await writeSection(name, text);
}

/** The sections of the page that show figures that are kept, by their names. */
export function sectionsOf(kept: Kept): Record<string, string> {
  return { costs: costTable(kept.now), lowered: loweredTable(kept), benches: benchTable() };
}

/** Replaces what is between two comments of the page. */
export async function writeSection(name: string, text: string): Promise<void> {
  const page = await readFile(PAGE, 'utf8');
  const [begin, end] = [`<!-- ${name}: written by a command -->`, `<!-- end of ${name} -->`];
  if (!page.includes(begin) || !page.includes(end)) throw new Error(`${PAGE} has no section ${name}`);
  await writeFile(
    PAGE,
    `${page.slice(0, page.indexOf(begin))}${begin}\n\n${text.trim()}\n\n${page.slice(page.indexOf(end))}`,
  );
}

function costTable({ costs, on, machine: where, host }: Measurement): string {
  return `${measuredOn(on, where)} Host: ${host}.

| workflow | executions | table reads | table writes | queue | blob reads | blob writes | kB | the hub |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
${costs
  .map((cost) => {
    const { table, blob } = cost.app;
    return row([
      cost.title,
      executions(cost),
      round(table.read + table.query),
      round(table.write + table.delete + table.batch),
      requests(cost, 'app', 'queue'),
      round(blob.read + blob.query),
      round(blob.write + blob.delete),
      kilobytes(cost),
      ofHub(cost),
    ]);
  })
  .join('\n')}

| executions of | HTTP | orchestrators | entities | activities | queues |
| --- | ---: | ---: | ---: | ---: | ---: |
${costs
  .map(({ title, executions: of }) =>
    row([title, of.http, of.orchestrator, of.entity, of.activity, of.queue]),
  )
  .join('\n')}`;
}

function loweredTable({ before, now }: Kept): string {
  const pairs = before.costs.flatMap((then) => {
    const after = now.costs.find(({ name }) => name === then.name);
    return after === undefined ? [] : [[then, after] as const];
  });
  return `Before: ${before.on}. Now: ${now.on}. Each cell: before → now.

| workflow | activities | runs of orchestrators | all executions | table requests of the app | kB |
| --- | ---: | ---: | ---: | ---: | ---: |
${pairs
  .map(([then, after]) =>
    row([
      after.title,
      `${then.executions.activity} → ${after.executions.activity}`,
      `${then.executions.orchestrator} → ${after.executions.orchestrator}`,
      `${executions(then)} → ${executions(after)}`,
      `${requests(then, 'app', 'table')} → ${requests(after, 'app', 'table')}`,
      `${kilobytes(then)} → ${kilobytes(after)}`,
    ]),
  )
  .join('\n')}`;
}

/** Figures of `npm run bench -- --record`. */
function benchTable(): string {
  const recorded = JSON.parse(readFileSync(path.join(root, 'bench/recorded.json'), 'utf8')) as {
    name: string;
    value: number;
    unit: string;
    on: string;
    machine: string;
  }[];
  const shown = BENCHED.flatMap((name) => recorded.filter((figure) => figure.name === name));
  return `Recorded on ${[...new Set(shown.map(({ machine: where }) => where))].join('; ')}.

| figure | value | recorded |
| --- | ---: | --- |
${shown.map(({ name, value, unit, on }) => row([name, `${value.toLocaleString('en')} ${unit}`.trim(), on])).join('\n')}`;
}

export function measuredOn(on: string, where: string): string {
  return `Measured on ${on}, on ${where}.`;
}

export function row(cells: readonly (string | number)[]): string {
  return `| ${cells.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en') : cell)).join(' | ')} |`;
}

function executions({ executions: of }: Cost): number {
  return round(of.http + of.orchestrator + of.entity + of.activity + of.queue);
}

function requests(cost: Cost, place: 'app' | 'hub', service: Service): number {
  return round(sum(cost[place][service]));
}

function ofHub(cost: Cost): number {
  return round(
    requests(cost, 'hub', 'table') + requests(cost, 'hub', 'queue') + requests(cost, 'hub', 'blob'),
  );
}

function kilobytes({ bytesIn, bytesOut }: Cost): number {
  return Math.round((bytesIn + bytesOut) / 1000);
}

function round(value: number): number {
  return Math.round(10 * value) / 10;
}
