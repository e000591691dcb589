/**
 * Measures one row of one peer in a process of its own: `node harness.js PEER ROW [ARGUMENT]`. It prints a line of
 * JSON, `{ "value": number }`, or nothing for a peer that does not have the row.
 *
 * A peer's module exports `start(argument)`, which resolves with what the peer can do:
 * `chain()`, `fanOut(width)` and `steps(count)` resolve when that has completed, `waiting(count)` when so many
 * instances wait. `reminders()` runs ten sleeps of 4.5 days each, with an activity after each, without waiting.
 * `report(count, url)` starts so many instances that request `url/begun/ID`, take 0.1 s, and request `url/done/ID`;
 * `restart()` kills the server and starts it again.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';

/** Taken before a peer replaces them by those of a clock that skips. */
const now = performance.now.bind(performance);
const { setTimeout } = globalThis;

/** Below 1, to see whether everything runs. */
const scale = Number(process.env.SCALE ?? 1);
const scaled = (count) => Math.max(1, Math.round(count * scale));

/** How many chains come before a measure, so that the code of each engine is compiled. */
const WARM_UPS = 100;
/** How often a row is measured that many instances make at once. */
const RUNS = 3;

async function timed(task) {
  const start = now();
  await task();
  return now() - start;
}

/** The median of `count` times. @param measure resolves with one */
async function median(count, measure) {
  const times = [];
  for (let run = 0; run < count; run++) times.push(await measure());
  return times.toSorted((a, b) => a - b)[Math.floor(count / 2)];
}

/** The resident memory of this process and of all that it has started, in MB. */
function memory() {
  const processes = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,rss='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const family = [process.pid];
  for (const pid of family) for (const [child, parent] of processes) if (parent === pid) family.push(child);
  return processes.reduce((sum, [pid, , rss]) => sum + (family.includes(pid) ? rss / 1024 : 0), 0);
}

/** Receives the requests of `report`. @returns promises that resolve when so many different ones have come */
async function listen(count) {
  const phases = { begun: new Set(), done: new Set() };
  const reached = { begun: Promise.withResolvers(), done: Promise.withResolvers() };
  const server = createServer((request, response) => {
    const [, phase, id] = request.url.split('/');
    response.end();
    if (phases[phase].add(id).size === count) reached[phase].resolve();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    begun: reached.begun.promise,
    done: reached.done.promise,
  };
}

const ROWS = {
  chain: async ({ chain }) => {
    for (let warmUp = 0; warmUp < scaled(WARM_UPS); warmUp++) await chain();
    return median(scaled(50), () => timed(chain));
  },
  together: async ({ chain }) => {
    for (let warmUp = 0; warmUp < scaled(WARM_UPS); warmUp++) await chain();
    const count = scaled(1000);
    const all = () => Promise.all(Array.from({ length: count }, chain));
    return count / ((await median(RUNS, () => timed(all))) / 1000);
  },
  fanOut: async ({ chain, fanOut }) => {
    for (let warmUp = 0; warmUp < scaled(WARM_UPS); warmUp++) await chain();
    return median(RUNS, () => timed(() => fanOut(scaled(1000))));
  },
  steps: async ({ steps }) => (await timed(() => steps(scaled(4000)))) / 1000,
  waiting: async ({ waiting }) => {
    await waiting(scaled(10_000));
    await new Promise((resolve) => {
      setTimeout(resolve, scaled(20_000));
    });
    return memory();
  },
  killed: async ({ report, restart }) => {
    const count = scaled(100);
    return median(RUNS, async () => {
      const { url, begun, done } = await listen(count);
      await report(count, url);
      await begun;
      return timed(async () => {
        await restart();
        await done;
      });
    });
  },
  reminders: async ({ reminders }) => {
    await reminders();
    return median(scaled(20), () => timed(reminders));
  },
};
/** What of a peer a row needs. */
const NEEDED = { together: 'chain', killed: 'restart' };

// Some peers log each step.
for (const level of ['debug', 'log', 'info', 'warn']) console[level] = () => {};

const [, , file, row, argument] = process.argv;
const { start } = await import(file);
const peer = await start(argument, row);
if (peer[NEEDED[row] ?? row] !== undefined)
  process.stdout.write(`${JSON.stringify({ value: await ROWS[row](peer) })}\n`);
await peer.stop?.();
process.exit(0);
