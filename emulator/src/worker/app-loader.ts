import { spawnSync } from 'node:child_process';
import { globSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { placeInApp } from './app-place.js';
import type { Registrations } from './core-api.js';
import { installCoreApi } from './core-api.js';
import type { Binding } from './types.js';

/** An app: its folder (built, with a package.json), or a function that imports its entry file. */
export type AppSource = { directory: string } | { app: () => Promise<unknown> };

/** The app cannot be loaded. The message is one line for a person. */
export class AppLoadError extends Error {
  override name = 'AppLoadError';
}

let loaded: { key: string; registrations: Promise<Registrations> } | undefined;

/**
 * Loads an app, once a process. Later calls for the same app get the same registrations, so that many hosts
 * can share them. Another app needs another process, because `@azure/functions` keeps its registrations until
 * the process ends.
 * @throws AppLoadError
 */
export async function loadApp(source: AppSource): Promise<Registrations> {
  const key = 'directory' in source ? path.resolve(source.directory) : source.app.toString();
  if (loaded !== undefined && loaded.key !== key)
    throw new AppLoadError('This process has loaded another app already: a process can hold one.');
  loaded ??= { key, registrations: load(source) };
  return loaded.registrations;
}

async function load(source: AppSource): Promise<Registrations> {
  const registrations = installCoreApi();
  try {
    if ('directory' in source) {
      enter(path.resolve(source.directory));
      await loadDirectory(path.resolve(source.directory));
    } else await source.app();
    const { appHookData, appLevelHookData: hookData } = registrations;
    const functionAppDirectory = 'directory' in source ? path.resolve(source.directory) : process.cwd();
    for (const hook of registrations.hooks.get('appStart') ?? [])
      await hook({ hookData, appHookData, functionAppDirectory });
  } catch (error) {
    if (error instanceof AppLoadError) throw error;
    throw new AppLoadError(`The app threw while it was loaded: ${oneLine(error)}`, { cause: error });
  }
  if (registrations.functions.size === 0)
    throw new AppLoadError(
      process.env['JEST_WORKER_ID'] === undefined
        ? 'The app registers no functions.'
        : "Jest's registry of modules hides the app from the emulator. Use Vitest, node:test or mocha: the emulator's README has an example with each.",
    );
  for (const { metadata } of registrations.functions.values()) {
    const bindings = Object.values(metadata['bindings'] as Record<string, Binding>);
    if (bindings.some((binding) => binding['durableRequiresGrpc'] === true)) {
      throw new AppLoadError(
        'The app uses durable-functions 4, which uses another protocol (gRPC). The emulator runs durable-functions 3.',
      );
    }
  }
  // This call makes later calls of app.setup() fail, and returns the capabilities that the library needs.
  registrations.httpAddress = (await registrations.model!.getCapabilities({}))['HttpUri'];
  registrations.open = false;
  return registrations;
}

/** Runs the app's appTerminate hooks: once, before the process ends. */
export async function terminateApp(registrations: Registrations): Promise<void> {
  const { appHookData, appLevelHookData: hookData } = registrations;
  for (const hook of registrations.hooks.get('appTerminate') ?? []) await hook({ hookData, appHookData });
}

/** Makes the app's folder the working directory, as in production. */
function enter(directory: string): void {
  if (path.relative(process.cwd(), directory) === '') return;
  try {
    process.chdir(directory);
  } catch (error) {
    // There is no folder, which is reported below; or this is a thread, which has no directory of its own.
    if ((error as NodeJS.ErrnoException).code === 'ERR_WORKER_UNSUPPORTED_OPERATION')
      throw new AppLoadError(
        `The app has to run in ${directory}, and a thread cannot change its working directory. Run the tests in processes (in Vitest: pool 'forks', the default), or from that folder.`,
      );
  }
}

async function loadDirectory(directory: string): Promise<void> {
  const file = path.join(directory, 'package.json');
  let manifest: { main?: string; type?: string };
  try {
    manifest = JSON.parse(readFileSync(file, 'utf8')) as typeof manifest;
  } catch (error) {
    throw new AppLoadError(
      (error as NodeJS.ErrnoException).code === 'ENOENT'
        ? `There is no package.json in ${directory}.`
        : `${file} is not valid JSON: ${oneLine(error)}`,
    );
  }
  const { main } = manifest;
  if (typeof main !== 'string' || main === '')
    throw new AppLoadError(`${file} has no "main", which names the app's entry file.`);
  const entries = entryFiles(main, directory);
  if (entries.length === 0)
    throw new AppLoadError(`No file matches "main": "${main}" of ${file}. Is the app built?`);
  for (const entry of entries) {
    const absolute = path.join(directory, entry);
    const isModule = absolute.endsWith('.mjs') || (manifest.type === 'module' && !absolute.endsWith('.cjs'));
    try {
      if (isModule) await import(pathToFileURL(absolute).href);
      else createRequire(absolute)(absolute);
    } catch (error) {
      throw loadError(error, entry);
    }
  }
}

/** The files that `main` names: a file, a folder with all that is in it, or a pattern, as the real worker reads it. */
function entryFiles(main: string, directory: string): string[] {
  const isFolder = (file: string): boolean =>
    statSync(path.join(directory, file), { throwIfNoEntry: false })?.isDirectory() === true;
  const find = (pattern: string): string[] => globSync(pattern, { cwd: directory });
  return [
    ...new Set(
      find(main.replaceAll('\\', '/')).flatMap((found) => (isFolder(found) ? find(`${found}/**`) : [found])),
    ),
  ]
    .filter((file) => !isFolder(file))
    .toSorted();
}

/** @param entry the entry file, relative to the app's folder, which is the working directory */
function loadError(error: unknown, entry: string): AppLoadError {
  let text = oneLine(error);
  if (!text.includes(path.basename(entry))) text += ` (${syntaxErrorIn(entry, error) ?? entry})`;
  return new AppLoadError(`The app threw while it was loaded: ${text}`, { cause: error });
}

/** The place of an error of syntax in a module, which its stack does not have. */
function syntaxErrorIn(entry: string, error: unknown): string | undefined {
  if (!(error instanceof SyntaxError)) return undefined;
  const { stderr } = spawnSync(process.execPath, ['--check', entry], { encoding: 'utf8' });
  const line = /^(?:file:|\/|[A-Z]:).*:(\d+)$/m.exec(stderr)?.[1];
  return line === undefined ? undefined : `${entry}:${line}`;
}

/** The message, and the place in the app's own code where the error was thrown, when the stack shows it. */
function oneLine(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const stack = error.stack ?? '';
  const where = placeInApp(stack) ?? firstLine(stack);
  const [first] = `${error.name}: ${error.message}`.split('\n');
  return `${first!}${where === undefined ? '' : ` (${where})`}`;
}

/** The place with which the stack of an error of syntax begins: `src/orders.js:12`. */
function firstLine(stack: string): string | undefined {
  const [, file, line] = /^((?:file:\/\/)?\/.*|[A-Z]:\\.*|file:.*):(\d+)\n/.exec(stack) ?? [];
  if (file === undefined) return undefined;
  return `${path.relative(process.cwd(), file.startsWith('file:') ? fileURLToPath(file) : file)}:${line}`;
}
