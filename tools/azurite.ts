/** Azurite, the storage of a developer's machine, as a child of this process. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, statfsSync, statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import net from 'node:net';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';

export interface Ports {
  blob: number;
  queue: number;
  table: number;
}

/** Azurite's defaults, to which `UseDevelopmentStorage=true` refers. */
export const DEFAULT_PORTS: Ports = { blob: 10_000, queue: 10_001, table: 10_002 };

/** Azurite's one account; its key is public, the same on every machine. */
const ACCOUNT = 'devstoreaccount1';
const KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

/** In bytes. Blobs, queues and what else grows on this disk need space, too. */
const LITTLE_SPACE = 2 ** 30;

/**
 * A warning when the disk under storage's folder has little space. At each save, Azurite writes its whole database
 * beside the old one; when that fails, it goes on answering, and loses everything since then when it ends.
 * @returns undefined when there is enough: a gigabyte, and twice what the folder's databases have
 */
export function spaceWarning(folder: string, free = freeSpace(folder)): string | undefined {
  const databases = readdirSync(folder)
    .filter((name) => name.startsWith('__azurite_db'))
    .reduce((sum, name) => sum + statSync(path.join(folder, name)).size, 0);
  if (free >= Math.max(LITTLE_SPACE, 2 * databases)) return undefined;
  return `The disk of ${folder} has only ${Math.floor(free / 2 ** 20)} MB of free space. On a full disk, storage goes on answering, and loses everything when it stops.`;
}

function freeSpace(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/** The connection string of an Azurite on these ports. */
export function connectionString(ports: Ports): string {
  const endpoints = (['blob', 'queue', 'table'] as const).map(
    (service) =>
      `${service[0]!.toUpperCase()}${service.slice(1)}Endpoint=http://127.0.0.1:${ports[service]}/${ACCOUNT}`,
  );
  return ['DefaultEndpointsProtocol=http', `AccountName=${ACCOUNT}`, `AccountKey=${KEY}`, ...endpoints].join(
    ';',
  );
}

/**
 * Whether something listens on all of these ports. An Azurite whose parent was killed saves its data and
 * ends; this function waits for that.
 *
 * @throws when something listens on only some of the ports
 */
export async function isRunning(ports: Ports, folder: string): Promise<boolean> {
  await orphanEnded(folder);
  const taken = await Promise.all(Object.values(ports).map((port: number) => listens(port)));
  if (taken.every(Boolean)) return true;
  if (!taken.some(Boolean)) return false;
  const which = Object.values(ports)
    .filter((_, index) => taken[index])
    .join(', ');
  throw new Error(
    `Port ${which} is in use, but not by an Azurite that uses all three ports. Stop the program that uses it, or choose other ports.`,
  );
}

async function listens(port: number): Promise<boolean> {
  const socket = net.connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** A file with two process ids: of the Azurite that serves a folder, and of the process that started it. */
const OWNER = 'azurite.pid';
/** Milliseconds. A process of that id that lives longer is another program. */
const ORPHAN_LIVES = 15_000;

/** Waits until an Azurite without a parent has ended: two on one folder would overwrite each other's data. */
async function orphanEnded(folder: string): Promise<void> {
  const [pid, parent] = await readFile(path.join(folder, OWNER), 'utf8').then(
    (text) => text.split(' ').map(Number),
    () => [],
  );
  if (pid === undefined || parent === undefined || isAlive(parent)) return;
  for (const start = Date.now(); isAlive(pid) && Date.now() - start < ORPHAN_LIVES;) await setTimeout(20);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Ends Azurite in good order when this process disconnects or dies; otherwise it would serve for ever.
 * Azurite writes to pipes that may be closed by then, and must not fail because of that before it has saved
 * its data.
 */
const END_WITH_PARENT = `data:text/javascript,${encodeURIComponent(`
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  process.on('disconnect', () => process.emit('SIGTERM'));
`)}`;

/**
 * A small young generation, in MB. With Node's 32 MB, buffers of blobs pile up between collections: for a file of
 * 100 MB Azurite then takes a third more processor time and 50 MB more memory. Small requests cost the same.
 */
const YOUNG_GENERATION = '--max-semi-space-size=4';

/** Gives Azurite the indices that it lacks. */
const INDEX = new URL('azurite-index/preload.ts', import.meta.url).href;

/**
 * Starts Azurite and waits until it serves.
 *
 * @returns a function that stops it; Azurite saves its data before it ends
 */
export async function startAzurite(ports: Ports, folder: string): Promise<() => Promise<void>> {
  mkdirSync(folder, { recursive: true });
  const program = createRequire(import.meta.url).resolve('azurite/dist/src/azurite.js');
  const child = fork(
    program,
    [
      '--silent',
      '--skipApiVersionCheck',
      '--disableTelemetry',
      '--location',
      folder,
      '--blobPort',
      String(ports.blob),
      '--queuePort',
      String(ports.queue),
      '--tablePort',
      String(ports.table),
    ],
    {
      execArgv: [YOUNG_GENERATION, '--import', END_WITH_PARENT, '--import', INDEX],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Ctrl-C reaches the whole process group, but storage must outlive the programs that use it.
      detached: process.platform !== 'win32',
    },
  );
  const ended = once(child, 'exit');
  await writeFile(path.join(folder, OWNER), `${child.pid} ${process.pid}`);
  let output = '';
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        if (output.match(/successfully listen(?:s|ing)/g)?.length === 3) resolve();
      });
    }
    void ended.then(() => {
      reject(new Error(`Azurite did not start: ${output.trim().split('\n').at(-1) ?? ''}`));
    });
  });
  const warning = /^Azurite runs without .*\n/m.exec(output);
  if (warning !== null) process.stderr.write(warning[0]);
  return async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    // Works on every system, unlike signals; and an open channel would keep Azurite alive after it has saved.
    child.disconnect();
    await ended;
  };
}
