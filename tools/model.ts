/** `npm run model -- --approvals 1e6`: what a load comes to, from the measured costs and a file of assumptions. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Cost } from './costs/costs.ts';
import {
  headroom,
  model,
  priceOfThousand,
  total,
  withoutLoad,
  type Assumptions,
  type Load,
  type Outcome,
} from './costs/model.ts';
import { readKept, row, writeSection } from './costs/report.ts';

const ASSUMPTIONS = path.join(import.meta.dirname, 'costs/assumptions.json');
const LOADS = [
  'approvals',
  'reminders',
  'players',
  'orders',
  'devices',
  'rollouts',
  'files',
  'jobs',
] as const;
const USAGE = `Usage: npm run model -- [options]

${LOADS.map((name) => `  --${name} N`.padEnd(24)).join('a day\n')}a day
  --peak N              how many times the mean the busiest hour has
  --assumptions FILE    instead of tools/costs/assumptions.json, of which the options replace parts
  --json                prints JSON
  --write               writes the outcome to docs/scale.md

The others of a load are 0 once one of them is given.
`;

const { values } = parseArgs({
  options: {
    ...(Object.fromEntries(LOADS.map((name) => [name, { type: 'string' }])) as Record<
      keyof Load,
      { type: 'string' }
    >),
    peak: { type: 'string' },
    assumptions: { type: 'string', default: ASSUMPTIONS },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

try {
  if (values.help) process.stdout.write(USAGE);
  else await main();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const assumptions = assumed();
  const { costs } = readKept().now;
  const outcome = model(costs, assumptions);
  const idle = total(model(costs, withoutLoad(assumptions)));
  const text = `${table(outcome, idle, assumptions)}\n\n${prices(costs, assumptions)}`;
  process.stdout.write(values.json ? `${JSON.stringify({ assumptions, outcome })}\n` : `${text}\n`);
  if (values.write) await writeSection('model', text);
}

/** The assumptions of the file, with those of the options. @throws Error when an option is no number */
function assumed(): Assumptions {
  const read = JSON.parse(readFileSync(values.assumptions, 'utf8')) as Assumptions;
  const given = LOADS.filter((name) => values[name] !== undefined);
  const load = given.length === 0 ? read.load : (Object.fromEntries(LOADS.map((name) => [name, 0])) as Load);
  for (const name of given) load[name] = number(name, values[name]!);
  const peak = values.peak === undefined ? read.shares.peak : number('peak', values.peak);
  return { ...read, load, shares: { ...read.shares, peak } };
}

function number(option: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0) || value === Infinity)
    throw new Error(`--${option} is ${text}: it has to be a number, such as 1e6`);
  return value;
}

function table(outcome: Outcome, idle: number, { load, shares, limits }: Assumptions): string {
  const { rates, money } = outcome;
  const wanted = LOADS.filter((name) => load[name] > 0).map((name) => [`${name} a day`, load[name]]);
  const first = headroom(outcome);
  const actions = outcome.schedulerActions;
  return `| load | |
| --- | ---: |
${[...wanted, ['the busiest hour, as a multiple of the mean', shares.peak]].map((cells) => row(cells)).join('\n')}

| in a day | |
| --- | ---: |
${row(['executions of functions', Math.round(outcome.executionsADay)])}
${row(['transactions on tables', Math.round(outcome.tableTransactionsADay)])}
${row(['operations on queues', Math.round(outcome.queueOperationsADay)])}
${row(['operations on blobs', Math.round(outcome.blobOperationsADay)])}

| in a second of the busiest hour | |
| --- | ---: |
${row(['executions of functions', short(rates.executions)])}
${row(['work items of the hub', short(rates.workItems)])}
${row(['transactions on tables, app', short(rates.appTables)])}
${row(['transactions on tables, hub', short(rates.hubTables)])}
${row(['operations on queues', short(rates.queues)])}
${row(['operations on blobs', short(rates.blobs)])}

| limit | rate | limit | used |
| --- | ---: | ---: | ---: |
${outcome.limits.map(({ what, rate, limit }) => row([what, short(rate), limit, `${short((100 * rate) / limit)}%`])).join('\n')}

The first limit is reached at ${short(first.factor)} times this load: ${first.what}.

| needed | |
| --- | ---: |
${row(['partitions of the hub (control queues)', outcome.partitions])}
${row(['workers (instances)', outcome.workers])}
${row([`actions a second of a Durable Task Scheduler (Consumption: at most ${limits.schedulerConsumptionActions})`, short(actions)])}
${row([`its capacity units, if Dedicated (at most ${limits.schedulerUnits})`, outcome.schedulerUnits])}

| US dollars a month, by the prices in the assumptions | |
| --- | ---: |
${Object.entries(money)
  .map(([what, amount]) => row([what, dollars(amount)]))
  .join('\n')}
${row(['**together**', `**${dollars(total(outcome))}**`])}
${row(['without any load', dollars(idle)])}`;
}

function prices(costs: readonly Cost[], assumptions: Assumptions): string {
  return `| US dollars for a thousand, by the same prices | |
| --- | ---: |
${costs.map((cost) => row([cost.title, dollars(priceOfThousand(cost, assumptions))])).join('\n')}`;
}

function short(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en', { maximumFractionDigits: 3 });
}

function dollars(amount: number): string {
  return amount.toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
}
