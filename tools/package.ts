/** `npm run package`: writes to a folder what is deployed, and nothing else. */
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

const root = path.resolve(import.meta.dirname, '..');

/**
 * What a running app never reads: declarations, sources, source maps (they would show the sources to who sees
 * an error), manuals.
 */
const NEVER_READ = /\.(?:[cm]?ts|map|md|markdown|tsbuildinfo)$/i;
/** Whoever passes a package on passes on its licence. */
const LICENCE = /^(?:licen[cs]e|notice|copying|thirdparty)/i;

interface Manifest {
  name: string;
  version: string;
  type: string;
  main: string;
  engines: Record<string, string>;
  dependencies: Record<string, string>;
}

interface Locked {
  version: string;
  dev?: true;
  optional?: true;
}

/** Bytes as they lie on disk, and about as many as an archive of them has. */
export interface Size {
  files: number;
  bytes: number;
  archived: number;
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
 * Copies the built app, its built pages, host.json and its production dependencies.
 *
 * @param folder emptied first
 * @param backend see {@link hostJson}
 * @returns what it holds, the app first, then its dependencies, largest first
 * @throws Error when something is not built, or node_modules is not what package-lock.json says
 */
export function makePackage(folder: string, backend = 'storage'): Map<string, Size> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const { name, version, type, main, engines, dependencies } = JSON.parse(
    readFileSync(path.join(root, 'package.json'), 'utf8'),
  ) as Manifest;
  writeFileSync(
    path.join(folder, 'package.json'),
    `${JSON.stringify({ name, version, private: true, type, main, engines, dependencies }, undefined, 2)}\n`,
  );
  writeFileSync(path.join(folder, 'host.json'), `${JSON.stringify(hostJson(backend), undefined, 2)}\n`);
  for (const file of [...builtFiles(), ...pages()]) copy(file, folder);
  const sizes = new Map([['the app', measure(folder)]]);

  const modules = production();
  for (const module of modules) copyModule(module, folder);
  const each = modules.map((module) => [module, measure(path.join(folder, module))] as const);
  for (const [module, size] of each.toSorted(([, a], [, b]) => b.bytes - a.bytes))
    sizes.set(module.replace(/^node_modules\//, ''), size);
  return sizes;
}

/** What the compiler made of the sources there are: dist/ may still hold what it made of others. */
function builtFiles(): string[] {
  const sources = filesUnder(path.join(root, 'src')).filter((file) => file.endsWith('.ts'));
  return sources.map((source) => {
    const built = path.join('dist', source.replace(/\.ts$/, '.js'));
    if (!existsSync(path.join(root, built))) throw new Error(`${built} is not built: run "npm run build".`);
    return built;
  });
}

function pages(): string[] {
  if (!existsSync(path.join(root, 'dist/web/files.json')))
    throw new Error('The pages are not built: run "npm run build".');
  return filesUnder(path.join(root, 'dist/web')).map((file) => path.join('dist/web', file));
}

/** The folders of what `npm install --omit=dev` would install here, nested ones too. */
function production(): string[] {
  const { packages } = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked>;
  };
  const modules = Object.entries(packages).filter(([folder, { dev }]) => folder !== '' && dev !== true);
  return modules
    .filter(([folder, { version, optional }]) => {
      const manifest = path.join(root, folder, 'package.json');
      if (!existsSync(manifest)) {
        if (optional === true) return false;
        throw new Error(`${folder} is not installed: run "npm ci".`);
      }
      const installed = (JSON.parse(readFileSync(manifest, 'utf8')) as Manifest).version;
      if (installed !== version)
        throw new Error(`${folder} is ${installed}, but package-lock.json says ${version}: run "npm ci".`);
      return true;
    })
    .map(([folder]) => folder);
}

function copyModule(module: string, folder: string): void {
  for (const file of filesUnder(path.join(root, module))) {
    if (file.split(path.sep).includes('node_modules')) continue; // listed by itself
    if (NEVER_READ.test(file) && !LICENCE.test(path.basename(file))) continue;
    // Azure runs Linux; what was installed for this machine may be for another.
    if (file.endsWith('.node'))
      throw new Error(
        `${module} has machine code (${file}), which this package cannot carry to another system.`,
      );
    copy(path.join(module, file), folder);
  }
}

function copy(file: string, folder: string): void {
  cpSync(path.join(root, file), path.join(folder, file));
}

/** Relative to the folder. */
function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
}

/** Without the modules nested in it. */
function measure(folder: string): Size {
  const size: Size = { files: 0, bytes: 0, archived: 0 };
  for (const file of filesUnder(folder)) {
    if (file.split(path.sep).includes('node_modules')) continue;
    size.files += 1;
    size.bytes += statSync(path.join(folder, file)).size;
    size.archived += deflateRawSync(readFileSync(path.join(folder, file))).length;
  }
  return size;
}

if (import.meta.main) {
  const {
    values: { out },
  } = parseArgs({ options: { out: { type: 'string', default: path.join(root, 'package') } } });
  try {
    const sizes = makePackage(path.resolve(out), process.env['DURABLE_BACKEND'] || 'storage');
    const total = [...sizes.values()].reduce((a, b) => ({
      files: a.files + b.files,
      bytes: a.bytes + b.bytes,
      archived: a.archived + b.archived,
    }));
    const line = (what: string, { files, bytes, archived }: Size): string =>
      `${what.padEnd(40)}${String(files).padStart(6)} files${(bytes / 1e6).toFixed(1).padStart(8)} MB${(archived / 1e6).toFixed(1).padStart(8)} MB as an archive\n`;
    const parts = [...sizes].slice(0, 6);
    process.stdout.write(parts.map(([what, size]) => line(what, size)).join(''));
    process.stdout.write(line(`all, with ${sizes.size - parts.length} more`, total));
    process.stdout.write(`${path.relative(process.cwd(), path.resolve(out)) || out} is what is deployed.\n`);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
