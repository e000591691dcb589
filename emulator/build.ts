/**
 * Puts the emulator's modules into a few files: Node needs about a millisecond for each file, and a test process would
 * load 120 of them. The compiler writes the types beside them.
 */
import { globSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type InputOptions, type Plugin } from 'rolldown';

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const folder = here('./dist');

/** What has a file of its own. */
const ENTRIES = [
  // what the package exports, and its program
  'emulator',
  'testing',
  'cli',
  // programs of processes
  'watch/app-process',
  'worker/worker-main',
  // what this repository's own tools, tests and benches import
  'durable/azure-storage/hub',
  'durable/replay/replay',
  'function-list',
  'worker/core-api',
];

/** The files that entries share, the first match counts: each has the modules that match, and all that they import. */
const SHARED = [
  // all that the app's process loads
  { name: 'worker', test: /src.(worker.(worker|app-loader)|virtual.scope|idle-memory)\.ts$/, priority: 4 },
  // what `emulator start` loads before it starts the app's process
  { name: 'start', test: /src.emulator\.ts$/, priority: 3 },
  // what `emulator check-running` loads, which runs without packages
  {
    name: 'replay',
    test: /src.durable.(engine.versions|management.request|protocol.sdk-v3|replay.replay)\.ts$/,
    priority: 2,
  },
  // what `emulator start` loads while the app is loaded
  { name: 'core', test: /src.testing.test-app\.ts$/, priority: 1 },
];

/** Fails when the module that finds the folder of the code is not directly in it. */
const placed: Plugin = {
  name: 'placed',
  generateBundle(_, bundle) {
    for (const file of Object.values(bundle))
      if (
        file.type === 'chunk' &&
        file.fileName.includes('/') &&
        file.moduleIds.includes(here('./src/own-folder.ts'))
      )
        this.error(`src/own-folder.ts must not be in ${file.fileName}`);
  },
};

/** Removes what earlier builds have left. */
const cleaned: Plugin = {
  name: 'cleaned',
  writeBundle(_, bundle) {
    for (const file of globSync('**/*.{js,js.map,cjs,cjs.map}', { cwd: folder })) {
      const name = file.replaceAll('\\', '/');
      if (!name.startsWith('page/') && name !== 'testing.cjs' && bundle[name] === undefined)
        rmSync(path.join(folder, name));
    }
  },
};

const shared: InputOptions = {
  platform: 'node',
  // packages; and `testing.js`, which `testing.cts` requires
  external: (id) => id === './testing.js' || !(id.startsWith('.') || path.isAbsolute(id)),
  resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
  transform: { target: 'node22.15' },
  onLog(level, { message }) {
    if (level === 'warn') throw new Error(message);
  },
};

/** Writes `dist`, where the page of the console stays as it is. @throws Error for anything that the bundler warns of */
export async function buildCode(): Promise<void> {
  await build([
    {
      ...shared,
      input: Object.fromEntries(ENTRIES.map((entry) => [entry, here(`./src/${entry}.ts`)])),
      output: {
        dir: folder,
        format: 'esm',
        chunkFileNames: '[name].js',
        codeSplitting: { groups: SHARED },
        sourcemap: true,
        comments: false,
      },
      plugins: [placed, cleaned],
    },
    {
      ...shared,
      input: here('./src/testing.cts'),
      output: { file: path.join(folder, 'testing.cjs'), format: 'cjs' },
    },
  ]);
}

if (import.meta.main) await buildCode();
