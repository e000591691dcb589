/**
 * `npm run package`: writes to a folder what is deployed, and nothing else. `DURABLE_BACKEND=scheduler` makes the package
 * of that backend. The source maps go beside the folder, and `npm run trace` reads them.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { deflateRawSync } from 'node:zlib';
import { type Bundled, bundle, licences } from './bundle.ts';

const root = path.resolve(import.meta.dirname, '..');

/** As deep as in the sources and in the build: the app finds `dist/web` by its own place. */
const APP = 'dist/app';
const LICENCES = 'THIRD-PARTY-LICENCES.txt';

interface Manifest {
  name: string;
  version: string;
  type: string;
  engines: Record<string, string>;
}

/** What a package is made of. */
export interface Contents {
  /** As they lie on disk, and about as many as an archive of them has. */
  files: number;
  bytes: number;
  archived: number;
  packages: Bundled[];
}

/**
 * host.json of the chosen backend. The scale controller of Azure reads the file, and no app settings over it.
 *
 * @param backend `storage`, as host.json of this repository says, or `scheduler`: the Durable Task Scheduler
 * @throws Error for another backend
 */
export function hostJson(backend: string): Record<string, unknown> {
  const host = JSON.parse(readFileSync(path.join(root, 'host.json'), 'utf8')) as {
    extensions: { durableTask: { storageProvider: Record<string, string> } };
  };
  if (backend === 'scheduler')
    // https://learn.microsoft.com/azure/durable-task/scheduler/quickstart-durable-task-scheduler
    host.extensions.durableTask.storageProvider = {
      type: 'azureManaged',
      connectionStringName: 'DURABLE_TASK_SCHEDULER_CONNECTION_STRING',
    };
  else if (backend !== 'storage')
    throw new Error(`DURABLE_BACKEND is "${backend}": it can be "storage" or "scheduler".`);
  return host;
}

/**
 * Bundles the app, and copies its built pages beside it.
 *
 * @param folder emptied first
 * @param backend see {@link hostJson}
 * @param maps where source maps go; emptied first
 * @throws Error when the pages are not built, or the bundler warns
 */
export async function makePackage(folder: string, backend = 'storage', maps?: string): Promise<Contents> {
  if (!existsSync(path.join(root, 'dist/web/files.json')))
    throw new Error('The pages are not built: run "npm run build".');
  const host = hostJson(backend);
  const built = await bundle();

  rmSync(folder, { recursive: true, force: true });
  const write = (to: string, files: Map<string, string>): void => {
    mkdirSync(to, { recursive: true });
    for (const [name, text] of files) writeFileSync(path.join(to, name), text);
  };
  const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;
  const { name, version, type, engines } = JSON.parse(
    readFileSync(path.join(root, 'package.json'), 'utf8'),
  ) as Manifest;
  write(path.join(folder, APP), built.code);
  write(
    folder,
    new Map([
      ['package.json', json({ name, version, private: true, type, main: `${APP}/index.js`, engines })],
      ['host.json', json(host)],
      [LICENCES, licences(built.packages)],
    ]),
  );
  cpSync(path.join(root, 'dist/web'), path.join(folder, 'dist/web'), { recursive: true });
  if (maps !== undefined) {
    rmSync(maps, { recursive: true, force: true });
    write(maps, built.maps);
  }
  return { ...measure(folder), packages: built.packages };
}

function measure(folder: string): Omit<Contents, 'packages'> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
  const sum = (of: (file: string) => number): number => files.reduce((all, file) => all + of(file), 0);
  return {
    files: files.length,
    bytes: sum((file) => statSync(file).size),
    archived: sum((file) => deflateRawSync(readFileSync(file)).length),
  };
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { out: { type: 'string', default: path.join(root, 'package') } } });
  const out = path.resolve(values.out);
  try {
    const { files, bytes, archived, packages } = await makePackage(
      out,
      process.env['DURABLE_BACKEND'] || 'storage',
      `${out}-maps`,
    );
    const line = (what: string, size: number, rest = ''): string =>
      `${what.padEnd(52)}${(size / 1e6).toFixed(2).padStart(7)} MB${rest}\n`;
    for (const { name, version, license, bytes: code } of packages.toSorted((a, b) => b.bytes - a.bytes))
      process.stdout.write(line(name === '' ? 'the app' : `${name} ${version}`, code, `  ${license}`));
    process.stdout.write(
      line(`all of it, ${files} files`, bytes, `, ${(archived / 1e6).toFixed(2)} MB as an archive`),
    );
    process.stdout.write(`${path.relative(process.cwd(), out) || out} is what is deployed.\n`);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
