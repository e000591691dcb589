/** The emulator, on memory, on a file, or on an Azurite of its own: `ARGUMENT` says which. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const root = process.env.REPOSITORY;
const load = (file) => import(pathToFileURL(path.join(root, file)).href);

export async function start(where, row) {
  let stopStorage;
  let storage = where;
  if (where !== 'memory') {
    const folder = await mkdtemp(path.resolve(`emulator-${where}-`));
    storage = path.join(folder, 'hub.db');
    if (where === 'azurite') {
      const { connectionString, startAzurite } = await load('tools/azurite.ts');
      const { freePorts } = await load('bench/measure.ts');
      const ports = await freePorts();
      stopStorage = await startAzurite(ports, folder);
      storage = connectionString(ports);
    }
  }
  if (row === 'killed') return where === 'memory' ? {} : startProgram(storage, stopStorage);
  const { startEmulator } = await load('emulator/dist/emulator.js');
  const emulator = await startEmulator({ app: path.join(root, 'bench/app'), port: 0, storage });
  const { engine } = emulator.host;
  const ended = new Set();
  const waiters = new Map();
  engine.onChange(({ instanceId, runtimeStatus }) => {
    if (runtimeStatus !== 'Completed' && runtimeStatus !== 'Failed') return;
    ended.add(instanceId);
    waiters.get(instanceId)?.();
  });
  const post = async (name, input) => {
    const response = await fetch(`http://127.0.0.1:${emulator.port}/api/orchestrators/${name}`, {
      method: 'POST',
      body: input === undefined ? '' : JSON.stringify(input),
    });
    if (response.status !== 202) throw new Error(`The emulator answered ${response.status}.`);
    return (await response.json()).id;
  };
  const run = async (name, input) => {
    const id = await post(name, input);
    if (!ended.has(id))
      await new Promise((resolve) => {
        waiters.set(id, resolve);
      });
  };
  return {
    chain: () => run('chain'),
    fanOut: (width) => run('fanOut', width),
    steps: (count) => run('longChain', count),
    waiting: async (count) => {
      for (let left = count; left > 0; left -= 100)
        await Promise.all(Array.from({ length: Math.min(100, left) }, () => post('waiter')));
      await engine.whenQuiet();
    },
    stop: async () => {
      await emulator.stop();
      await stopStorage?.();
    },
  };
}

/** The emulator as a program, which can be killed. Its port stays the same. */
async function startProgram(storage, stopStorage) {
  const { freePorts } = await load('bench/measure.ts');
  const { blob: port } = await freePorts();
  let program;
  const run = async () => {
    program = spawn(
      process.execPath,
      [
        path.join(root, 'emulator/dist/cli.js'),
        'start',
        `--app=${path.join(root, 'bench/app')}`,
        `--port=${port}`,
        `--storage=${storage}`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    for await (const text of program.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false }))
      if (text.includes('Serving on')) break;
    program.stdout.resume();
  };
  const end = async () => {
    const ended = once(program, 'exit');
    program.kill('SIGKILL');
    await ended;
  };
  await run();
  return {
    report: async (count, url) => {
      await Promise.all(
        Array.from({ length: count }, () =>
          fetch(`http://127.0.0.1:${port}/api/orchestrators/reporter`, {
            method: 'POST',
            body: JSON.stringify(url),
          }),
        ),
      );
    },
    restart: async () => {
      await end();
      await run();
    },
    stop: async () => {
      await end();
      await stopStorage?.();
    },
  };
}
