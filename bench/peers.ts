/**
 * `npm run bench -- --peers`: the emulator beside other engines for durable workflows that npm alone installs. Each
 * row of each peer runs in a process of its own, one after the other. DBOS is not here, because it needs PostgreSQL.
 * `SCALE=0.01` makes all counts smaller, to see whether everything runs; its figures mean nothing.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** In a folder of their own, so that this repository does not depend on them. */
const PACKAGES = {
  '@aws/durable-execution-sdk-js': '2.4.0',
  '@aws/durable-execution-sdk-js-testing': '1.1.4',
  '@microsoft/durabletask-js': '0.4.0',
  '@restatedev/restate-sdk': '1.17.2',
  '@restatedev/restate-server': '1.7.12',
};

interface Peer {
  name: string;
  /** In `peers/`. */
  file: string;
  argument?: string;
}

/** First those that serve HTTP, then those that tests run in their own process. */
const PEERS: readonly Peer[] = [
  { name: 'emulator, memory', file: 'emulator.js', argument: 'memory' },
  { name: 'emulator, file', file: 'emulator.js', argument: 'file' },
  { name: 'emulator, Azurite', file: 'emulator.js', argument: 'azurite' },
  { name: `Restate ${PACKAGES['@restatedev/restate-server']}`, file: 'restate.js' },
  { name: 'TestApp', file: 'test-app.js' },
  { name: 'TestApp, each episode once', file: 'test-app.js', argument: 'once' },
  { name: `AWS testing ${PACKAGES['@aws/durable-execution-sdk-js-testing']}`, file: 'aws.js' },
  { name: `durabletask-js ${PACKAGES['@microsoft/durabletask-js']}, memory`, file: 'durabletask.js' },
];

/** The rows of `peers/harness.js`. */
const ROWS: readonly [row: string, title: string][] = [
  ['chain', 'chain of 3, one at a time, p50, ms'],
  ['together', 'chains of 3, 1,000 at once, a second'],
  ['fanOut', 'fan-out of 1,000, ms'],
  ['steps', '4,000 steps in a row, s'],
  ['waiting', '10,000 waiting, MB of all processes'],
  ['killed', 'killed with 100 in flight, all done after ms'],
  ['reminders', '45 days with ten sleeps in a test, ms'],
];

/** In minutes. A row that takes longer is ended, and has no figure. */
const LIMIT = 5;

/**
 * Measures and prints a table in Markdown.
 * @param under the machine, the day and the load
 * @param only the peers whose names contain it
 */
export async function comparePeers(under: string, only: string): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'peers-'));
  process.once('exit', () => {
    rmSync(folder, { recursive: true, force: true });
  });
  const problem = install(folder);
  if (problem !== undefined) {
    process.stderr.write(`The peers cannot be installed from npm: ${problem}\n`);
    process.exit(1);
  }
  const peers = PEERS.filter(({ name }) => name.toLowerCase().includes(only.toLowerCase()));
  const scale = process.env['SCALE'];
  const scaled = scale === undefined ? '' : `, all counts times ${scale}`;
  process.stdout.write(`${under}${scaled}\n\n| | ${peers.map(({ name }) => name).join(' | ')} |\n`);
  process.stdout.write(`| --- |${' --- |'.repeat(peers.length)}\n`);
  for (const [row, title] of ROWS) {
    process.stdout.write(`| ${title} |`);
    for (const peer of peers) process.stdout.write(` ${await measure(folder, peer, row)} |`);
    process.stdout.write('\n');
  }
  process.stdout.write(
    '\nThe emulator and Restate serve HTTP, and their figures contain it. TestApp, AWS testing and durabletask-js run in the process of a test: compare those with each other.\n',
  );
}

/** @returns npm's reason when it fails */
function install(folder: string): string | undefined {
  writeFileSync(
    path.join(folder, 'package.json'),
    JSON.stringify({ private: true, type: 'module', dependencies: PACKAGES }),
  );
  const scripts = path.join(import.meta.dirname, 'peers');
  for (const file of readdirSync(scripts)) copyFileSync(path.join(scripts, file), path.join(folder, file));
  const npm = process.env['npm_execpath'];
  const { status, stderr } = spawnSync(
    npm === undefined ? 'npm' : process.execPath,
    [
      ...(npm === undefined ? [] : [npm]),
      'install',
      '--no-audit',
      '--no-fund',
      '--ignore-scripts',
      '--fetch-retries=0',
      '--loglevel=error',
    ],
    // npm run sets variables for this repository's package.
    { cwd: folder, encoding: 'utf8', env: { ...process.env, npm_config_local_prefix: folder } },
  );
  if (status === 0) return undefined;
  return stderr?.split('\n').find((line) => line.trim() !== '') ?? 'npm does not run.';
}

/** @returns the figure, or why there is none */
async function measure(folder: string, { file, argument }: Peer, row: string): Promise<string> {
  const child = spawn(
    process.execPath,
    ['harness.js', `./${file}`, row, ...(argument === undefined ? [] : [argument])],
    {
      cwd: folder,
      env: { ...process.env, REPOSITORY: path.resolve(import.meta.dirname, '..') },
      stdio: ['ignore', 'pipe', 'pipe'],
      // What it starts ends with it.
      detached: process.platform !== 'win32',
    },
  );
  const end = (): void => {
    if (process.platform === 'win32') child.kill();
    else process.kill(-child.pid!, 'SIGKILL');
  };
  let isOver = false;
  const limit = setTimeout(() => {
    isOver = true;
    end();
  }, LIMIT * 60_000);
  process.once('exit', end);
  const interrupted = (): void => process.exit(1);
  process.once('SIGINT', interrupted);
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(limit);
  process.off('exit', end);
  process.off('SIGINT', interrupted);
  if (isOver) return `over ${LIMIT} minutes`;
  if (code !== 0) {
    process.stderr.write(`\n${file}, ${row}: ${errors}\n`);
    return 'failed';
  }
  const { value } = JSON.parse(output === '' ? '{}' : output) as { value?: number };
  return value === undefined ? '–' : figure(value);
}

/** Two digits below a hundred, and whole numbers above. */
function figure(value: number): string {
  return (value < 100 ? Number(value.toPrecision(2)) : Math.round(value)).toLocaleString('en-US');
}
